"""Every error vega_trio raises, in one tree.

    VegaError
    |-- told to the model      ToolError > ToolRetry;  McpError > McpLost, McpUnavailable, McpTimeout
    |-- your file              DocumentError(diagnostics)
    |-- your request           ConfigError, UnknownAgent, UnknownSession, UnknownWorkflow, UnknownRun,
    |                          UnknownToken, UnknownApproval, UnknownMcpServer, ApprovalDecided > ApprovalExpired,
    |                          McpServerExists, InputError, MissingExtra, AgentExists, AgentProtected,
    |                          AgentOfDocument, UnknownItem, Conflict
    |-- the world              ModelError(error_class) > MissingKey, CircuitOpen, RateLimited, BudgetExceeded;
    |                          StoreError > StoreBusy, StoreTooNew, StoreOverloaded, StoreReadOnly, StoreBroken
    |-- a turn, a run          TurnFailed(error_class, turn_id), TurnCancelled(turn_id, text), RunFailed, RunCancelled
    |-- a process that ended   ProcessExited > ProcessCrashed;  SupervisorGaveUp, Escalated, FailedToStart,
    |                          StartTimeout, ProcessTimeout
    |-- a process that is not  NoProcessError, UnknownProcess, UnknownName
    |-- a refusal              NameTaken, AlreadyNamed, MailboxFull, WouldDeadlock, CallTimeout, TooManyProcesses,
    |                          OrchestratorClosed, SpawnTooDeep, BlackboardConflict, SlowSubscriber
    `-- child administration   ChildNotFound, ChildRunning, ChildRestarting, ChildAlreadyStarted,
                               ChildAlreadyPresent, MaxChildren

    ProcessExit, Ignore        control flow, raised by a body or a tool; no VegaError, so that no handler of
                               errors takes them by accident

A message says what, with which value, where, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from vega_trio.exits import Crashed, ExitReason, Shutdown, as_reason, describe, told
from vega_trio.session import ErrorClass
from vega_trio.suggest import remedy

if TYPE_CHECKING:
    from vega_trio.diagnostics import Diagnostic


class VegaError(Exception):
    """The root: `except VegaError` catches whatever vega_trio itself raises."""


# -- told to the model


class ToolError(VegaError):
    """A tool failed; the model is told `Error: MESSAGE` and the process lives."""


class ToolRetry(ToolError):
    """A tool asks the model to call it again with better arguments; MESSAGE says what to change."""


class McpError(ToolError):
    """An MCP server did not do what it was asked for."""


class McpUnavailable(McpError):
    """The server is not connected; nothing was asked of it."""


class McpLost(McpError):
    """The server went away. What it was doing may have happened or not; it was not repeated."""


class McpTimeout(McpError):
    """The server did not answer in time; it was told to stop."""


# -- your file, your request


class DocumentError(VegaError):
    """A document cannot be used. `diagnostics` holds every finding, in file order."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(each) for each in self.diagnostics))


class ConfigError(VegaError):
    """A setting, option or environment variable has a value that cannot be used."""


class UnknownAgent(VegaError):
    """No agent has that name."""


class AgentExists(VegaError):
    """The name belongs to another agent, or to vega itself."""


class AgentProtected(VegaError):
    """The agent is vega's own, and nobody changes it."""


class AgentOfDocument(VegaError):
    """The agent is defined in a document, and changes only there."""


class UnknownSession(VegaError):
    """The agent and user have no session with that id."""


class UnknownToken(VegaError):
    """No token has that id."""


class UnknownItem(VegaError):
    """There is no schedule, setting or file of that name."""


class Conflict(VegaError):
    """What is asked for and what there is exclude each other."""


class UnknownWorkflow(VegaError):
    """No workflow has that name."""


class UnknownRun(VegaError):
    """No run, under way or on record, has that id."""


class UnknownApproval(VegaError):
    """No request for an approval has that id."""


class ApprovalDecided(VegaError):
    """The request has been decided, or nobody waits for it any more. `status` says how it stands."""

    def __init__(self, message: str, status: str) -> None:
        super().__init__(message)
        self.status = status


class ApprovalExpired(ApprovalDecided):
    """The request was not answered in time, which counts as a no."""


class UnknownMcpServer(VegaError):
    """No MCP server, or none of the registry, has that name."""


class McpServerExists(VegaError):
    """There is an MCP server of that name already, or the document defines it."""


class InputError(VegaError):
    """Workflow inputs are missing, unknown or of the wrong type. `code` is V040, V041 or V042.

    `usage` says, in lines for the command line, what the workflow takes; the message does not hold it.
    """

    def __init__(self, message: str, code: str, field: str | None = None, *, usage: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.usage = usage


class MissingExtra(VegaError):
    """A feature needs a package that is not installed; the message names the extra."""

    def __init__(self, extra: str, feature: str) -> None:
        super().__init__(f"{feature} needs the extra {extra!r}: pip install 'vega-trio[{extra}]'")
        self.extra = extra


# -- the world


class ModelError(VegaError):
    """A model call failed. `retry_after_s` is what the provider asked for, in seconds, if it did."""

    def __init__(
        self,
        message: str,
        error_class: ErrorClass,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.status = status
        self.retry_after_s = retry_after_s


class MissingKey(ModelError):
    """No API key is set for the provider. Class `authentication`; the CLI exits 4."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ErrorClass.AUTHENTICATION)


class CircuitOpen(ModelError):
    """The model kept failing, so it is not called for now. Class `temporary`; `retry_after_s` is when to try again."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message, ErrorClass.TEMPORARY, retry_after_s=retry_after_s)


class RateLimited(ModelError):
    """One of our own rate limits refused the call. Class `rate_limit`; `retry_after_s` is when there is room."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message, ErrorClass.RATE_LIMIT, retry_after_s=retry_after_s)


class BudgetExceeded(ModelError):
    """The call could pass a budget's limit, so it was not made. Class `budget_exceeded`."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ErrorClass.BUDGET_EXCEEDED)


class StoreError(VegaError):
    """The database could not be read or written; nothing of the change was kept."""


class StoreBusy(StoreError):
    """Another process has the database open."""


class StoreTooNew(StoreError):
    """The database was written by a newer version; it is left untouched."""


class StoreOverloaded(StoreError):
    """More changes wait for the disk than may; nothing new is taken until it has caught up."""


class StoreReadOnly(StoreError):
    """The database cannot be written at the moment, the disk being full or failing: nothing new is taken.

    Work under way waits, and goes on by itself once the disk can be written again.
    """


class StoreBroken(StoreError):
    """A sync of the database failed, or it is damaged: nothing is written to it any more, and the program ends."""


# -- a turn


class TurnFailed(VegaError):
    """A turn ended without a reply; its process lives. The cause, if any, is the `ModelError`.

    `stop_reason` is `error`, `max_iterations`, `doom_loop` or `refusal`.
    """

    def __init__(self, message: str, error_class: ErrorClass, turn_id: str, *, stop_reason: str = "error") -> None:
        super().__init__(message)
        self.error_class = error_class
        self.turn_id = turn_id
        self.stop_reason = stop_reason


class TurnCancelled(VegaError):
    """The turn was stopped; `text` is what had been said by then, which stays in the history."""

    def __init__(self, turn_id: str, text: str = "") -> None:
        super().__init__(f"turn {turn_id} was stopped")
        self.turn_id = turn_id
        self.text = text


class RunFailed(VegaError):
    """A workflow run failed. The message names step, agent and place; `error_class` is the failure's class."""

    def __init__(self, message: str, error_class: str, run_id: str) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.run_id = run_id


class RunCancelled(VegaError):
    """A workflow run was cancelled."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"run {run_id} was cancelled")
        self.run_id = run_id


# -- a process that ended


class ProcessExited(VegaError):
    """The process ended with `reason`, so there is no answer."""

    def __init__(self, process_id: str, reason: ExitReason) -> None:
        super().__init__(f"process {process_id} exited: {describe(reason)}")
        self.process_id = process_id
        self.reason = reason
        if isinstance(reason, Crashed):
            self.__cause__ = reason.error


class ProcessCrashed(ProcessExited):
    """As `ProcessExited`, with an abnormal reason."""


class SupervisorGaveUp(VegaError):
    """A supervisor reached its restart intensity: `restarts` within its window, the last for `child_id`."""

    def __init__(self, supervisor_id: str, child_id: str, restarts: int) -> None:
        super().__init__(f"supervisor {supervisor_id} gave up after {restarts} restarts, last of child {child_id!r}")
        self.supervisor_id = supervisor_id
        self.child_id = child_id
        self.restarts = restarts


class Escalated(VegaError):
    """A child's failure was handed up. `cause` is the child's exception, or a `ProcessExited`."""

    def __init__(self, child_id: str, cause: BaseException) -> None:
        super().__init__(f"child {child_id!r} failed and its failure was escalated: {told(cause)}")
        self.child_id = child_id
        self.cause = cause
        self.__cause__ = cause


class FailedToStart(VegaError):
    """A process ended, with `reason`, before it had started."""

    def __init__(self, child_id: str, reason: ExitReason) -> None:
        super().__init__(f"child {child_id!r} failed to start: {describe(reason)}")
        self.child_id = child_id
        self.reason = reason
        if isinstance(reason, Crashed):
            self.__cause__ = reason.error


class StartTimeout(VegaError):
    """A process did not call `ready()` within its `start_timeout`, in seconds."""


class ProcessTimeout(VegaError):
    """A process lived past its deadline."""

    def __init__(self, deadline_s: float) -> None:
        super().__init__(f"the process passed its deadline of {deadline_s:g} s")
        self.deadline_s = deadline_s


# -- a process that is not there


class NoProcessError(VegaError):
    """The process or supervisor has ended."""


class UnknownProcess(VegaError):
    """No process, living or remembered, has that id."""


class UnknownName(VegaError):
    """No living process has that name."""


# -- a refusal


class NameTaken(VegaError):
    """Another living process has that name."""


class AlreadyNamed(VegaError):
    """The process has a name already; it can have one."""


class MailboxFull(VegaError):
    """The mailbox holds as many messages as it may."""


class WouldDeadlock(VegaError):
    """The call would wait for its own caller."""


class CallTimeout(VegaError, TimeoutError):
    """No reply came within the call's `timeout`; a late one is dropped."""


class TooManyProcesses(VegaError):
    """`max_processes` are alive already."""


class OrchestratorClosed(VegaError):
    """The orchestrator is stopping or has stopped."""


class SpawnTooDeep(VegaError):
    """The spawn tree would become deeper than 32."""


class BlackboardConflict(VegaError):
    """The key's version was not the expected one."""


class SlowSubscriber(VegaError):
    """A subscriber did not keep up with its events and was cut. `last_event_id` is where to resume."""

    def __init__(self, last_event_id: int | None) -> None:
        super().__init__(f"the subscriber fell behind and was cut; resume after event {last_event_id}")
        self.last_event_id = last_event_id


# -- child administration


class ChildNotFound(VegaError):
    """The supervisor has no child with that id."""


class ChildRunning(VegaError):
    """The child is running; terminate it first."""


class ChildRestarting(VegaError):
    """The child is waiting for its restart."""


class ChildAlreadyStarted(VegaError):
    """A running child has that id."""


class ChildAlreadyPresent(VegaError):
    """A stopped child has that id; restart or delete it."""


class MaxChildren(VegaError):
    """The supervisor has `max_children` already."""


# -- control flow


class ProcessExit(Exception):
    """Raised in a body or a tool: the process ends now, with `reason`; its supervisor decides what follows.

    Raises: TypeError when `reason` is none.
    """

    def __init__(self, reason: ExitReason | None = None) -> None:
        self.reason: ExitReason = Shutdown() if reason is None else as_reason(reason)
        super().__init__(describe(self.reason))


class Ignore(Exception):
    """Raised by a body before it has started: there is nothing to run, and that is no failure."""


def did_you_mean(wrong: str, known: Iterable[Any]) -> str:
    """A suggestion to append to an error: `; did you mean 'researcher'?`, or the names there are, or nothing."""
    hint = remedy(wrong, [str(each) for each in known])
    return f"; {hint}" if hint else ""

"""The one Event union: what the dashboard, logs, store and library users all read.

Every event is a frozen class with the same header (whose it is, which turn, when) and its own JSON fields.
`TYPE` is its name on the wire (`http-api` section 4). A durable event is stored before anyone hears it and then
has an `id`; the others (text deltas and the like) are only ever live.

The header is the one place where vega_trio inherits: it is data, alike for all, and holds no behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs


@attrs.frozen(kw_only=True)
class Event:
    """The header. `at` is Unix seconds, set by the bus; `id` rises with each commit and is None for live events.

    `root_turn_id` is the turn a person or program started; a delegate's turn has its own `turn_id` below it.
    """

    TYPE: ClassVar[str] = ""
    DURABLE: ClassVar[bool] = True

    process_id: str | None = None
    agent: str | None = None
    incarnation: int | None = None
    session_id: str | None = None
    turn_id: str | None = None
    root_turn_id: str | None = None
    at: float = 0.0
    id: int | None = None

    @property
    def type(self) -> str:
        return self.TYPE


# -- processes and supervisors


@attrs.frozen(kw_only=True)
class ProcessStarted(Event):
    """The first incarnation has started; `task` is what it was spawned to do, else empty."""

    TYPE = "process.started"
    task: str = ""


@attrs.frozen(kw_only=True)
class ProcessCompleted(Event):
    """The final exit, not abnormal."""

    TYPE = "process.completed"
    reason: str = "normal"


@attrs.frozen(kw_only=True)
class ProcessFailed(Event):
    """An abnormal exit of one incarnation; `final` when no restart follows. `reason`: crashed, killed or timeout."""

    TYPE = "process.failed"
    reason: str = "crashed"
    error: str = ""
    final: bool = True


@attrs.frozen(kw_only=True)
class ProcessRestarting(Event):
    """A restart was decided: number `attempt` of at most `max` (None: unlimited) within the window."""

    TYPE = "process.restarting"
    attempt: int = 1
    max: int | None = None
    delay_ms: int = 0
    reason: str = ""


@attrs.frozen(kw_only=True)
class ProcessRestarted(Event):
    """A new incarnation has started."""

    TYPE = "process.restarted"


@attrs.frozen(kw_only=True)
class ProcessWaiting(Event):
    """A turn waits for a person's answer about a call of the tool `on`."""

    TYPE = "process.waiting"
    on: str = ""


@attrs.frozen(kw_only=True)
class ProcessExitSignal(Event):
    """An exit signal was delivered to this process."""

    TYPE = "process.exit_signal"
    sender_id: str | None = None
    reason: str = ""


@attrs.frozen(kw_only=True)
class ShutdownError(Event):
    """A body raised while it was already dying; neither reason nor restart changed."""

    TYPE = "process.shutdown_error"
    error: str = ""


@attrs.frozen(kw_only=True)
class HookFailed(Event):
    """A supervision hook raised, or answered what is not allowed; the default held."""

    TYPE = "supervisor.hook_failed"
    hook: str = ""
    error: str = ""


@attrs.frozen(kw_only=True)
class GaveUp(Event):
    """A supervisor reached its restart intensity and ended its children and itself."""

    TYPE = "supervisor.gave_up"
    supervisor_id: str = ""
    child_id: str = ""
    restarts: int = 0


@attrs.frozen(kw_only=True)
class EscalatedUp(Event):
    """A supervisor handed a failure of its child up to its own supervisor."""

    TYPE = "supervisor.escalated"
    supervisor_id: str = ""
    child_id: str = ""
    error: str = ""


@attrs.frozen(kw_only=True)
class HealthAlert(Event):
    """A limit of `HealthConfig` was passed; once per episode."""

    kind: str = ""
    message: str = ""
    value: float = 0.0
    threshold: float = 0.0

    @property
    def type(self) -> str:
        return f"alert.{self.kind}"


# -- turns


@attrs.frozen(kw_only=True)
class TurnStarted(Event):
    """`path`: in a turn that is part of another, the agents from below the root's down to this one, as `a/b`."""

    TYPE = "turn.started"
    model: str = ""
    message: str = ""
    path: str = ""


@attrs.frozen(kw_only=True)
class TurnResumed(Event):
    """The turn goes on after a restart of its process; what it had said since its last finished step is void."""

    TYPE = "turn.resumed"


@attrs.frozen(kw_only=True)
class TextDelta(Event):
    """The next piece of the answer. Never stored; never splits a character."""

    TYPE = "text_delta"
    DURABLE = False
    delta: str = ""


@attrs.frozen(kw_only=True)
class ThinkingDelta(Event):
    """The next piece of what the model thinks before it answers, as far as its provider shows it. Never stored."""

    TYPE = "thinking_delta"
    DURABLE = False
    delta: str = ""


@attrs.frozen(kw_only=True)
class MessageReset(Event):
    """The answer's text starts over: it is `text`, and deltas continue from there."""

    TYPE = "message_reset"
    DURABLE = False
    text: str = ""


@attrs.frozen(kw_only=True)
class ToolStart(Event):
    """A tool call begins. Every one has a ToolEnd."""

    TYPE = "tool.started"
    tool_call_id: str = ""
    tool_name: str = ""
    arguments: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ToolProgress(Event):
    """How far a running call is: `progress` of `total`, None where that is not known. Never stored, and not every one
    that the tool reports."""

    TYPE = "tool.progress"
    DURABLE = False
    tool_call_id: str = ""
    tool_name: str = ""
    progress: float = 0.0
    total: float | None = None
    message: str = ""


@attrs.frozen(kw_only=True)
class ToolEnd(Event):
    """Every ToolStart has one, also when cancelled. A failed tool's `result` starts `Error: ` and `error` is true.

    `images` are the ids of those that it gave (`messages.content_id`).
    """

    TYPE = "tool.finished"
    tool_call_id: str = ""
    tool_name: str = ""
    result: str = ""
    duration_ms: int = 0
    error: bool = False
    images: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ApprovalRequested(Event):
    """A tool call waits for a person. `expires_at` is RFC 3339; after that it counts as denied."""

    TYPE = "approval.requested"
    approval_id: str = ""
    tool_call_id: str = ""
    tool_name: str = ""
    arguments: Mapping[str, Any] = attrs.field(factory=dict)
    reason: str = ""
    expires_at: str = ""


@attrs.frozen(kw_only=True)
class ApprovalAwaited(Event):
    """A turn that was taken up again waits for a request that was made before: for who watches it from here on."""

    TYPE = "approval.awaited"
    DURABLE = False
    approval_id: str = ""
    tool_call_id: str = ""
    tool_name: str = ""
    arguments: Mapping[str, Any] = attrs.field(factory=dict)
    reason: str = ""
    expires_at: str = ""


@attrs.frozen(kw_only=True)
class ApprovalResolved(Event):
    """`decision` is approve or deny; `status` says how it came: approved, denied, expired or cancelled."""

    TYPE = "approval.resolved"
    approval_id: str = ""
    tool_call_id: str = ""
    tool_name: str = ""
    decision: str = "deny"
    status: str = "denied"
    note: str = ""


@attrs.frozen(kw_only=True)
class LlmRetry(Event):
    """A model call failed and is made again as attempt number `attempt`, after `delay_ms`, by `model`."""

    TYPE = "llm.retry"
    error_class: str = attrs.field(default="", metadata={"wire": "class"})
    attempt: int = 2
    max_attempts: int = 5
    delay_ms: int = 0
    model: str = ""
    error: str = ""


@attrs.frozen(kw_only=True)
class BreakerOpened(Event):
    """A model kept failing and is not called for `reset_after_ms`."""

    TYPE = "breaker.opened"
    model: str = ""
    reset_after_ms: int = 0


@attrs.frozen(kw_only=True)
class BreakerHalfOpen(Event):
    """A call is let through to see whether the model works again."""

    TYPE = "breaker.half_open"
    model: str = ""


@attrs.frozen(kw_only=True)
class BreakerClosed(Event):
    """The model works again, and is called as before."""

    TYPE = "breaker.closed"
    model: str = ""


@attrs.frozen(kw_only=True)
class BudgetWarning(Event):
    """80 % of a budget are spent; `scope` says whose it is. Once per budget."""

    TYPE = "budget.warning"
    scope: str = ""
    limit_usd: float = 0.0
    spent_usd: float = 0.0


@attrs.frozen(kw_only=True)
class BudgetOverrun(Event):
    """A call was refused for a budget, or passed one that only warns."""

    TYPE = "budget.exceeded"
    scope: str = ""
    limit_usd: float = 0.0
    spent_usd: float = 0.0
    blocked: bool = True


@attrs.frozen(kw_only=True)
class TurnFinished(Event):
    """The turn ended in a reply; `text` is all of it."""

    TYPE = "turn.finished"
    text: str = ""
    stop_reason: str = "end_turn"
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    duration_ms: int = 0


@attrs.frozen(kw_only=True)
class TurnFailure(Event):
    """The turn ended without a reply; its process lives."""

    TYPE = "turn.failed"
    error: str = ""
    error_class: str = ""
    stop_reason: str = "error"


@attrs.frozen(kw_only=True)
class TurnStopped(Event):
    """The turn was stopped; `text` is what had been said and stays in the history."""

    TYPE = "turn.cancelled"
    text: str = ""


# -- workflows


@attrs.frozen(kw_only=True)
class WorkflowStarted(Event):
    """A run of a workflow began."""

    TYPE = "workflow.started"
    run_id: str = ""
    workflow: str = ""


@attrs.frozen(kw_only=True)
class StepStarted(Event):
    """A step of a workflow began; `path` is its place, as `review/0`, `title` what people read."""

    TYPE = "workflow.step_started"
    run_id: str = ""
    path: str = ""
    kind: str = ""
    title: str = ""


@attrs.frozen(kw_only=True)
class StepFinished(Event):
    """A step of a workflow ended; `status` is completed, failed, skipped or cancelled."""

    TYPE = "workflow.step_finished"
    run_id: str = ""
    path: str = ""
    kind: str = ""
    status: str = "completed"
    cost_usd: float | None = None
    duration_ms: int = 0
    error: str = ""


@attrs.frozen(kw_only=True)
class WorkflowCompleted(Event):
    """A run ended with its result."""

    TYPE = "workflow.completed"
    run_id: str = ""
    workflow: str = ""
    status: str = "completed"


@attrs.frozen(kw_only=True)
class WorkflowFailed(Event):
    """A run failed; `error` says where and why."""

    TYPE = "workflow.failed"
    run_id: str = ""
    workflow: str = ""
    status: str = "failed"
    error: str = ""


@attrs.frozen(kw_only=True)
class WorkflowCancelled(Event):
    """A run was cancelled."""

    TYPE = "workflow.cancelled"
    run_id: str = ""
    workflow: str = ""
    status: str = "cancelled"


# -- MCP servers


@attrs.frozen(kw_only=True)
class McpConnected(Event):
    """A server is there; `tools` are its tools' names, without its prefix."""

    TYPE = "mcp.connected"
    server: str = ""
    tools: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class McpDisconnected(Event):
    """A connection ended: `error` says why, and is empty when it was meant to end."""

    TYPE = "mcp.disconnected"
    server: str = ""
    error: str = ""


@attrs.frozen(kw_only=True)
class McpToolsChanged(Event):
    """A server's tools are not what they were. Those `changed` are disabled until somebody approves them."""

    TYPE = "mcp.tools_changed"
    server: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class BlackboardChanged(Event):
    """A member of a group wrote a value to its blackboard."""

    TYPE = "blackboard.changed"
    group: str = ""
    key: str = ""
    version: int = 0


# -- the program


@attrs.frozen(kw_only=True)
class AgentCreated(Event):
    """An agent was composed while the program runs; `agent` is its name."""

    TYPE = "agent.created"
    model: str = ""


@attrs.frozen(kw_only=True)
class AgentUpdated(Event):
    """A composed agent has changed; `renamed_from` is its name until now, empty when it keeps it."""

    TYPE = "agent.updated"
    renamed_from: str = ""


@attrs.frozen(kw_only=True)
class AgentDeleted(Event):
    """An agent was deleted; `agent` is its name."""

    TYPE = "agent.deleted"


@attrs.frozen(kw_only=True)
class SessionUpdated(Event):
    """A conversation got a title, was begun, put away, taken back or deleted."""

    TYPE = "session.updated"


@attrs.frozen(kw_only=True)
class ServerStopping(Event):
    """The server takes nothing new and ends."""

    TYPE = "server.stopping"


TURN_ENDS = (TurnFinished, TurnFailure, TurnStopped)
"""What ends the stream of a turn."""

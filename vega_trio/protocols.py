"""The seams: what a lower layer needs from above or outside, each with a real and a fake implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from contextvars import Context
from typing import Any, Protocol, runtime_checkable

import attrs

from vega_trio.changes import Change, MailRow, MessageRow, OpRow, ProcessQuery, ProcessRow, ProcessTotals, TimerRow
from vega_trio.context import ToolContext
from vega_trio.errors import StoreError
from vega_trio.messages import ToolOutput, Usage
from vega_trio.model_call import EFFECTS as EFFECTS
from vega_trio.model_call import TOOL_NAME as TOOL_NAME
from vega_trio.model_call import TOOL_TIMEOUT_S as TOOL_TIMEOUT_S
from vega_trio.model_call import ApprovalMode as ApprovalMode
from vega_trio.model_call import ModelDone as ModelDone
from vega_trio.model_call import ModelEvent as ModelEvent
from vega_trio.model_call import ModelRequest as ModelRequest
from vega_trio.model_call import OutputSpec as OutputSpec
from vega_trio.model_call import TextChunk as TextChunk
from vega_trio.model_call import ThinkingChunk as ThinkingChunk
from vega_trio.model_call import ToolSpec as ToolSpec

# -- models


@runtime_checkable
class Model(Protocol):
    """A language model. `name` is `provider:model`, as shown to people."""

    @property
    def name(self) -> str: ...

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[ModelEvent]]:
        """One call. Yields text as it comes, each tool call once complete, and `ModelDone` last.

        Raises: ModelError, classified, also in the middle of the stream. Any other exception is a bug of the
        adapter and ends the process. Cancelling leaves nothing open.
        """
        ...

    def price(self, usage: Usage) -> int | None:
        """Micro-dollars, or None when the price is not known (which is not the same as free)."""
        ...


# -- tools


@runtime_checkable
class Tool(Protocol):
    """What a model may call. A plain function among an agent's tools becomes one."""

    @property
    def spec(self) -> ToolSpec: ...

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> str | ToolOutput:
        """Validates the arguments, runs, and gives what the model is told, or shown.

        Raises: ToolError for what the model should read; ProcessExit ends the process; anything else is
        reported to the model as `Error: TYPE: MESSAGE`.
        """
        ...


@runtime_checkable
class ToolSource(Protocol):
    """Tools that come and go: an MCP server's. May stand among an agent's tools."""

    @property
    def name(self) -> str: ...

    @property
    def tools(self) -> Mapping[str, Tool]:
        """What there is now, by name."""
        ...

    async def ready(self) -> None:
        """Returns when `tools` is known for a start, or will not be: soon, and never with an error."""
        ...


@runtime_checkable
class PromptSource(Protocol):
    """A prompt that depends on what is asked; may stand as an agent's `system`. Pure and quick."""

    @property
    def text(self) -> str:
        """What is in it whatever is asked."""
        ...

    @property
    def tools(self) -> Sequence[Tool]:
        """What an agent with this prompt has besides its own tools."""
        ...

    def prompt(self, message: str) -> str:
        """The whole prompt for a turn that begins with the user's message."""
        ...


# -- stores


class Commit(Protocol):
    """The fate of one submitted change."""

    @property
    def done(self) -> bool: ...

    @property
    def event_ids(self) -> Sequence[int]:
        """Ids of the change's events, in order; only once done."""
        ...

    def on_done(self, callback: Callable[[Commit], None]) -> None:
        """Calls back in the Trio thread, in commit order; at once when already done.

        A failed commit calls back too, with `error` set.
        """
        ...

    @property
    def error(self) -> Exception | None: ...

    async def wait(self) -> None:
        """Returns when durable. Cancelling the wait does not withdraw the change.

        Raises: StoreError.
        """
        ...


class Records(Protocol):
    """Reads of application tables: JSON rows under a text key."""

    async def get(self, table: str, key: str) -> dict[str, Any] | None: ...

    async def query(self, table: str, **equals: Any) -> list[dict[str, Any]]:
        """Rows whose top-level fields equal the given values, in the order in which their keys were first put."""
        ...

    async def newest(self, table: str, *, limit: int, before: str | None = None, **equals: Any) -> list[dict[str, Any]]:
        """As `query`, the rows last put for the first time first, from the one behind the key `before` on."""
        ...

    async def last_by(
        self, table: str, field: str, *, limit: int, before: tuple[str, str] | None = None, **equals: Any
    ) -> list[dict[str, Any]]:
        """As `query`, those that have text in a field, the last in the order of (text, key) first.

        `before` is such a pair: only what comes before it in that order is given.
        """
        ...

    async def totals(
        self, table: str, by: Sequence[str], sums: Sequence[str], *, since: float = ..., **equals: Any
    ) -> list[dict[str, Any]]:
        """The sums of number fields over the rows that `query` finds, of those whose `at` is not before `since`.

        A row for each combination of the fields `by`, which may name `day`: the date, in UTC, of `at`.
        """
        ...


@attrs.frozen
class StoredEvent:
    """An event as it goes on the wire: `body` is its compact JSON."""

    id: int
    type: str
    process_id: str | None
    agent: str | None
    turn_id: str | None
    at: float
    body: bytes


class Store(Protocol):
    """Everything durable goes through here. One writer; `submit` is synchronous, ordered and never blocks."""

    def submit(self, change: Change) -> Commit: ...

    @property
    def pending(self) -> int:
        """How many changes have been submitted and not settled."""
        ...

    @property
    def problem(self) -> StoreError | None:
        """Why nothing can be written at the moment: StoreReadOnly, or StoreBroken for good; None when it can be."""
        ...

    def on_problem(self, callback: Callable[[StoreError | None], None]) -> None:
        """Calls back in the Trio thread whenever `problem` changes, with what it is then."""
        ...

    @property
    def records(self) -> Records: ...

    async def process(self, process_id: str) -> ProcessRow | None: ...

    async def processes(self, *, limit: int = 1000) -> list[ProcessRow]:
        """The newest first."""
        ...

    async def find_processes(self, wanted: ProcessQuery, *, limit: int) -> list[ProcessRow]:
        """Those wanted, the last started first."""
        ...

    async def process_totals(self, *, without: Collection[str] = ()) -> list[ProcessTotals]:
        """A row for each status there is, of all processes but those of these ids."""
        ...

    async def unfinished(self) -> list[ProcessRow]:
        """Those recorded as running or pending, in the order in which they were first saved."""
        ...

    async def messages(self, process_id: str) -> list[MessageRow]:
        """In order of `seq`."""
        ...

    async def message_counts(self, process_ids: Collection[str]) -> dict[str, int]:
        """Of each process that has said something: its messages, one of each side a turn."""
        ...

    async def ops(self, process_id: str, *, turn_id: str | None = None) -> list[OpRow]:
        """A process's journal, or one turn's part of it, in order of `seq`."""
        ...

    async def mail(self) -> list[MailRow]:
        """All that was accepted and not dealt with; each process's in the order in which it came."""
        ...

    async def links(self) -> list[tuple[str, str]]:
        """Pairs of linked processes, each once, in the order in which they were linked."""
        ...

    async def monitors(self) -> list[tuple[str, str]]:
        """(watcher, watched), in the order in which they were made."""
        ...

    async def reserved(self) -> dict[str, int]:
        """By process, what calls under way have reserved, in micro-dollars; those without are left out."""
        ...

    async def timers(self) -> list[TimerRow]:
        """What is still to happen, the first due first."""
        ...

    async def events_after(self, event_id: int, *, limit: int = 500) -> list[StoredEvent]:
        """In order of id."""
        ...

    async def events_of(self, process_id: str, types: Collection[str]) -> list[StoredEvent]:
        """A process's events of these types, in order of id."""
        ...

    async def last_event_id(self) -> int: ...


# -- telemetry


@attrs.frozen(kw_only=True)
class Figures:
    """The living processes of a program at one moment.

    `processes` are by status, `mailbox` is how many messages wait, by agent; `restarts` are those since the start.
    `budgets` are dollars that are neither spent nor reserved, by whose they are; of an agent's processes, those of the
    one that has least.
    """

    processes: Mapping[str, int]
    restarts: int
    mailbox: Mapping[str, int]
    budgets: Mapping[str, float]


class Span(Protocol):
    """Something under way that is observed. `link` is what a later one names it by; None: nobody observes."""

    @property
    def link(self) -> object: ...

    def tell(self, **attributes: Any) -> None:
        """What is known at its end: `usage`, `stop_reason`, `cost_usd`, `said` and `calls` of an answer; of a turn
        with which its process ended `exit_reason`."""
        ...

    def fail(self, error_type: str, message: str = "") -> None: ...


class Telemetry(Protocol):
    """Who is told of workflows, turns, model calls and tool calls. Each is entered and left in one task.

    `origin` is the context of who sent the message, to which the turn belongs. `before` is the `link` of the last turn
    of the process's incarnation before this one, for its first turn.
    """

    def watch(self, figures: Callable[[], Figures]) -> AbstractContextManager[None]:
        """Asks for the figures now and then while the block lasts, also from another thread."""
        ...

    def turn(
        self,
        *,
        agent: str,
        process_id: str,
        incarnation: int,
        supervisor: str | None,
        turn_id: str,
        session_id: str | None,
        origin: Context | None,
        before: object,
    ) -> AbstractContextManager[Span]: ...

    def workflow(self, name: str, run_id: str, process_id: str) -> AbstractContextManager[Span]: ...

    def chat(self, model: str, request: ModelRequest) -> AbstractContextManager[Span]: ...

    def tokens(self, model: str, usage: Usage) -> None: ...

    def tool(self, name: str, call_id: str) -> AbstractContextManager[Span]: ...


# -- files


class Files(Protocol):
    """What the document parser may see of a file system. Paths are text, relative to the document or absolute."""

    def read(self, path: str) -> bytes:
        """Raises: OSError."""
        ...

    def list(self, path: str) -> list[str]:
        """Names in a directory, sorted. Raises: OSError."""
        ...

    def is_file(self, path: str) -> bool: ...

    def is_dir(self, path: str) -> bool: ...

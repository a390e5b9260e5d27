"""The turns under way and those just over, as everybody who watches a chat is shown them.

Rules.
1. A log holds what is shown of one root turn, from its first event to its last. Adjacent deltas are one run of text.
2. The bus writes the logs, in its own order; nobody holds a queue. A client is a cursor in a log: a slow one takes
   more at a time, one that comes back takes up where it left off.
3. Frames are numbered by what they show, never by how deltas were merged, so a number means the same to everyone.
4. A turn taken up from an earlier program begins far above the numbers which that program can have given.
5. Ended turns are kept for ten minutes, within a number of bytes; a turn that says too much is no longer followed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import StringIO

import attrs
import trio

from vega_trio.app.chat import ChatStream, OpenTurn
from vega_trio.app.ids import new_id
from vega_trio.errors import ProcessExited
from vega_trio.events import (
    TURN_ENDS,
    ApprovalAwaited,
    ApprovalRequested,
    ApprovalResolved,
    Event,
    LlmRetry,
    MessageReset,
    ProcessCompleted,
    ProcessFailed,
    ProcessRestarted,
    ProcessRestarting,
    TextDelta,
    ThinkingDelta,
    ToolEnd,
    ToolProgress,
    ToolStart,
    TurnFinished,
    TurnResumed,
    TurnStarted,
)
from vega_trio.serve.translate import Lost, Queued

APPROVALS = (ApprovalRequested, ApprovalAwaited, ApprovalResolved)
SHOWN = (
    TurnStarted,
    TurnResumed,
    LlmRetry,
    ThinkingDelta,
    MessageReset,
    ToolStart,
    ToolProgress,
    ToolEnd,
    ProcessRestarting,
    ProcessRestarted,
    *APPROVALS,
    *TURN_ENDS,
)
KEEP_S = 600.0
KEEP_BYTES = 32 * 1024 * 1024
TURN_BYTES = 16 * 1024 * 1024
ENTRY_BYTES = 500  # what an entry takes beside its text, about
FRAMES_PER_INCARNATION = 1_000_000


@attrs.define(eq=False)
class TextRun:
    """Adjacent deltas of one turn. `head` is the first of them without its text."""

    head: TextDelta
    _text: StringIO = attrs.field(factory=StringIO, init=False, repr=False)
    _ends: array[int] = attrs.field(factory=lambda: array("Q"), init=False, repr=False)

    def __len__(self) -> int:
        """How many deltas there are."""
        return len(self._ends)

    def add(self, delta: str) -> None:
        self._text.write(delta)
        self._ends.append(self._end(len(self)) + len(delta))

    def between(self, first: int, last: int) -> TextDelta:
        """The deltas from number `first` on and before `last`, as one."""
        start = self._end(first)
        self._text.seek(start)
        said = self._text.read(self._end(last) - start)
        self._text.seek(0, 2)
        return attrs.evolve(self.head, delta=said)

    def _end(self, count: int) -> int:
        return self._ends[count - 1] if count else 0


Entry = Event | Queued | Lost | TextRun


@attrs.define(eq=False)
class TurnLog:
    """One turn. `first` is the number before its first frame; `ended_at` is monotonic, None while it goes on."""

    id: str
    session_id: str = ""
    process_id: str | None = None
    first: int = 0
    ended_at: float | None = None
    entries: list[Entry] = attrs.field(factory=list, init=False, repr=False)
    size: int = attrs.field(default=0, init=False)
    _news: trio.Event = attrs.field(factory=trio.Event, init=False, repr=False)

    def append(self, event: Event | Queued | Lost) -> None:
        match event:
            case TextDelta(delta=""):
                return
            case TextDelta():
                self._say(event)
            case TurnFinished():  # its text has been shown already
                self._keep(attrs.evolve(event, text=""))
            case TurnStarted():
                self._keep(attrs.evolve(event, message=""))
            case ToolEnd(result=result):
                self._keep(event, len(result))
            case MessageReset(text=text):
                self._keep(event, len(text))
            case _:
                self._keep(event)
        self._wake()

    def _say(self, event: TextDelta) -> None:
        last = self.entries[-1] if self.entries else None
        if not isinstance(last, TextRun) or last.head.turn_id != event.turn_id:
            last = TextRun(attrs.evolve(event, delta=""))
            self._keep(last)
        last.add(event.delta)
        self.size += len(event.delta)

    def _keep(self, entry: Entry, size: int = 0) -> None:
        self.entries.append(entry)
        self.size += size + ENTRY_BYTES

    def end(self, at: float) -> None:
        self.ended_at = at
        self._wake()

    async def news(self) -> None:
        """Waits until there is more than now."""
        await self._news.wait()

    def _wake(self) -> None:
        news, self._news = self._news, trio.Event()
        news.set()


@attrs.define(eq=False)
class TurnLogs:
    """The logs, by turn, in the order in which their messages were sent."""

    keep_bytes: int = KEEP_BYTES
    turn_bytes: int = TURN_BYTES
    _running: dict[str, TurnLog] = attrs.field(factory=dict, init=False, repr=False)
    _ended: dict[str, TurnLog] = attrs.field(factory=dict, init=False, repr=False)
    _ended_bytes: int = attrs.field(default=0, init=False)
    _news: trio.Event = attrs.field(factory=trio.Event, init=False, repr=False)

    def of(self, session_id: str) -> list[TurnLog]:
        """The turns of a session that are still known, in the order in which they began."""
        self._forget_old()
        return [each for each in (*self._ended.values(), *self._running.values()) if each.session_id == session_id]

    async def news(self) -> None:
        """Waits until another turn can be followed."""
        await self._news.wait()

    def _wake(self) -> None:
        news, self._news = self._news, trio.Event()
        news.set()

    def find(self, session_id: str, turn_id: str | None = None) -> TurnLog | None:
        """The turn asked for, if it is still known; else the session's running one, else its last."""
        self._forget_old()
        of_session = [each for each in self._running.values() if each.session_id == session_id]
        over = [each for each in self._ended.values() if each.session_id == session_id]
        named = [each for each in (*of_session, *over) if each.id == turn_id]
        return next(iter((*named, *of_session, *reversed(over))), None)

    @contextmanager
    def opening(self, turn_id: str | None = None) -> Iterator[TurnLog]:
        """A log for a message that is about to be sent; gone again unless it is `posted` within the block."""
        log = TurnLog(turn_id or new_id())
        self._running[log.id] = log
        try:
            yield log
        finally:
            if not log.session_id:
                self._running.pop(log.id, None)

    def posted(self, log: TurnLog, sent: ChatStream) -> None:
        """The message of a log is in the mailbox of its session's process."""
        process = sent.process
        assert sent.session.id is not None
        log.session_id, log.process_id = sent.session.id, process.id
        self._wake()
        under_way = process.current
        if under_way is not None and under_way.id != log.id and not log.entries:
            log.append(Queued(process.mailbox_length))
        if process.final is not None:
            # What it has said goes out first; its end may have been told before the log was its.
            gone = ProcessExited(process.id, process.final)
            process.kernel.bus.in_turn(log.id, lambda: self._lose(log, str(gone)))

    def expect(self, turns: Iterable[OpenTurn]) -> None:
        """Turns of an earlier program that are to go on can be followed before their first event."""
        for turn in turns:
            if turn.id not in self._running and turn.id not in self._ended:
                first = FRAMES_PER_INCARNATION * turn.incarnation
                self._running[turn.id] = TurnLog(turn.id, turn.session_id, turn.process_id, first)

    def forget(self, session_id: str) -> None:
        """Drops the ended turns of a conversation that was cleared."""
        for log in [each for each in self._ended.values() if each.session_id == session_id]:
            self._drop(log)

    def take(self, event: Event) -> None:
        """The bus's: something happened. Nothing here waits."""
        root = event.root_turn_id
        log = self._log_of(event, root) if root is not None else None
        if log is not None and isinstance(event, (TextDelta, *SHOWN)):
            log.append(event)
            if isinstance(event, TURN_ENDS) and event.turn_id == root:
                self._end(log)
            elif log.size > self.turn_bytes:
                self._lose(log, "the turn has said too much to be followed; it goes on", "too_long")
        match event:
            case ProcessCompleted(reason=reason) | ProcessFailed(reason=reason, final=True):
                for each in [each for each in self._running.values() if each.process_id == event.process_id]:
                    self._lose(each, f"process {event.process_id} exited: {reason}")

    def _log_of(self, event: Event, root: str) -> TurnLog | None:
        """The running log of a turn. One that nobody here has asked for gets its own when it begins."""
        begins = isinstance(event, TurnStarted | TurnResumed) and event.turn_id == root
        if begins and event.session_id is not None and root not in self._running and root not in self._ended:
            resumed = isinstance(event, TurnResumed)
            first = FRAMES_PER_INCARNATION * (event.incarnation or 1) if resumed else 0
            self._running[root] = TurnLog(root, event.session_id, event.process_id, first)
            self._wake()
        return self._running.get(root)

    def _lose(self, log: TurnLog, error: str, code: str = "agent_crashed") -> None:
        if log.ended_at is None:
            log.append(Lost(error, code))
            self._end(log)

    def _end(self, log: TurnLog) -> None:
        log.end(trio.current_time())
        self._running.pop(log.id, None)
        self._ended[log.id] = log
        self._ended_bytes += log.size
        self._forget_old()

    def _forget_old(self) -> None:
        oldest_kept = trio.current_time() - KEEP_S
        for log in list(self._ended.values()):
            if self._ended_bytes <= self.keep_bytes and (log.ended_at or 0.0) >= oldest_kept:
                break
            self._drop(log)

    def _drop(self, log: TurnLog) -> None:
        del self._ended[log.id]
        self._ended_bytes -= log.size

"""The bus: everything that happens is one event, written down before anyone hears it.

Rules.
1. A durable event is submitted to the store and handed out, with its id, when its commit is done.
2. Events of one key (root turn, else process, else the program) are handed out in the order in which they were
   emitted: what comes behind a pending durable event of its key waits behind it, live events too.
3. With nothing pending under its key a live event goes out at once.
4. A subscriber has a bounded buffer; one that falls behind is cut and told where to resume.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any

import attrs
import trio

from vega_trio._core.redact import Redactor
from vega_trio.changes import AppendEvent, Change, Together
from vega_trio.errors import SlowSubscriber
from vega_trio.events import Event, TextDelta
from vega_trio.protocols import Commit, Store
from vega_trio.runtime.logs import log_event

log = logging.getLogger("vega_trio.bus")

EventFilter = str | type[Event]
ERROR_WORDS = ("error", "reason")  # the fields of events in which an error speaks
FAIRNESS = 64  # items handed over without a checkpoint, so that a busy subscriber does not starve the loop


@attrs.define(eq=False)
class _Pending:
    """One item of a key's queue: an event, or a call that waits for its turn. `settled` once it may go out."""

    item: Event | Callable[[], None] | None
    settled: bool


@attrs.define(eq=False)
class Subscription:
    """An async iterable of events; one reader. Ends when the bus closes.

    Iterating raises SlowSubscriber, after what is buffered, once the subscriber was cut.
    """

    _matches: Callable[[Event], bool]
    _capacity: int
    _last_event_id: int | None
    _buffer: deque[Event] = attrs.field(factory=deque, init=False)
    _end: Exception | None = attrs.field(default=None, init=False)
    _reader: trio.lowlevel.Task | None = attrs.field(default=None, init=False)
    _streak: int = attrs.field(default=0, init=False)

    @property
    def ended(self) -> bool:
        return self._end is not None

    def offer(self, event: Event) -> None:
        """Takes the event if it is asked for. One too many cuts the subscription."""
        if self._end is not None or not self._matches(event):
            return
        buffer = self._buffer
        if len(buffer) * 2 > self._capacity and _merge_into_last(buffer, event):
            return
        if len(buffer) >= self._capacity:
            self.end(SlowSubscriber(self._last_event_id))
            return
        if event.id is not None:
            self._last_event_id = event.id
        buffer.append(event)
        self._wake()

    def end(self, error: Exception | None = None) -> None:
        """No more events: iteration ends, or raises `error`, after what is buffered."""
        if self._end is None:
            self._end = error or StopAsyncIteration()
            self._wake()

    def _wake(self) -> None:
        if self._reader is not None:
            trio.lowlevel.reschedule(self._reader)
            self._reader = None

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Event:
        if self._reader is not None:
            raise trio.BusyResourceError("another task is already iterating this subscription")
        self._streak += 1
        if self._streak % FAIRNESS == 0:
            await trio.lowlevel.checkpoint()
        if not self._buffer and self._end is None:
            await self._wait()
        if self._buffer:
            return self._buffer.popleft()
        assert self._end is not None
        raise self._end

    def drain(self) -> list[Event]:
        """What else is buffered, without waiting."""
        found = list(self._buffer)
        self._buffer.clear()
        return found

    async def _wait(self) -> None:
        self._reader = trio.lowlevel.current_task()

        def abort(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            self._reader = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)


def _merge_into_last(buffer: deque[Event], event: Event) -> bool:
    last = buffer[-1]
    if isinstance(event, TextDelta) and isinstance(last, TextDelta) and last.turn_id == event.turn_id:
        buffer[-1] = attrs.evolve(last, delta=last.delta + event.delta)
        return True
    return False


def _filter(types: Iterable[EventFilter] | None, match: Callable[[Event], bool] | None) -> Callable[[Event], bool]:
    """One predicate out of classes, wire names (`process.*` too) and a condition."""
    if types is None:
        return match or (lambda event: True)
    if isinstance(types, str | type):
        raise TypeError(f"types must be a list of event classes or names, not the single {types!r}")
    wanted = tuple(types)
    classes = tuple(each for each in wanted if isinstance(each, type))
    names = frozenset(each for each in wanted if isinstance(each, str) and not each.endswith("*"))
    prefixes = tuple(each[:-1] for each in wanted if isinstance(each, str) and each.endswith("*"))

    def matches(event: Event) -> bool:
        named = isinstance(event, classes) or event.type in names or event.type.startswith(prefixes)
        return named and (match is None or match(event))

    return matches


@attrs.define(eq=False)
class Bus:
    """Hands every event to the store and to those who subscribed. Used in the Trio thread only.

    `redact` takes secrets out of what a durable event says of an error: the error may be anybody's.
    """

    _store: Store
    _wall_clock: Callable[[], float]
    _redact: Redactor = attrs.field(factory=Redactor)
    _pending: dict[str, deque[_Pending]] = attrs.field(factory=dict, init=False)
    _subscribers: dict[Subscription, None] = attrs.field(factory=dict, init=False)
    _taps: dict[Callable[[Event], None], None] = attrs.field(factory=dict, init=False)
    _last_event_id: int | None = attrs.field(default=None, init=False)
    _closed: bool = attrs.field(default=False, init=False)

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens at the moment. A live event that nobody would hear need not be made."""
        return bool(self._subscribers or self._taps)

    def emit(self, event: Event, *changes: Change) -> Commit | None:
        """Says that something happened, now. `changes` are written in the event's transaction.

        Returns the commit, or None for a live event without changes. Never blocks.
        """
        return self.put(attrs.evolve(event, at=self._wall_clock()), *changes)

    def put(self, event: Event, *changes: Change) -> Commit | None:
        """As `emit`, for an event that has its time already."""
        if event.DURABLE:
            if self._redact.knows_any:
                event = _without_secrets(event, self._redact)
            log_event(event)
            return self._put_durable(event, changes)
        key = _key(event)
        if key in self._pending:
            self._pending[key].append(_Pending(event, settled=True))
        else:
            self._hand_out(event)
        if not changes:
            return None
        return self._store.submit(changes[0] if len(changes) == 1 else Together(changes))

    def _put_durable(self, event: Event, changes: tuple[Change, ...]) -> Commit:
        append = AppendEvent(event)
        commit = self._store.submit(Together((*changes, append)) if changes else append)
        key = _key(event)
        if commit.done and key not in self._pending:
            self._commit_is_done(event, commit)
            return commit
        entry = _Pending(None, settled=False)
        self._pending.setdefault(key, deque()).append(entry)

        def settle(done: Commit) -> None:
            entry.item = lambda: self._commit_is_done(event, done)
            entry.settled = True
            self._flush(key)

        commit.on_done(settle)
        return commit

    def _commit_is_done(self, event: Event, commit: Commit) -> None:
        if commit.error is not None:
            log.error("event %s of process %s was not stored: %s", event.type, event.process_id, commit.error)
            return
        event_id = self._last_event_id = commit.event_ids[-1]
        if self._subscribers or self._taps:
            self._hand_out(attrs.evolve(event, id=event_id))

    def in_turn(self, key: str, call: Callable[[], None]) -> None:
        """Calls when everything emitted under `key` so far has been handed out; at once if it has."""
        if key in self._pending:
            self._pending[key].append(_Pending(call, settled=True))
        else:
            call()

    def _flush(self, key: str) -> None:
        queue = self._pending.get(key)
        while queue and queue[0].settled:
            item = queue.popleft().item
            if isinstance(item, Event):
                self._hand_out(item)
            elif item is not None:
                item()
        if queue is not None and not queue:
            self._pending.pop(key, None)

    def _hand_out(self, event: Event) -> None:
        for tap in tuple(self._taps):
            tap(event)
        for subscriber in tuple(self._subscribers):
            subscriber.offer(event)
            if subscriber.ended:
                self._subscribers.pop(subscriber, None)

    @asynccontextmanager
    async def subscribe(
        self,
        types: Iterable[EventFilter] | None = None,
        *,
        match: Callable[[Event], bool] | None = None,
        buffer: int = 100,
    ) -> AsyncIterator[Subscription]:
        """What is emitted from now on, as an async iterable.

        `types` are event classes or wire names, `process.*` meaning all that start so; `match` is a further
        condition. The buffer holds `buffer` events; from half of it on, adjacent text deltas of a turn are
        merged. Iterating raises SlowSubscriber once the buffer has overflowed.
        """
        if buffer < 1:
            raise ValueError(f"buffer must be at least 1, not {buffer!r}")
        subscription = Subscription(_filter(types, match), buffer, self._last_event_id)
        if self._closed:
            subscription.end()
        self._subscribers[subscription] = None
        try:
            yield subscription
        finally:
            self._subscribers.pop(subscription, None)
            subscription.end()

    @contextmanager
    def tapped(self, tap: Callable[[Event], None]) -> Iterator[None]:
        """Calls `tap` with every event as it goes out, within the block.

        For one who keeps state by the events and has to be exact about it. `tap` must be quick and must not raise.
        """
        self._taps[tap] = None
        try:
            yield
        finally:
            del self._taps[tap]

    def close(self) -> None:
        """Ends every subscription after what it has buffered, later ones at once."""
        self._closed = True
        for subscriber in self._subscribers:
            subscriber.end()
        self._subscribers.clear()


def _without_secrets(event: Event, redact: Redactor) -> Event:
    for name in _speaking(type(event)):  # type: ignore[arg-type] # it takes the hash of an instance for the class's
        said = getattr(event, name)
        if isinstance(said, str) and said and (cleaned := redact(said)) != said:
            changed: dict[str, Any] = {name: cleaned}
            event = attrs.evolve(event, **changed)
    return event


@cache
def _speaking(kind: type[Event]) -> tuple[str, ...]:
    """The fields of such events in which an error speaks."""
    return tuple(field.name for field in attrs.fields(kind) if field.name in ERROR_WORDS)


def _key(event: Event) -> str:
    return event.root_turn_id or event.process_id or ""

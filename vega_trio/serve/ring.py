"""The newest events, rendered once and shared by all who listen.

Rules.
1. One task follows the bus and puts each durable event in the ring, as the bytes of its frame.
2. A listener is a cursor: the id of the last event it was given. It takes everything later in one go.
3. The ring is bounded. A listener whose cursor has been left behind reads the store until it is back in the ring, so
   nobody holds a queue for a slow one and nobody misses an event.
4. Listeners who want the same and have the same are given the same bytes, put together once.
5. One beat for all breaks their silence, so that none of them watches a clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable

import attrs
import trio

from vega_trio._core.wire import event_to_wire
from vega_trio.app.application import App
from vega_trio.errors import SlowSubscriber
from vega_trio.events import (
    Event,
    ServerStopping,
    StepFinished,
    StepStarted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowStarted,
)
from vega_trio.serve.sse import frame, to_json

RUN_EVENTS = (WorkflowStarted, StepStarted, StepFinished, WorkflowCompleted, WorkflowFailed, WorkflowCancelled)
FEED_BUFFER = 10_000  # one burst of commits; the ring's task does nothing else, so it never falls further behind
RING_FRAMES = 4096
RING_BYTES = 8 * 1024 * 1024
MOST_SHARED = 32  # chunks of the latest burst, one for each kind of listener
HEARTBEAT_S = 15.0


@attrs.frozen
class EventFrame:
    """A durable event as it is sent, with what filters ask."""

    id: int
    type: str
    process_id: str | None
    agent: str | None
    data: bytes = attrs.field(repr=False)
    run_id: str | None = None
    session_id: str | None = None

    @property
    def body(self) -> bytes:
        """The event's JSON alone, as in the store."""
        return self.data[self.data.index(b"\ndata: ") + 7 : self.data.rindex(b"\nid: ")]


def event_frame(event: Event) -> EventFrame:
    assert event.id is not None
    data = frame(event.type, to_json(event_to_wire(event)), event.id)
    run_id = event.run_id if isinstance(event, RUN_EVENTS) else None
    return EventFrame(event.id, event.type, event.process_id, event.agent, data, run_id, event.session_id)


@attrs.define(eq=False)
class EventRing:
    """`start` is the id up to which events are no longer here; `last` the newest id. `closed`: none will follow.

    `listeners` counts who is being served from it, `beats` how often silence was to be broken. `_shared` are chunks of
    what came after `_before`, the latest burst.
    """

    max_frames: int = RING_FRAMES
    max_bytes: int = RING_BYTES
    start: int = 0
    last: int = 0
    closed: bool = False
    listeners: int = 0
    beats: int = 0
    _before: int = attrs.field(default=0, init=False)
    _shared: dict[Hashable, bytes] = attrs.field(factory=dict, init=False, repr=False)
    _frames: deque[EventFrame] = attrs.field(factory=deque, init=False, repr=False)
    _bytes: int = attrs.field(default=0, init=False)
    _news: trio.Event = attrs.field(factory=trio.Event, init=False, repr=False)

    def append(self, new: EventFrame) -> None:
        self.extend([new])

    def extend(self, burst: Iterable[EventFrame]) -> None:
        """Takes a burst in, and only then wakes the listeners: each of them writes once for all of it."""
        self._before = self.last
        self._shared.clear()
        for new in burst:
            self._append(new)
        self._wake()

    def _append(self, new: EventFrame) -> None:
        if new.id <= self.last:
            return  # it was in the store already when the ring started there
        self._frames.append(new)
        self._bytes += len(new.data)
        self.last = new.id
        while self._frames and (len(self._frames) > self.max_frames or self._bytes > self.max_bytes):
            old = self._frames.popleft()
            self._bytes -= len(old.data)
            self.start = old.id

    def restart(self, last: int) -> None:
        """Begins anew behind event `last`; what came before is the store's to give."""
        self._frames.clear()
        self._shared.clear()
        self._bytes = 0
        self.start = self.last = last
        self._wake()

    def close(self) -> None:
        self.closed = True
        self._wake()

    def after(self, cursor: int) -> list[EventFrame] | None:
        """All events later than `cursor`, oldest first; None when some of them are no longer here."""
        if cursor < self.start:
            return None
        newer = []
        for each in reversed(self._frames):
            if each.id <= cursor:
                break
            newer.append(each)
        newer.reverse()
        return newer

    def chunk(self, cursor: int, kind: Hashable, wants: Callable[[EventFrame], bool]) -> bytes:
        """The frames later than `cursor` that are wanted, as one. `cursor` is in the ring; who wants the same has the
        same `kind`."""
        if cursor != self._before or kind is None:
            return self._joined(cursor, wants)
        found = self._shared.get(kind)
        if found is None:
            found = self._joined(cursor, wants)
            if len(self._shared) < MOST_SHARED:
                self._shared[kind] = found
        return found

    def _joined(self, cursor: int, wants: Callable[[EventFrame], bool]) -> bytes:
        return b"".join(each.data for each in self.after(cursor) or () if wants(each))

    async def news(self, cursor: int, beats: int | None = None) -> None:
        """Waits until there is an event later than `cursor`, or none will follow, or there were more than `beats`."""
        while self.last <= cursor and not self.closed and beats in (None, self.beats):
            await self._news.wait()

    async def beat(self) -> None:
        """Breaks the silence now and then, until none will follow."""
        while not self.closed:
            await trio.sleep(HEARTBEAT_S)
            self.beats += 1
            self._wake()

    async def follow(self, app: App, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keeps the ring up to date until the application's bus closes, or the server says that it stops."""
        started = False
        while not self.closed:
            async with app.subscribe(match=lambda event: event.id is not None, buffer=FEED_BUFFER) as events:
                self.restart(await app.store.last_event_id())
                if not started:
                    started = True
                    task_status.started()
                try:
                    async for event in events:
                        burst = [event, *events.drain()]
                        self.extend([event_frame(each) for each in burst])
                        if any(isinstance(each, ServerStopping) for each in burst):
                            break
                except SlowSubscriber:
                    continue
            self.close()

    def _wake(self) -> None:
        news, self._news = self._news, trio.Event()
        news.set()

"""The event stream: everything that happens, from where the client left off, as long as it listens."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from types import TracebackType
from typing import Protocol, Self

import attrs
from quart import Request, Response
from quart.wrappers.response import ResponseBody

from vega_trio._core.codec import decode_json
from vega_trio.app.ownership import Hearing
from vega_trio.protocols import Store, StoredEvent
from vega_trio.serve.desk import Desk, Route, exchange_of
from vega_trio.serve.door import Identity
from vega_trio.serve.feeds import Feed, feed_of, next_of, topic_names
from vega_trio.serve.problems import Problem, Refused, bad_value
from vega_trio.serve.ring import EventFrame, EventRing
from vega_trio.serve.sse import CONNECTED, HEARTBEAT, frame, to_json
from vega_trio.serve.streams import sse_answer

STORE_BATCH = 500
LARGEST_ID = 2**62


class Wanted(Protocol):
    """What a client wants to hear, and which event is its last."""

    def wants(self, event: EventFrame | StoredEvent) -> bool: ...

    @property
    def kind(self) -> Hashable:
        """The same for all who want the same and hear no last event; None: nobody else does."""
        ...

    def ends(self, event: EventFrame | StoredEvent) -> bool: ...


@attrs.frozen
class EventFilter:
    """Which events a client wants. No types means all; a prefix stands for what it begins."""

    types: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    process_id: str | None = None
    agent: str | None = None
    hearing: Hearing | None = attrs.field(default=None, repr=False)

    def wants(self, event: EventFrame | StoredEvent) -> bool:
        return self._asked_for(event) and (self.hearing is None or may_hear(self.hearing, event))

    @property
    def kind(self) -> Hashable:
        return None if self.hearing is not None else (self.types, self.prefixes, self.process_id, self.agent)

    def _asked_for(self, event: EventFrame | StoredEvent) -> bool:
        if self.process_id not in (None, event.process_id) or self.agent not in (None, event.agent):
            return False
        if not self.types and not self.prefixes:
            return True
        return event.type in self.types or event.type.startswith(self.prefixes)

    def ends(self, event: EventFrame | StoredEvent) -> bool:
        return False


def may_hear(hearing: Hearing, event: EventFrame | StoredEvent) -> bool:
    """Whether the event is that user's."""
    if isinstance(event, EventFrame):
        return hearing.hears(event.process_id, event.session_id, event.run_id)
    data = decode_json(event.body)["data"]
    run_id = data.get("run_id") if event.type.startswith("workflow.") else None
    return hearing.hears(event.process_id, data.get("session_id"), run_id)


async def hearing_of(desk: Desk, request: Request) -> Hearing | None:
    """What limits whom the caller hears of; None: nothing."""
    return await hearing_for(desk, exchange_of(request).identity)


async def hearing_for(desk: Desk, identity: Identity) -> Hearing | None:
    return None if identity.sees_all() else await desk.app.hearing(identity.user)


def event_filter(types: str, process_id: str | None, agent: str | None, *, field: str = "types") -> EventFilter:
    """The filter of a query; `types` is a comma-separated list such as `process.*,workflow.completed`, from
    the parameter `field`.

    Raises: Refused.
    """
    names = [each.strip() for each in types.split(",") if each.strip()]
    for name in names:
        plain = name.removesuffix("*")
        if "*" in plain or (plain != name and plain and not plain.endswith(".")):
            hint = f"write {field}=process.*,workflow.completed"
            raise bad_value(field, f"{name[:60]!r} is no event type and no PREFIX.*", hint)
    exact = frozenset(name for name in names if not name.endswith("*"))
    prefixes = tuple(name[:-1] for name in names if name.endswith("*"))
    return EventFilter(exact, prefixes, process_id, agent)


@attrs.define(eq=False)
class EventFeed:
    """The events as one listener gets them. `_cursor` is the id up to which it has been served; None until it begins.
    `_render` writes an event with its id and JSON; None: as server-sent events, whose silence is broken.

    It is over at the event that its filter names, or when it has been served up to event `_until`.
    """

    _ring: EventRing
    _store: Store
    _filter: Wanted
    _cursor: int | None
    _until: int | None = None
    _render: Callable[[int, bytes], bytes] | None = None
    _beats: int | None = attrs.field(default=None, init=False)
    _ended: bool = attrs.field(default=False, init=False)

    async def begin(self) -> bytes:
        """Sets the cursor, without one behind what is there. An id that this database has not reached yet comes from
        another one."""
        if self._render is None:
            self._beats = self._ring.beats
        if self._cursor is None:
            self._cursor = self._ring.last
        asked, newest = self._cursor, max(self._ring.last, await self._store.last_event_id())
        if asked <= newest:
            return b""
        self._cursor = newest
        return self._gap(asked, newest)

    @property
    def over(self) -> bool:
        """Whether nothing will follow."""
        assert self._cursor is not None
        served = self._until is not None and self._cursor >= self._until
        return self._ended or served or (self._ring.closed and self._cursor >= self._ring.last)

    async def pending(self) -> bytes:
        """All later events, rendered, from the ring or else the next batch of the store."""
        assert self._cursor is not None
        if self._ended or (self._until is not None and self._cursor >= self._until):
            return b""
        first, ring = self._cursor, self._ring
        if first < ring.start:
            return await self._stored(first + 1)
        self._cursor = max(first, ring.last)
        if self._render is not None:
            newer = ring.after(first) or ()
            return b"".join(self._render(each.id, each.body) for each in newer if self._wants(each))
        if self._cursor > first:
            kind = self._filter.kind
            chunk = ring.chunk(first, kind, self._wants if kind is None else self._filter.wants)
            if chunk:
                return chunk
        return self._beat()

    def _beat(self) -> bytes:
        """What breaks the silence, when it is time for it."""
        if self._beats == self._ring.beats or self.over:
            return b""
        self._beats = self._ring.beats
        return HEARTBEAT

    async def news(self) -> None:
        assert self._cursor is not None
        await self._ring.news(self._cursor, self._beats)

    async def _stored(self, first: int) -> bytes:
        """The next batch from event `first` on, and a notice of those that the store no longer has."""
        rows = await self._store.events_after(first - 1, limit=STORE_BATCH)
        self._cursor = rows[-1].id if rows else self._ring.start
        oldest = rows[0].id if rows else self._ring.start + 1
        chunk = b"".join(self._rendered(each.type, each.id, each.body) for each in rows if self._wants(each))
        return self._gap(first, oldest - 1) + chunk if oldest > first else chunk

    def _rendered(self, kind: str, event_id: int, body: bytes) -> bytes:
        return frame(kind, body, event_id) if self._render is None else self._render(event_id, body)

    def _gap(self, first: int, last: int) -> bytes:
        return gap_frame(first, last) if self._render is None else self._render(last, gap_body(first, last))

    def _wants(self, event: EventFrame | StoredEvent) -> bool:
        wanted = not self._ended and self._filter.wants(event)
        self._ended = self._ended or self._filter.ends(event)
        return wanted


def gap_body(first: int, last: int) -> bytes:
    """Says that events `first` to `last` cannot be had any more."""
    return to_json({"type": "gap", "from": first, "to": last})


def gap_frame(first: int, last: int) -> bytes:
    return frame("gap", gap_body(first, last), last)


@attrs.define(eq=False)
class EventBody(ResponseBody):
    """One listener's stream: the events, and beside them the topics that it wants as well."""

    _ring: EventRing
    _feed: EventFeed
    _topics: tuple[Feed, ...] = ()
    _greeted: bool = attrs.field(default=False, init=False)

    async def __aenter__(self) -> Self:
        self._ring.listeners += 1
        return self

    async def __aexit__(self, kind: type, error: BaseException, trace: TracebackType) -> None:
        self._ring.listeners -= 1

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._greeted:
            self._greeted = True
            return CONNECTED + await self._feed.begin()
        chunk = await next_of((self._feed, *self._topics))
        if not chunk:
            raise StopAsyncIteration
        return chunk


async def listen(desk: Desk, request: Request) -> Response:
    """Everything that happens, from now or from where the client left off."""
    query = request.args
    wanted = event_filter(query.get("types", ""), query.get("process_id") or None, query.get("agent") or None)
    wanted = attrs.evolve(wanted, hearing=await hearing_of(desk, request))
    cursor = last_event_id(request)
    if desk.ring.listeners >= desk.limits.subscribers:
        text = f"{desk.limits.subscribers} clients are listening already"
        hint = "close some, or try again later"
        raise Refused(Problem(503, "too_many_subscribers", text, hint, retry_after_s=5))
    identity = exchange_of(request).identity
    topics = [await feed_of(desk, identity, topic) for topic in topic_names(query.get("topics", ""))]
    feed = EventFeed(desk.ring, desk.app.store, wanted, cursor)
    return sse_answer(EventBody(desk.ring, feed, tuple(topics)), request.method)


def last_event_id(request: Request) -> int | None:
    """Where the client left off: the header, which a browser sends by itself, before the query."""
    text = request.headers.get("Last-Event-ID") or request.args.get("last_event_id") or None
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= LARGEST_ID):
        raise bad_value("last_event_id", f"the last event id must be a number from the stream, not {text[:40]!r}")
    return int(text)


ROUTES = (
    Route("GET", "/api/events", listen, stream=True, query=("types", "process_id", "agent", "topics", "last_event_id")),
)

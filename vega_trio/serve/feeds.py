"""What can be listened to beside the events: a chat's turns and the figures, each as a feed that knows what is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
import trio

from vega_trio.serve.desk import Desk
from vega_trio.serve.door import Identity
from vega_trio.serve.problems import bad_value
from vega_trio.serve.sse import frame, to_json
from vega_trio.serve.streams import TurnBody
from vega_trio.serve.translate import Payload, Translator
from vega_trio.serve.turns import TurnLogs

STATS_S = 1.0
MOST_TOPICS = 50

Render = Callable[[Payload, str | None], bytes]
"""How a frame with this content and id is written; without an id for what is not stored."""


class Feed(Protocol):
    """A cursor in something that goes on."""

    @property
    def over(self) -> bool:
        """Whether nothing will follow."""
        ...

    async def pending(self) -> bytes:
        """All that is new, rendered; empty when nothing is."""
        ...

    async def news(self) -> None:
        """Waits until something may be new."""
        ...


async def next_of(feeds: Sequence[Feed]) -> bytes:
    """What is new in any of them, waiting for it; empty when the first is over."""
    while True:
        chunk = await feeds[0].pending() if len(feeds) == 1 else b"".join([await feed.pending() for feed in feeds])
        if chunk or feeds[0].over:
            return chunk
        await _news_of(feeds)


async def _news_of(feeds: Sequence[Feed]) -> None:
    if len(feeds) == 1:
        await feeds[0].news()
        return
    async with trio.open_nursery() as nursery:
        for feed in feeds:
            nursery.start_soon(_first, feed, nursery.cancel_scope)


async def _first(feed: Feed, others: trio.CancelScope) -> None:
    await feed.news()
    others.cancel()


def topic_frame(topic: str) -> Render:
    """Frames of a topic within the event stream: without an id, as theirs is no event's, and marked."""

    def render(payload: Payload, frame_id: str | None) -> bytes:
        mark: Payload = {"topic": topic} if frame_id is None else {"topic": topic, "frame_id": frame_id}
        return frame(payload["type"], to_json({**payload, **mark}), None)

    return render


@attrs.define(eq=False)
class ChatFeed:
    """The turns of a session, from the one under way on, in version 2 of the chat stream."""

    _turns: TurnLogs
    _session_id: str
    _render: Render
    _body: TurnBody | None = attrs.field(default=None, init=False)
    _seen: set[str] = attrs.field(init=False)
    over: bool = attrs.field(default=False, init=False)

    @_seen.default
    def _ended_before(self) -> set[str]:
        return {log.id for log in self._turns.of(self._session_id) if log.ended_at is not None}

    async def pending(self) -> bytes:
        out = []
        while self._body is not None or self._next():
            assert self._body is not None
            ended = self._body.ended
            out.append(self._body.take())
            if not ended:
                break
            self._body = None
        return b"".join(out)

    def _next(self) -> bool:
        log = next((each for each in self._turns.of(self._session_id) if each.id not in self._seen), None)
        if log is None:
            return False
        self._seen = {each.id for each in self._turns.of(self._session_id) if each.id in self._seen} | {log.id}
        translator = Translator(log.id, log.session_id, 2, 0, log.first, self._render)
        self._body = TurnBody(log, translator, live=False)
        return True

    async def news(self) -> None:
        await (self._turns.news() if self._body is None else self._body.news())


@attrs.define(eq=False)
class StatsFeed:
    """A snapshot of the figures every second."""

    _desk: Desk
    _render: Render
    _due: float = attrs.field(factory=trio.current_time, init=False)
    over: bool = attrs.field(default=False, init=False)

    async def pending(self) -> bytes:
        if trio.current_time() < self._due:
            return b""
        self._due = trio.current_time() + STATS_S
        now = await self._desk.app.stats()
        return self._render({"type": "stats", "data": self._desk.converter.unstructure(now)}, None)

    async def news(self) -> None:
        await trio.sleep_until(self._due)


def topic_names(text: str) -> list[str]:
    """The topics of a query, each once."""
    return list(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))[:MOST_TOPICS]


async def feed_of(desk: Desk, identity: Identity, topic: str, render: Callable[[str], Render] = topic_frame) -> Feed:
    """The feed of a topic, `stats` or `chat:SESSION`. Raises: Refused; UnknownSession for another user's."""
    kind, _, name = topic.partition(":")
    if topic == "stats":
        return StatsFeed(desk, render(topic))
    if kind != "chat" or not name:
        raise bad_value("topics", f"there is no topic {topic[:60]!r}", "the topics are stats and chat:SESSION")
    if not identity.sees_all():
        await desk.app.archive.get(identity.user, name)
    return ChatFeed(desk.turns, name, render(topic))

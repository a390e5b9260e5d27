"""`/api/ws`: chat, events and approvals over one connection, the same protocol as the streams in version 2.

    reads      one task takes the client's messages and starts what each asks for
    follows    a task for each chat and subscription is a cursor: it takes what is new and sends it, so nobody queues
    writes     messages go out one at a time; a client that takes none for a while is cut

    client     {op: chat | stop | subscribe | approve | ping, ref, ..}
    server     {ref, type: ack | error | pong, ..} answers, {ref, id?, event} is what happens

This is ASGI itself: the web framework would hide the close codes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import trio

from vega_trio._core.codec import decode_json
from vega_trio.errors import VegaError
from vega_trio.serve.approvals import entry
from vega_trio.serve.chat import begin_turn, question, session_of
from vega_trio.serve.convert import read
from vega_trio.serve.desk import Desk
from vega_trio.serve.door import Identity, forbidden
from vega_trio.serve.events import EventFeed, event_filter, hearing_for
from vega_trio.serve.exchange import Exchange
from vega_trio.serve.feeds import MOST_TOPICS, Feed, Render, feed_of, next_of
from vega_trio.serve.models.chat import ChatRequest
from vega_trio.serve.models.websocket import WsApproval, WsChat, WsMessage, WsStop, WsSubscription
from vega_trio.serve.problems import Problem, Refused, bad_value, problem_of
from vega_trio.serve.sse import to_json
from vega_trio.serve.streams import TurnBody
from vega_trio.serve.translate import Payload, Translator

PROTOCOL = "vega.v1"
STUCK_S = 4.0
MOST_TASKS = 100  # chats and subscriptions of one connection
SLOW, TOO_MANY, STOPPING = 4408, 4429, 1012

Send = Callable[[Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]
EVENTS = "events"


@attrs.define(eq=False)
class Client:
    """One client. `ended` once it has been closed, by either side."""

    desk: Desk
    identity: Identity
    _send: Send
    _receive: Receive
    _nursery: trio.Nursery
    _following: int = attrs.field(default=0, init=False)
    ended: bool = attrs.field(default=False, init=False)

    async def serve(self) -> None:
        """Takes messages until the client leaves."""
        while not self.ended:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self.ended = True
            elif message["type"] == "websocket.receive":
                await self._take(message)

    async def close(self, code: int) -> None:
        if not self.ended:
            self.ended = True
            with trio.move_on_after(STUCK_S):
                await self._send({"type": "websocket.close", "code": code})

    async def say(self, value: Payload) -> None:
        await self._write(to_json(value))

    async def _write(self, data: bytes) -> None:
        """Sends one message, when those before it are out."""
        if self.ended:
            return
        with trio.move_on_after(STUCK_S) as patience:
            await self._send({"type": "websocket.send", "text": data.decode()})
        if patience.cancelled_caught:
            await self.close(SLOW)
            self._nursery.cancel_scope.cancel()

    # -- messages

    async def _take(self, message: dict[str, Any]) -> None:
        ref: Any = None
        try:
            value = _object(message, self.desk.limits.body)
            ref = value.get("ref")
            if not isinstance(ref, str | int | None):
                raise bad_value("ref", "'ref' must be a text or a number")
            await self._do(value, ref)
        except Refused as refused:
            await self._refuse(ref, refused.problem)
        except VegaError as error:
            await self._refuse(ref, problem_of(error))

    async def _refuse(self, ref: Any, problem: Problem) -> None:
        body = problem.body("")
        del body["request_id"]
        await self.say({**_ref(ref), "type": "error", **body})

    async def _do(self, value: dict[str, Any], ref: Any) -> None:
        head = read(self.desk.converter, {key: value[key] for key in ("op", "ref") if key in value}, WsMessage)
        rest = {key: each for key, each in value.items() if key not in ("op", "ref")}
        match head.op:
            case "ping":
                await self.say({**_ref(ref), "type": "pong"})
            case "chat":
                await self._chat(read(self.desk.converter, rest, WsChat), ref)
            case "stop":
                await self._stop(read(self.desk.converter, rest, WsStop), ref)
            case "subscribe":
                await self._subscribe(read(self.desk.converter, rest, WsSubscription), ref)
            case "approve":
                await self._approve(read(self.desk.converter, rest, WsApproval), ref)
            case other:
                raise bad_value("op", f"there is no op {other[:40]!r}", "ops: chat, stop, subscribe, approve, ping")

    async def _chat(self, body: WsChat, ref: Any) -> None:
        self._check_may_change()
        self._check_room()
        asked = ChatRequest(body.message, body.session, body.attachments)
        session, message = question(self.desk, self.identity, body.agent, asked)
        log = await begin_turn(self.desk, session, message)
        await self.say({**_ref(ref), "type": "ack", "turn_id": log.id, "session_id": log.session_id})
        turn = TurnBody(log, Translator(log.id, log.session_id, 2, 0, log.first, _render(ref)), live=True)
        self._nursery.start_soon(self._follow_turn, turn)

    async def _stop(self, body: WsStop, ref: Any) -> None:
        self._check_may_change()
        if (body.agent is None) == (body.session is None):
            raise bad_value("session", "name the session or the agent whose turn is to stop")
        if body.session is not None:
            session = (await self.desk.app.archive.get(self.identity.user, body.session)).session
        else:
            session = session_of(self.desk.app, self.identity, body.agent or "", None)
        turn_id = await self.desk.app.stop_turn(session)
        done: Payload = {"status": "idle"} if turn_id is None else {"status": "stopping", "turn_id": turn_id}
        await self.say({**_ref(ref), "type": "ack", **done})

    async def _approve(self, body: WsApproval, ref: Any) -> None:
        self._check_may_change()
        if body.decision not in ("approve", "deny"):
            raise bad_value("decision", f"'decision' must be approve or deny, not {body.decision[:40]!r}")
        whose = None if self.identity.sees_all() else self.identity.user
        decided = await self.desk.app.decide(
            body.approval_id, body.decision, arguments=body.arguments, note=body.note, user=whose
        )
        shown = self.desk.converter.unstructure(entry(decided))
        await self.say({**_ref(ref), "type": "ack", "approval": shown})

    async def _subscribe(self, body: WsSubscription, ref: Any) -> None:
        self._check_room()
        if not 1 <= len(body.topics) <= MOST_TOPICS:
            raise bad_value("topics", f"give 1 to {MOST_TOPICS} topics: events, stats, chat:SESSION")
        feeds: list[Feed] = []
        first = b""
        for topic in dict.fromkeys(body.topics):
            if topic == EVENTS:
                wanted = event_filter(body.types, body.process_id, body.agent)
                wanted = attrs.evolve(wanted, hearing=await hearing_for(self.desk, self.identity))
                events = EventFeed(self.desk.ring, self.desk.app.store, wanted, body.last_event_id, None, _events(ref))
                first += await events.begin()
                feeds.append(events)
            else:
                feeds.append(await feed_of(self.desk, self.identity, topic, lambda _: _render(ref)))
        await self.say({**_ref(ref), "type": "ack", "topics": list(dict.fromkeys(body.topics))})
        await self._write_all(first)
        for feed in feeds:
            self._nursery.start_soon(self._follow, feed)

    def _check_may_change(self) -> None:
        if self.identity.role == "viewer":
            raise Refused(forbidden(read_only=self.desk.door.read_only))

    def _check_room(self) -> None:
        if self._following >= MOST_TASKS:
            text = f"this connection follows {MOST_TASKS} chats and topics already"
            raise Refused(Problem(429, "too_many", text, "open another connection", retry_after_s=1))

    # -- what is followed

    async def _follow_turn(self, turn: TurnBody) -> None:
        with _Counted(self):
            async for chunk in turn:
                await self._write_all(chunk)

    async def _follow(self, feed: Feed) -> None:
        with _Counted(self):
            while chunk := await next_of((feed,)):
                await self._write_all(chunk)

    async def _write_all(self, chunk: bytes) -> None:
        for line in chunk.split(b"\n"):  # rendered by `_render`, so that JSON has none within
            if line:
                await self._write(line)

    def begin(self) -> None:
        self._following += 1

    def end(self) -> None:
        self._following -= 1


@attrs.frozen
class _Counted:
    _client: Client

    def __enter__(self) -> None:
        self._client.begin()

    def __exit__(self, *_: object) -> None:
        self._client.end()


@attrs.define(eq=False)
class Websockets:
    """All connections. `limit` may be open at once."""

    desk: Desk
    limit: int
    _open: set[Client] = attrs.field(factory=set, init=False, repr=False)

    async def __call__(self, exchange: Exchange, receive: Receive, send: Send, protocols: list[str]) -> None:
        """Serves one connection, whose client has been let in."""
        await receive()  # websocket.connect
        chosen = PROTOCOL if PROTOCOL in protocols else None
        await send({"type": "websocket.accept", "subprotocol": chosen})
        if len(self._open) >= self.limit:
            await send({"type": "websocket.close", "code": TOO_MANY})
            return
        async with trio.open_nursery() as nursery:
            client = Client(self.desk, exchange.identity, send, receive, nursery)
            self._open.add(client)
            nursery.start_soon(self._watch, client)
            try:
                await client.serve()
            finally:
                self._open.discard(client)
                nursery.cancel_scope.cancel()

    async def _watch(self, client: Client) -> None:
        """Tells the client when the server stops, once the turns have had their time."""
        await self.desk.drained.wait()
        await client.close(STOPPING)


def _object(message: dict[str, Any], most: int) -> dict[str, Any]:
    text = message.get("text")
    if not isinstance(text, str):
        raise Refused(Problem(415, "not_text", "the message is binary", 'send text: {"op": "ping"}'))
    if len(text.encode("utf-8", "replace")) > most:
        raise Refused(Problem(413, "too_large", f"the message has more than {most} bytes", "send less"))
    try:
        value = decode_json(text.encode("utf-8", "replace"))
    except ValueError as error:
        raise Refused(Problem(400, "bad_json", f"the message is {error}", 'send {"op": "ping"}')) from error
    if not isinstance(value, dict):
        raise Refused(Problem(400, "bad_body", "the message is no object", 'send {"op": "ping"}'))
    return value


def _ref(ref: Any) -> Payload:
    return {} if ref is None else {"ref": ref}


def _render(ref: Any) -> Render:
    """Frames as messages, a line each."""

    def render(payload: Payload, frame_id: str | None) -> bytes:
        mark: Payload = {} if frame_id is None else {"id": frame_id}
        return to_json({**_ref(ref), **mark, "event": payload}) + b"\n"

    return render


def _events(ref: Any) -> Callable[[int, bytes], bytes]:
    """Stored events as messages, whose JSON is there already."""
    head = to_json(_ref(ref))[1:-1]
    begin = b"{" + head + (b"," if head else b"") + b'"id":'
    return lambda event_id, body: begin + str(event_id).encode() + b',"event":' + body + b"}\n"

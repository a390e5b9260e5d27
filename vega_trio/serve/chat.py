"""Chat: ask and wait, ask and watch, what was said, stop, forget.

A turn belongs to its process. A client that leaves takes nothing with it; `POST ../chat/stop` is what stops a turn.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import trio
from quart import Request, Response

from vega_trio._core.wire import rfc3339
from vega_trio.app.application import App
from vega_trio.app.attachments import Attachment
from vega_trio.app.chat import ChatMessage, ChatStream, ToolUse
from vega_trio.errors import UnknownAgent
from vega_trio.events import TurnFailure, TurnFinished, TurnStopped
from vega_trio.messages import Message
from vega_trio.serve.attachments import fetch, with_files
from vega_trio.serve.desk import Desk, Route, body_of, exchange_of, json_answer
from vega_trio.serve.door import Identity
from vega_trio.serve.models.chat import (
    AttachmentEntry,
    ChatAnswer,
    ChatEntry,
    ChatRequest,
    ChatState,
    NoTurn,
    ToolCallEntry,
    TurnMetrics,
)
from vega_trio.serve.models.common import Status
from vega_trio.serve.problems import Problem, Refused, bad_value, cancelled, stopping, turn_problem
from vega_trio.serve.streams import TurnBody, sse_answer
from vega_trio.serve.translate import Translator, Version
from vega_trio.serve.turns import TurnLog
from vega_trio.session import Session

ANSWER_TIMEOUT_S = 300.0
USER_LENGTH = 128


async def send(desk: Desk, request: Request, name: str) -> Response:
    """Asks, and answers when the turn has ended. The turn goes on if that takes too long."""
    session, message = await _question(desk, request, name)
    exchange_of(request).waits_for_turn = True
    turn_id = ""
    with trio.move_on_after(ANSWER_TIMEOUT_S):
        async with desk.app.chat(session, message, turn_id=exchange_of(request).turn_id) as events:
            turn_id = events.turn_id
            return json_answer(desk, await _end_of(events))
    raise Refused(_too_slow(turn_id))


async def stream(desk: Desk, request: Request, name: str) -> Response:
    """Asks, and shows the turn as it happens."""
    version = _version(request)
    session, message = await _question(desk, request, name)
    exchange_of(request).waits_for_turn = True
    log = await begin_turn(desk, session, message, exchange_of(request).turn_id)
    return sse_answer(TurnBody(log, Translator(log.id, log.session_id, version), live=True), request.method)


async def join(desk: Desk, request: Request, name: str) -> Response:
    """Shows the turn under way, or the last one for a while, from its start or from where the client left off."""
    version = _version(request)
    session = await desk.app.resolve(_asked(desk, request, name))
    assert session.id is not None
    turn_id, after = _last_frame(request)
    log = desk.turns.find(session.id, turn_id)
    if log is None:
        return json_answer(desk, NoTurn(streaming=False))
    exchange_of(request).waits_for_turn = True
    seen = after if log.id == turn_id else 0
    translator = Translator(log.id, session.id, version, seen, log.first)
    return sse_answer(TurnBody(log, translator, live=False), request.method)


async def begin_turn(desk: Desk, session: Session, message: str | Message, turn_id: str | None = None) -> TurnLog:
    """Sends a message; its turn can be followed in the log. Raises: as `App.chat`."""
    with desk.turns.opening(turn_id) as log:
        async with desk.app.chat(session, message, turn_id=log.id) as events:
            desk.turns.posted(log, events)
    return log


async def history(desk: Desk, request: Request, name: str) -> Response:
    """What was said, oldest first."""
    said = await desk.app.transcript(_asked(desk, request, name))
    return json_answer(desk, [_entry(each) for each in said])


async def attachment(desk: Desk, request: Request, name: str, attachment_id: str) -> Response:
    """A file that went with a message, or an image that a tool gave."""
    return await fetch(desk, _asked(desk, request, name), attachment_id)


async def clear(desk: Desk, request: Request, name: str) -> Response:
    """Stops the turn, and forgets what was said."""
    session = await desk.app.resolve(_asked(desk, request, name))
    assert session.id is not None
    await desk.app.clear(session)
    desk.turns.forget(session.id)
    return json_answer(desk, Status(status="cleared"))


async def stop(desk: Desk, request: Request, name: str) -> Response:
    """Stops the running turn; what it has said is kept."""
    turn_id = await desk.app.stop_turn(_asked(desk, request, name))
    return json_answer(desk, Status(status="idle" if turn_id is None else "stopping", turn_id=turn_id))


async def status(desk: Desk, request: Request, name: str) -> Response:
    """Whether a turn is running, and how many messages wait. `X-Session-Id` says which conversation was meant."""
    session = await desk.app.resolve(_asked(desk, request, name))
    assert session.id is not None
    now = await desk.app.chat_status(session)
    return json_answer(desk, ChatState(**attrs.asdict(now)), headers={"x-session-id": session.id})


async def _end_of(events: ChatStream) -> ChatAnswer:
    """Waits for the turn's end. Raises: Refused when it failed or was stopped, ProcessExited."""
    async for event in events:
        if event.turn_id != events.turn_id:
            continue
        match event:
            case TurnFinished():
                return _answer(event, events.turn_id)
            case TurnFailure():
                raise Refused(turn_problem(event.error_class, event.error, events.turn_id))
            case TurnStopped():
                raise Refused(cancelled(events.turn_id, event.text))
    raise Refused(stopping())  # the bus closed under the turn


async def _question(desk: Desk, request: Request, name: str) -> tuple[Session, str | Message]:
    """Who is asked, and what. Raises: Refused, UnknownAgent."""
    return question(desk, exchange_of(request).identity, name, await body_of(desk, request, ChatRequest))


def question(desk: Desk, caller: Identity, name: str, body: ChatRequest) -> tuple[Session, str | Message]:
    """Who is asked by whom, and what. Raises: Refused, UnknownAgent."""
    if body.attachments:
        check_length(desk, body.message)
    else:
        check_message(desk, body.message)
    message = with_files(body.message, body.attachments)
    session = session_of(desk.app, caller, name, body.session)
    desk.count_turn(caller.user)
    return session, message


def check_message(desk: Desk, message: str) -> None:
    """Raises: Refused for a message that says nothing, or more than it may."""
    if not message.strip():
        raise Refused(Problem(400, "bad_body", "the message is empty", 'send {"message": "..."}', field="message"))
    check_length(desk, message)


def check_length(desk: Desk, message: str) -> None:
    """Raises: Refused for more than a message may have."""
    if len(message.encode()) > desk.limits.message:
        text = f"the message has more than {desk.limits.message} bytes"
        hint = "send less, or give the agent a file to read"
        raise Refused(Problem(413, "too_large", text, hint, field="message"))


def _asked(desk: Desk, request: Request, name: str) -> Session:
    """The session that the address names. Raises: UnknownAgent, Refused."""
    return session_of(desk.app, exchange_of(request).identity, name, request.args.get("session") or None)


def session_of(app: App, caller: Identity, name: str, session_id: str | None) -> Session:
    """`AGENT`, the caller's own, or, for an owner, `AGENT:USER`. Raises: UnknownAgent, Refused."""
    try:
        return Session(app.agent(name).agent.name, caller.user, session_id)
    except UnknownAgent:
        agent, _, user = name.partition(":")
        if not user or (caller.role != "owner" and user != caller.user):
            raise
    check_user("name", user)
    return Session(app.agent(agent).agent.name, user, session_id)


def check_user(field: str, user: str) -> None:
    """Raises: Refused for what can be no user."""
    if not 0 < len(user) <= USER_LENGTH or not user.isprintable():
        raise bad_value(field, f"a user's name must have 1 to {USER_LENGTH} printable characters")


def _last_frame(request: Request) -> tuple[str | None, int]:
    """The turn and the number of the last frame that the client has. Raises: Refused."""
    text = request.headers.get("Last-Event-ID") or request.args.get("last_event_id") or None
    if text is None:
        return None, 0
    turn_id, _, number = text.rpartition(":")
    if not (turn_id and number.isascii() and number.isdigit() and len(number) <= 15):
        raise bad_value("last_event_id", f"the last event id must be TURN:N from the stream, not {text[:40]!r}")
    return turn_id, int(number)


def _version(request: Request) -> Version:
    match request.args.get("v"):
        case None | "1":
            return 1
        case "2":
            return 2
        case other:
            raise bad_value("v", f"'v' must be 1 or 2, not {other[:40]!r}")


def _answer(event: TurnFinished, turn_id: str) -> ChatAnswer:
    figures = TurnMetrics(
        input_tokens=event.input_tokens,
        output_tokens=event.output_tokens,
        cost_usd=event.cost_usd,
        duration_ms=event.duration_ms,
    )
    return ChatAnswer(response=event.text, turn_id=turn_id, metrics=figures)


def _too_slow(turn_id: str) -> Problem:
    text = f"the turn did not end within {ANSWER_TIMEOUT_S:g} s; it goes on"
    hint = "read its answer later with GET ../chat, or ask with ../chat/stream"
    return Problem(504, "timeout", text, hint, details={"turn_id": turn_id})


def _entry(said: ChatMessage) -> ChatEntry:
    return ChatEntry(
        role=said.role,
        content=said.content,
        id=said.id,
        created_at=rfc3339(said.created_at),
        tool_calls=tuple(_call(call) for call in said.tool_calls),
        attachments=_files(said.attachments),
    )


def _call(use: ToolUse) -> ToolCallEntry:
    return ToolCallEntry(**{**attrs.asdict(use, recurse=False), "images": _files(use.images)})


def _files(files: Iterable[Attachment]) -> tuple[AttachmentEntry, ...]:
    return tuple(AttachmentEntry(**attrs.asdict(each)) for each in files)


ROUTES = (
    Route("GET", "/api/agents/<name>/chat", history, answer=list[ChatEntry], query=("session",)),
    Route("POST", "/api/agents/<name>/chat", send, body=ChatRequest, answer=ChatAnswer),
    Route("DELETE", "/api/agents/<name>/chat", clear, answer=Status, query=("session",)),
    Route("POST", "/api/agents/<name>/chat/stream", stream, body=ChatRequest, stream=True, query=("v",)),
    Route(
        "GET",
        "/api/agents/<name>/chat/stream",
        join,
        answer=NoTurn,
        stream=True,
        query=("v", "session", "last_event_id"),
    ),
    Route("POST", "/api/agents/<name>/chat/stop", stop, answer=Status, query=("session",)),
    Route("GET", "/api/agents/<name>/chat/status", status, answer=ChatState, query=("session",)),
    Route("GET", "/api/agents/<name>/chat/attachments/<attachment_id>", attachment, query=("session",)),
)

"""A user's conversations: listed, begun, named, put away, read, exported, deleted."""

from __future__ import annotations

import attrs
from quart import Request, Response

from vega_trio.app.archive import SessionInfo
from vega_trio.app.attachments import files_of, message_with
from vega_trio.app.sessions import TITLE_LENGTH
from vega_trio.app.transcripts import markdown, message_fields
from vega_trio.changes import MessageRow
from vega_trio.errors import UnknownSession
from vega_trio.messages import Message
from vega_trio.serve.chat import begin_turn, check_message
from vega_trio.serve.desk import Desk, Route, body_of, exchange_of, json_answer, plain_answer, user_of
from vega_trio.serve.models.common import Status
from vega_trio.serve.models.sessions import (
    NewSession,
    Regeneration,
    SessionBranch,
    SessionChange,
    SessionEdit,
    SessionEntry,
    SessionMessage,
    TurnBegun,
)
from vega_trio.serve.paging import cursor_of, cut, nothing_at, page_length, paged
from vega_trio.serve.problems import Problem, Refused, bad_value
from vega_trio.session import Session


async def every(desk: Desk, request: Request) -> Response:
    """The caller's, the one last spoken in first."""
    agent, query = request.args.get("agent") or None, request.args.get("q", "")
    limit, before = page_length(request), cursor_of(request)
    try:
        found = await desk.app.archive.page(user_of(request), limit + 1, before=before, agent=agent, query=query)
    except UnknownSession as error:
        raise nothing_at(before or "") from error
    page, headers = cut(request, found, limit, lambda each: each.id)
    counts = await desk.app.store.message_counts([each.id for each in page])
    entries = [SessionEntry(message_count=counts.get(each.id, 0), **attrs.asdict(each)) for each in page]
    return json_answer(desk, entries, headers=headers)


async def begin(desk: Desk, request: Request) -> Response:
    """Begins a conversation, which messages without a session belong to from now on."""
    body = await body_of(desk, request, NewSession)
    user = user_of(request)
    session = await desk.app.new_session(body.agent, user, _title(body.title))
    assert session.id is not None
    return json_answer(desk, await _entry(desk, await desk.app.archive.get(user, session.id)), 201)


async def one(desk: Desk, request: Request, session_id: str) -> Response:
    """A conversation of the caller's."""
    return json_answer(desk, await _entry(desk, await desk.app.archive.get(user_of(request), session_id)))


async def change(desk: Desk, request: Request, session_id: str) -> Response:
    """Gives a title, puts away or takes back."""
    body = await body_of(desk, request, SessionChange)
    if body == SessionChange():
        hint = 'send {"title": "..."}, {"archived": true} or both'
        raise Refused(Problem(400, "bad_body", "the body changes nothing", hint))
    title = None if body.title is None else _title(body.title)
    info = await desk.app.archive.change(user_of(request), session_id, title=title, archived=body.archived)
    return json_answer(desk, await _entry(desk, info))


async def delete(desk: Desk, request: Request, session_id: str) -> Response:
    """Stops what goes on in the conversation and forgets it."""
    await desk.app.delete_session(user_of(request), session_id)
    desk.turns.forget(session_id)
    return json_answer(desk, Status(status="deleted"))


async def messages(desk: Desk, request: Request, session_id: str) -> Response:
    """What was said, part by part, oldest first."""
    await desk.app.archive.get(user_of(request), session_id)
    rows = await desk.app.archive.messages(session_id)
    page, headers = paged(request, rows, lambda row: str(row.seq))
    return json_answer(desk, [_message(row) for row in page], headers=headers)


async def export(desk: Desk, request: Request, session_id: str) -> Response:
    """The conversation as a file: Markdown to read, or JSON with all its parts."""
    info = await desk.app.archive.get(user_of(request), session_id)
    rows = await desk.app.archive.messages(session_id)
    match request.args.get("format", "md"):
        case "md":
            answer = Response(markdown(info, rows), 200, content_type="text/markdown; charset=utf-8")
        case "json":
            entry = desk.converter.unstructure(await _entry(desk, info))
            answer = plain_answer(entry | {"messages": desk.converter.unstructure([_message(row) for row in rows])})
        case other:
            raise bad_value("format", f"'format' must be md or json, not {other[:40]!r}")
    suffix = "json" if answer.mimetype == "application/json" else "md"
    answer.headers["content-disposition"] = f'attachment; filename="session-{info.id}.{suffix}"'
    return answer


async def regenerate(desk: Desk, request: Request, session_id: str) -> Response:
    """Forgets an answer, by default the last, with all that came after it, and asks the same again."""
    body = await body_of(desk, request, Regeneration)
    user = user_of(request)
    desk.count_turn(user)
    session, asked = await desk.app.rewind(user, session_id, body.message_id)
    return await _ask_again(desk, request, session, asked)


async def edit(desk: Desk, request: Request, session_id: str) -> Response:
    """Asks something else in place of a message, by default the last; all that came after it is forgotten.

    The files that went with the message go with what takes its place.
    """
    body = await body_of(desk, request, SessionEdit)
    check_message(desk, body.message)
    user = user_of(request)
    desk.count_turn(user)
    session, asked = await desk.app.rewind(user, session_id, body.message_id)
    return await _ask_again(desk, request, session, message_with(body.message, files_of(asked)))


async def _ask_again(desk: Desk, request: Request, session: Session, message: Message) -> Response:
    assert session.id is not None
    desk.turns.forget(session.id)
    log = await begin_turn(desk, session, message, exchange_of(request).turn_id)
    shown = TurnBegun(status="running", session_id=session.id, agent=session.agent, turn_id=log.id)
    return json_answer(desk, shown, 202)


async def branch(desk: Desk, request: Request, session_id: str) -> Response:
    """Begins a conversation that goes on from where this one was after one of its turns."""
    body = await body_of(desk, request, SessionBranch)
    user = user_of(request)
    made = await desk.app.branch(user, session_id, body.message_id, _title(body.title))
    assert made.id is not None
    return json_answer(desk, await _entry(desk, await desk.app.archive.get(user, made.id)), 201)


def _title(text: str) -> str:
    title = " ".join(text.split())
    if len(title) > TITLE_LENGTH:
        raise bad_value("title", f"the title has {len(title)} characters, and {TITLE_LENGTH} are allowed")
    return title


async def _entry(desk: Desk, info: SessionInfo) -> SessionEntry:
    counts = await desk.app.store.message_counts([info.id])
    return SessionEntry(message_count=counts.get(info.id, 0), **attrs.asdict(info))


def _message(row: MessageRow) -> SessionMessage:
    return SessionMessage(**message_fields(row))


ROUTES = (
    Route("GET", "/api/sessions", every, answer=list[SessionEntry], query=("agent", "q", "limit", "cursor")),
    Route("POST", "/api/sessions", begin, body=NewSession, answer=SessionEntry, status=201),
    Route("GET", "/api/sessions/<session_id>", one, answer=SessionEntry),
    Route("PATCH", "/api/sessions/<session_id>", change, body=SessionChange, answer=SessionEntry),
    Route("DELETE", "/api/sessions/<session_id>", delete, answer=Status),
    Route("POST", "/api/sessions/<session_id>/regenerate", regenerate, body=Regeneration, answer=TurnBegun, status=202),
    Route("POST", "/api/sessions/<session_id>/edit", edit, body=SessionEdit, answer=TurnBegun, status=202),
    Route("POST", "/api/sessions/<session_id>/branch", branch, body=SessionBranch, answer=SessionEntry, status=201),
    Route(
        "GET",
        "/api/sessions/<session_id>/messages",
        messages,
        answer=list[SessionMessage],
        query=("limit", "cursor"),
    ),
    Route("GET", "/api/sessions/<session_id>/export", export, query=("format",)),
)

"""AG-UI (https://docs.ag-ui.com): a turn for clients of that protocol, such as CopilotKit, beside our own chat stream.

A run is a turn: it is asked through the same door, belongs to its process, and goes on when the client leaves. A thread
is a session. What was said before is known here, so of the client's messages only the last is read (docs/adr/0015).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quart import Request, Response

from vega_trio.serve.agui_events import AguiTranslator, Run
from vega_trio.serve.chat import begin_turn, question
from vega_trio.serve.desk import Desk, Route, body_of, exchange_of
from vega_trio.serve.models.agui import RunAgentInput
from vega_trio.serve.models.chat import ChatRequest, GivenFile
from vega_trio.serve.problems import bad_value
from vega_trio.serve.streams import TurnBody, sse_answer
from vega_trio.serve.translate import Translator

ID_LENGTH = 256
UNUSED = ("state", "tools", "context", "forwardedProps")
HINT = 'end `messages` with {"id": "..", "role": "user", "content": "..."}'


async def run(desk: Desk, request: Request, name: str) -> Response:
    """Asks as AG-UI's clients do, and shows the turn as that protocol's events"""
    body = await body_of(desk, request, RunAgentInput)
    asked = _run(body)
    exchange = exchange_of(request)
    session, message = question(desk, exchange.identity, name, _new_words(body.messages))
    session = await desk.app.thread(session, asked.thread_id)
    exchange.waits_for_turn = True
    log = await begin_turn(desk, session, message, exchange.turn_id)
    translator = AguiTranslator(asked, Translator(log.id, log.session_id, 2))
    return sse_answer(TurnBody(log, translator, live=True), request.method)


def _run(body: RunAgentInput) -> Run:
    """Raises: Refused."""
    for field in ("threadId", "runId", "parentRunId"):
        value = getattr(body, field)
        if value is not None and not (0 < len(value) <= ID_LENGTH and value.isprintable()):
            raise bad_value(field, f"{field!r} must have 1 to {ID_LENGTH} printable characters")
    if body.resume:
        hint = "answer a call that waits with POST /api/approvals/ID; the run goes on in its own stream"
        raise bad_value("resume", "no run here ends with an interrupt that could be resumed", hint)
    return Run(
        thread_id=body.threadId,
        run_id=body.runId,
        parent_run_id=body.parentRunId,
        messages=body.messages,
        unused=tuple(field for field in UNUSED if getattr(body, field)),
    )


def _new_words(messages: Sequence[Mapping[str, Any]]) -> ChatRequest:
    """What the user says now. Raises: Refused."""
    if not messages or messages[-1].get("role") != "user":
        raise bad_value("messages", "the last of 'messages' must be the user's", HINT)
    place = f"messages[{len(messages) - 1}].content"
    match messages[-1].get("content"):
        case str() as text:
            return ChatRequest(text)
        case list() as parts:
            read = [_part(f"{place}[{number}]", part) for number, part in enumerate(parts)]
            words = "\n".join(part for part in read if isinstance(part, str))
            return ChatRequest(words, None, tuple(part for part in read if isinstance(part, GivenFile)))
        case _:
            raise bad_value(place, f"{place!r} must be text or a list of parts", HINT)


def _part(place: str, part: object) -> str | GivenFile:
    """Text, or a file that is in the message: nothing is fetched for a client. Raises: Refused."""
    match part:
        case {"type": "text", "text": str(text)}:
            return text
        case {
            "type": "image" | "document",
            "source": {"type": "data", "value": str(data), "mimeType": str(media_type)},
        }:
            return GivenFile(data, media_type)
        case {"type": "binary", "data": str(data), "mimeType": str(media_type)}:  # before protocol 1.0
            return GivenFile(data, media_type)
        case _:
            hint = 'send {"type": "image", "source": {"type": "data", "value": BASE64, "mimeType": "image/png"}}'
            raise bad_value(place, f"{place!r} must be text, or an image or a document with its data", hint)


ROUTES = (Route("POST", "/api/agents/<name>/ag-ui", run, body=RunAgentInput, stream=True),)

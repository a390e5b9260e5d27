"""The document at work: shown to owners, and replaced while chats go on."""

from __future__ import annotations

from quart import Request, Response

from vega_trio.errors import ConfigError
from vega_trio.serve.desk import Desk, Route, body_of, json_answer, operators_only, owners_only
from vega_trio.serve.models.config import DocumentEntry, DocumentTaken, NewDocument
from vega_trio.serve.problems import Problem, Refused


async def show(desk: Desk, request: Request) -> Response:
    """The document's text, with the warnings about it."""
    _ours(request, "see the document")
    config = desk.app.config
    shown = DocumentEntry(
        file=config.document.file,
        name=config.document.name,
        document=await config.text(),
        editable=config.path is not None,
        diagnostics=tuple(each.shown() for each in config.warnings),
    )
    return json_answer(desk, shown)


async def upload(desk: Desk, request: Request) -> Response:
    """Replaces the document: its file is written, its agents, workflows and tools are taken up, chats go on."""
    _ours(request, "replace the document")
    body = await body_of(desk, request, NewDocument)
    try:
        taken = await desk.app.config.replace(body.document)
    except ConfigError as error:
        raise Refused(Problem(422, "document", str(error), "correct the document; nothing was changed")) from error
    shown = DocumentTaken(
        status="reloaded",
        file=taken.document.file,
        created=taken.created,
        updated=taken.updated,
        deleted=taken.deleted,
        workflows=tuple(taken.document.workflows),
        restart=taken.restart,
        diagnostics=tuple(each.shown() for each in taken.warnings),
    )
    return json_answer(desk, shown)


def _ours(request: Request, what: str) -> None:
    """A document may hold secrets, and can have programs run."""
    operators_only(request, what)
    owners_only(request, what)


ROUTES = (
    Route("GET", "/api/config", show, answer=DocumentEntry),
    Route("POST", "/api/config/upload", upload, body=NewDocument, answer=DocumentTaken),
)

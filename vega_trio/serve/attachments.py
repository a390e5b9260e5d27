"""Files of a conversation: taken with a message, and handed out again."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from urllib.parse import quote

from quart import Response

from vega_trio.app.attachments import MOST, attached, find, message_with
from vega_trio.errors import InputError
from vega_trio.messages import DocumentPart, ImagePart, Message
from vega_trio.serve.desk import Desk
from vega_trio.serve.models.chat import GivenFile
from vega_trio.serve.problems import Problem, Refused, bad_value
from vega_trio.session import Session

HINT = 'send {"message": "...", "attachments": [{"name": "a.png", "media_type": "image/png", "data": BASE64}]}'


def with_files(message: str, files: Sequence[GivenFile]) -> str | Message:
    """What is sent to the agent. Raises: Refused for a file that cannot be."""
    if not files:
        return message
    if len(files) > MOST:
        raise bad_value("attachments", f"{len(files)} files were attached, and {MOST} are allowed")
    return message_with(message, [_part(number, file) for number, file in enumerate(files)])


def _part(number: int, file: GivenFile) -> ImagePart | DocumentPart:
    place = f"attachments[{number}]"
    try:
        data = b64decode(file.data.encode("ascii"), validate=True)
    except ValueError as error:
        raise bad_value(f"{place}.data", f"{place}.data is no base64: {error}", HINT) from error
    try:
        return attached(file.media_type, data, file.name)
    except InputError as error:
        raise bad_value(f"{place}.{error.field}", str(error), HINT) from error


async def fetch(desk: Desk, session: Session, attachment_id: str) -> Response:
    """The file as it is: an image to be shown, anything else to be saved. Raises: Refused."""
    session = await desk.app.resolve(session)
    assert session.id is not None
    part = find(await desk.app.archive.messages(session.id), attachment_id)
    if part is None:
        text = f"there is no file {attachment_id[:60]!r} in this conversation"
        raise Refused(Problem(404, "not_found", text, "GET ../chat lists what was attached"))
    headers = {"cross-origin-resource-policy": "same-origin", "cache-control": "private, max-age=86400, immutable"}
    if isinstance(part, DocumentPart):
        name = quote(part.title or "document", safe="")
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{name}"
    return Response(part.data, 200, headers, content_type=_kind(part))


def _kind(part: ImagePart | DocumentPart) -> str:
    return "text/plain; charset=utf-8" if part.media_type == "text/plain" else part.media_type

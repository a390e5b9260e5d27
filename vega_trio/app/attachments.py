"""Files that go with a message: checked at the door, sent to the model as parts, found again by what they hold.

An image is named by its type alone, a document by its name. A file that a provider would refuse is refused here: it
would stay in the conversation, and each later turn would fail of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from vega_trio.changes import MessageRow
from vega_trio.errors import InputError
from vega_trio.messages import DocumentPart, ImagePart, Message, TextPart, content_id
from vega_trio.tools.output import IMAGE_TYPES, MAX_IMAGE

MOST: Final = 10
LONGEST_NAME: Final = 200
PDF: Final = "application/pdf"
TEXT: Final = "text/plain"
_BEGINNINGS: Final[Mapping[str, tuple[bytes, ...]]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),  # and `WEBP` behind its length
    PDF: (b"%PDF-",),
}


@attrs.frozen(kw_only=True)
class Attachment:
    """A file of a message, or an image that a tool gave. `id` is made of its content; `size` in bytes."""

    id: str
    media_type: str
    size: int
    name: str = ""


def message_with(text: str, files: Sequence[ImagePart | DocumentPart]) -> Message:
    """Files first, as models read them best, and then what is said of them."""
    return Message("user", (*files, *((TextPart(text),) if text else ())))


def attached(media_type: str, data: bytes, name: str = "") -> ImagePart | DocumentPart:
    """The part of a message that a file is: an image, a PDF, or text in UTF-8 whatever its type is called.

    Raises: InputError.
    """
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise _unfit("name", f"the name must have at most {LONGEST_NAME} printable characters")
    if not data:
        raise _unfit("data", f"the file {name!r} is empty")
    kind = media_type.partition(";")[0].strip().lower()
    if kind in _BEGINNINGS:
        if not data.startswith(_BEGINNINGS[kind]) or (kind == "image/webp" and data[8:12] != b"WEBP"):
            raise _unfit("data", f"the file {name!r} does not begin as {kind} does")
        return _image(kind, data) if kind in IMAGE_TYPES else DocumentPart(data, PDF, name)
    return DocumentPart(data, TEXT, name) if is_text(data) else _refuse(kind)


def _image(kind: str, data: bytes) -> ImagePart:
    if len(data) > MAX_IMAGE:
        raise _unfit("data", f"the image has {len(data):,} bytes, and {MAX_IMAGE:,} are allowed; make it smaller")
    return ImagePart(kind, data)


def is_text(data: bytes) -> bool:
    """Whether it is UTF-8 without zeros, which no text has."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data


def _refuse(kind: str) -> DocumentPart:
    known = ", ".join(sorted(_BEGINNINGS))
    raise _unfit("media_type", f"a file of type {kind[:60]!r} cannot be attached: only text in UTF-8, {known}")


def _unfit(field: str, text: str) -> InputError:
    return InputError(text, "bad_value", field)


def files_of(message: Message) -> tuple[ImagePart | DocumentPart, ...]:
    """What goes with a message."""
    return tuple(part for part in message.content if isinstance(part, ImagePart | DocumentPart))


def listed(parts: Iterable[ImagePart | DocumentPart]) -> tuple[Attachment, ...]:
    """The files as they are shown, without what they hold."""
    return tuple(_listed(part) for part in parts)


def _listed(part: ImagePart | DocumentPart) -> Attachment:
    name = part.title if isinstance(part, DocumentPart) else ""
    return Attachment(id=content_id(part.data), media_type=part.media_type, size=len(part.data), name=name)


def find(rows: Iterable[MessageRow], wanted: str) -> ImagePart | DocumentPart | None:
    """The file of a conversation, or the image that a tool gave in it, with that id."""
    for row in rows:
        for part in (*files_of(row.message), *(image for each in row.message.tool_results for image in each.images)):
            if content_id(part.data) == wanted:
                return part
    return None

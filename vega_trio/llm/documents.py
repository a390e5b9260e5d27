"""Files of a message for models that read words alone."""

from __future__ import annotations

import attrs

from vega_trio.messages import DocumentPart, ImagePart, Message, Part, TextPart
from vega_trio.protocols import ModelRequest


def in_words(request: ModelRequest) -> ModelRequest:
    """The request with every file in words."""
    if not any(isinstance(part, ImagePart | DocumentPart) for each in request.messages for part in each.content):
        return request
    return attrs.evolve(request, messages=tuple(_worded(message) for message in request.messages))


def _worded(message: Message) -> Message:
    return Message(message.role, tuple(_text(part) for part in message.content))


def _text(part: Part) -> Part:
    return TextPart(f"{as_words(part)}\n\n") if isinstance(part, ImagePart | DocumentPart) else part


def as_words(part: ImagePart | DocumentPart) -> str:
    """A text as it is, under its name; of anything else, what it is."""
    match part:
        case DocumentPart(data, "text/plain", title):
            return f"The file {title or 'attached'}:\n\n{data.decode('utf-8', 'replace')}"
        case DocumentPart(data, media_type, title):
            return f"(a document that cannot be read here: {title or media_type}, {len(data):,} bytes)"
        case ImagePart(media_type, data):
            return f"(an image that cannot be seen here: {media_type}, {len(data):,} bytes)"

"""What a server answered, as the text a model reads."""

from __future__ import annotations

import json
from base64 import b64decode
from contextlib import suppress
from typing import Any

from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    GetPromptResult,
    ImageContent,
    ReadResourceResult,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from vega_trio.messages import ImagePart


def call_text(result: CallToolResult) -> str:
    """The parts, one after the other; the structured content where there is no text that repeats it."""
    parts = [_part(each) for each in result.content]
    said = any(isinstance(each, TextContent) for each in result.content)
    if result.structured_content is not None and not said:
        parts.append(json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":")))
    return "\n".join(parts)


def call_images(result: CallToolResult) -> list[ImagePart]:
    """The images; one whose base64 is none is left to the text that names it."""
    found = []
    for each in result.content:
        if isinstance(each, ImageContent):
            with suppress(ValueError):
                found.append(ImagePart(each.mime_type, b64decode(each.data, validate=True)))
    return found


def resource_text(result: ReadResourceResult) -> str:
    return "\n".join(_contents(each) for each in result.contents)


def prompt_text(result: GetPromptResult) -> str:
    """The messages of a prompt, each after its role."""
    return "\n\n".join(f"{each.role}: {_part(each.content)}" for each in result.messages)


def _part(part: Any) -> str:
    match part:
        case TextContent(text=text):
            return str(text)
        case ImageContent(mime_type=kind, data=data):
            return f"[an image, {kind}, {_size(data):,} bytes]"
        case AudioContent(mime_type=kind, data=data):
            return f"[a sound, {kind}, {_size(data):,} bytes]"
        case EmbeddedResource(resource=resource):
            return _contents(resource)
        case ResourceLink(uri=uri, name=name):
            return f"[a resource: {name}, {uri}]"
        case _:
            return f"[{type(part).__name__}]"


def _contents(contents: Any) -> str:
    match contents:
        case TextResourceContents(text=text):
            return str(text)
        case BlobResourceContents(uri=uri, mime_type=kind, blob=blob):
            return f"[{uri}: {kind or 'binary data'}, {_size(blob):,} bytes]"
        case _:
            return f"[{type(contents).__name__}]"


def _size(encoded: str) -> int:
    """Bytes in base64 text."""
    return len(encoded) * 3 // 4

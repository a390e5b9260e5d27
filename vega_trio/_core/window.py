"""How large a conversation is, in tokens, without a tokenizer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from vega_trio.messages import ImagePart, Message, Part, TextPart, ToolCall, ToolResult
from vega_trio.protocols import ModelRequest, ToolSpec

BYTES_PER_TOKEN = 4
FRAME_TOKENS = 8
"""What a provider adds around a message, a call or a tool."""

IMAGE_TOKENS = 5_000
"""More than a provider takes for an image, which it scales down first."""


def about_tokens(request: ModelRequest) -> int:
    """A fair guess at the input, for pacing: four bytes a token."""
    return _bytes(request) // BYTES_PER_TOKEN + 1


def most_tokens(request: ModelRequest) -> int:
    """At least what the input can come to: every token of a byte-level vocabulary covers a byte or more."""
    return _bytes(request) + FRAME_TOKENS


def _bytes(request: ModelRequest) -> int:
    return _length(request.system) + message_bytes(request.messages) + sum(map(_tool, request.tools))


def message_bytes(messages: Iterable[Message]) -> int:
    """The size of messages, frames included."""
    return sum(FRAME_TOKENS + sum(map(_part, message.content)) for message in messages)


def _part(part: Part) -> int:
    match part:
        case TextPart(text=text):
            return _length(text)
        case ToolCall(id=call_id, name=name, arguments=arguments):
            return FRAME_TOKENS + _length(call_id) + _length(name) + _length(repr(arguments))
        case ToolResult(tool_call_id=call_id, content=content):
            return FRAME_TOKENS + _length(call_id) + _length(content)
        case ImagePart():
            return IMAGE_TOKENS
    assert_never(part)


def _tool(tool: ToolSpec) -> int:
    return FRAME_TOKENS + _length(tool.name) + _length(tool.description) + _length(repr(tool.parameters))


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))

"""How large a conversation is, in tokens, without a tokenizer."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from vega_trio.messages import FRAME_TOKENS, Message, Usage, utf8_length
from vega_trio.protocols import ModelRequest, ToolSpec

BYTES_PER_TOKEN = 4
TOOLS_TOKENS = 400
"""What a provider tells the model about tools in general, once."""


def about_tokens(request: ModelRequest) -> int:
    """A fair guess at the input, for pacing: four bytes a token."""
    return _bytes(request) // BYTES_PER_TOKEN + 1


@attrs.frozen
class Measured:
    """What a model counted for the beginning of a conversation: `tokens`, its answer to it included."""

    model: str
    request: ModelRequest
    tokens: int

    @classmethod
    def of(cls, model: str, request: ModelRequest, usage: Usage) -> Measured:
        read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        return cls(model, request, read + usage.output_tokens)

    def rest_of(self, model: str, request: ModelRequest) -> tuple[Message, ...] | None:
        """The messages that came after what was measured; None when the request does not go on from there."""
        known = len(self.request.messages)
        same = (self.model, self.request.system, self.request.tools) == (model, request.system, request.tools)
        if not same or request.messages[:known] != self.request.messages:
            return None
        rest = request.messages[known:]
        return rest[1:] if rest and rest[0].role == "assistant" else None


def most_tokens(model: str, request: ModelRequest, measured: Measured | None = None) -> int:
    """At least what the input can come to: every token of a byte-level vocabulary covers a byte or more.

    What the model has counted before is taken as it counted it.
    """
    rest = measured.rest_of(model, request) if measured is not None else None
    if measured is not None and rest is not None:
        return measured.tokens + message_bytes(rest) + FRAME_TOKENS
    return _bytes(request) + FRAME_TOKENS + (TOOLS_TOKENS if request.tools else 0)


def _bytes(request: ModelRequest) -> int:
    return utf8_length(request.system) + message_bytes(request.messages) + sum(map(_tool, request.tools))


def message_bytes(messages: Iterable[Message]) -> int:
    """The size of messages, frames included."""
    return sum([message.size for message in messages])


def _tool(tool: ToolSpec) -> int:
    return FRAME_TOKENS + utf8_length(tool.name) + utf8_length(tool.description) + utf8_length(repr(tool.parameters))

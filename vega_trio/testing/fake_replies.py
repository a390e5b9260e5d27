"""What the fake server can answer: replies, with faults where wanted, and their bytes in the Messages API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import msgspec

from vega_trio.messages import ThinkingPart, ToolCall, Usage

LETTERS_OF_JSON = 9
"""Tool arguments come in pieces of this size, so that a reader has to put them together."""


FakePart = str | ToolCall | ThinkingPart


def _as_parts(parts: FakePart | Iterable[FakePart]) -> tuple[FakePart, ...]:
    return (parts,) if isinstance(parts, FakePart) else tuple(parts)


@attrs.frozen
class FakeReply:
    """A streamed answer. Text comes word by word, or in pieces of `chunk_size`; `delay_s` seconds pass between events.

    Faults, all off by default: `fragment_bytes` sends the body in pieces of so many bytes; `cut_after_bytes` drops
    the connection there; `stall_after_bytes` sends nothing more, but stays connected; `unknown_events` mixes in
    comments, pings, and blocks and events of types to come; `bad_json` breaks one event; `error_type` ends the
    stream with an error event under status 200; `omit_stop` ends it cleanly before `message_stop`.
    """

    parts: tuple[FakePart, ...] = attrs.field(converter=_as_parts, default=("ok",))
    usage: Usage = attrs.field(factory=lambda: Usage(input_tokens=10, output_tokens=5), kw_only=True)
    stop_reason: str | None = attrs.field(default=None, kw_only=True)
    chunk_size: int | None = attrs.field(default=None, kw_only=True)
    delay_s: float = attrs.field(default=0.0, kw_only=True)
    fragment_bytes: int | None = attrs.field(default=None, kw_only=True)
    cut_after_bytes: int | None = attrs.field(default=None, kw_only=True)
    stall_after_bytes: int | None = attrs.field(default=None, kw_only=True)
    unknown_events: bool = attrs.field(default=False, kw_only=True)
    bad_json: bool = attrs.field(default=False, kw_only=True)
    error_type: str = attrs.field(default="", kw_only=True)
    omit_stop: bool = attrs.field(default=False, kw_only=True)

    @property
    def final_reason(self) -> str:
        calls = any(isinstance(part, ToolCall) for part in self.parts)
        return self.stop_reason or ("tool_use" if calls else "end_turn")


@attrs.frozen
class HttpFault:
    """An error status with the API's error body, such as `HttpFault(429, "rate_limit_error", retry_after=2)`.

    `code` is what chat completions add to the type.
    """

    status: int
    type: str = "api_error"
    message: str = "the fake server was told to fail"
    retry_after: float | str | None = attrs.field(default=None, kw_only=True)
    code: str = attrs.field(default="", kw_only=True)

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [] if self.retry_after is None else [("retry-after", str(self.retry_after))]

    @property
    def body(self) -> bytes:
        code = {"code": self.code} if self.code else {}
        return msgspec.json.encode({"type": "error", "error": {"type": self.type, "message": self.message, **code}})


@attrs.frozen
class Mute:
    """Takes the request and never answers."""


def whole_body(reply: FakeReply, model: str) -> bytes:
    """The answer to a request that does not stream."""
    content = [_whole_block(part) for part in reply.parts]
    usage = {**_input_usage(reply), "output_tokens": reply.usage.output_tokens}
    message = {**_message(model), "content": content, "stop_reason": reply.final_reason, "usage": usage}
    return msgspec.json.encode(message)


def _whole_block(part: FakePart) -> dict[str, Any]:
    match part:
        case str():
            return {"type": "text", "text": part}
        case ToolCall(call_id, name, arguments):
            return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
        case ThinkingPart(text, signature, hidden):
            if hidden:
                return {"type": "redacted_thinking", "data": hidden}
            return {"type": "thinking", "thinking": text, "signature": signature}


def event_frames(reply: FakeReply, model: str) -> Iterator[bytes]:
    """The events of the answer, each as its bytes."""
    start = {**_message(model), "content": [], "stop_reason": None}
    yield _frame("message_start", message={**start, "usage": {**_input_usage(reply), "output_tokens": 1}})
    yield _frame("ping")
    if reply.unknown_events:
        yield from _noise()
    for index, part in enumerate(reply.parts, 1 if reply.unknown_events else 0):
        yield from _block(index, part, reply.chunk_size)
    if reply.bad_json:
        yield b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del\n\n'
    if reply.error_type:
        yield _frame("error", error={"type": reply.error_type, "message": "the fake server was told to fail"})
    elif not reply.omit_stop:
        reason = {"stop_reason": reply.final_reason, "stop_sequence": None}
        yield _frame("message_delta", delta=reason, usage={"output_tokens": reply.usage.output_tokens})
        yield _frame("message_stop")


def _block(index: int, part: FakePart, chunk_size: int | None) -> Iterator[bytes]:
    block, deltas = _whole_block(part), []
    match part:
        case str():
            block = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": text} for text in pieces(part, chunk_size)]
        case ToolCall():
            block = {**block, "input": {}}
            written = pieces(msgspec.json.encode(part.arguments).decode(), LETTERS_OF_JSON)
            deltas = [{"type": "input_json_delta", "partial_json": text} for text in ("", *written)]
        case ThinkingPart(text, signature) if not part.hidden:
            block = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(text, chunk_size)]
            deltas.append({"type": "signature_delta", "signature": signature})
    yield _frame("content_block_start", index=index, content_block=block)
    for delta in deltas:
        yield _frame("content_block_delta", index=index, delta=delta)
    yield _frame("content_block_stop", index=index)


def _noise() -> Iterator[bytes]:
    yield b": a comment\n\n"
    yield b"event: sponsored\ndata: not even JSON\n\n"
    yield _frame("content_block_start", index=0, content_block={"type": "oracle", "vision": "42"})
    yield _frame("content_block_delta", index=0, delta={"type": "oracle_delta", "vision": "hm"})
    yield _frame("content_block_stop", index=0)


def pieces(text: str, size: int | None) -> list[str]:
    """The text word by word, or in pieces of `size` characters."""
    if size is None:
        return re.findall(r"\S+\s*|\s+", text)
    return [text[start : start + size] for start in range(0, len(text), size)]


def _frame(event: str, **fields: Any) -> bytes:
    return f"event: {event}\ndata: ".encode() + msgspec.json.encode({"type": event, **fields}) + b"\n\n"


def _message(model: str) -> dict[str, Any]:
    return {"id": "msg_fake", "type": "message", "role": "assistant", "model": model, "stop_sequence": None}


def _input_usage(reply: FakeReply) -> dict[str, int]:
    return {
        "input_tokens": reply.usage.input_tokens,
        "cache_read_input_tokens": reply.usage.cache_read_tokens,
        "cache_creation_input_tokens": reply.usage.cache_write_tokens,
    }

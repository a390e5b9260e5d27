"""The fake server's answers as chat completions, for clients that speak as OpenAI's do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from vega_trio.messages import ThinkingPart, ToolCall
from vega_trio.testing.fake_replies import LETTERS_OF_JSON, FakeReply, pieces

_REASONS: Mapping[str, str] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def chat_frames(reply: FakeReply, model: str, *, counted: bool) -> Iterator[bytes]:
    """The chunks of the answer, each as its bytes. `counted`: the client has asked for the usage."""
    yield _chunk(model, {"role": "assistant", "content": ""})
    if reply.unknown_events:
        yield b": a comment\n\n"
        yield _chunk(model, {"oracle": "hm", "audio": None})
    calls = 0
    for part in reply.parts:
        if isinstance(part, ToolCall):
            yield from (_chunk(model, {"tool_calls": [piece]}) for piece in _call(calls, part))
            calls += 1
        elif isinstance(part, ThinkingPart):
            yield from (_chunk(model, {"reasoning_content": text}) for text in pieces(part.text, reply.chunk_size))
        else:
            yield from (_chunk(model, {"content": text}) for text in pieces(part, reply.chunk_size))
    if reply.bad_json:
        yield b'data: {"choices": [{"del\n\n'
    if reply.error_type:
        error = {"type": reply.error_type, "message": "the fake server was told to fail", "code": None}
        yield _frame({"error": error})
    elif not reply.omit_stop:
        yield _chunk(model, {}, _REASONS.get(reply.final_reason, reply.final_reason))
        if counted:
            yield _frame({**_head(model), "choices": [], "usage": chat_usage(reply)})
        yield b"data: [DONE]\n\n"


def whole_chat(reply: FakeReply, model: str) -> bytes:
    """The answer to a request that does not stream."""
    text = "".join(part for part in reply.parts if isinstance(part, str))
    calls = [part for part in reply.parts if isinstance(part, ToolCall)]
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [_whole_call(call) for call in calls]
    reason = _REASONS.get(reply.final_reason, reply.final_reason)
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return msgspec.json.encode({**_head(model), "choices": [choice], "usage": chat_usage(reply)})


def chat_usage(reply: FakeReply) -> dict[str, Any]:
    """Its prompt tokens are all of them, those that the cache served among them."""
    usage = reply.usage
    prompt = usage.input_tokens + usage.cache_read_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output_tokens,
        "total_tokens": prompt + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens},
    }


def _call(index: int, call: ToolCall) -> Iterator[dict[str, Any]]:
    yield {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
    for text in pieces(msgspec.json.encode(call.arguments).decode(), LETTERS_OF_JSON):
        yield {"index": index, "function": {"arguments": text}}


def _whole_call(call: ToolCall) -> dict[str, Any]:
    arguments = msgspec.json.encode(call.arguments).decode()
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _chunk(model: str, delta: dict[str, Any], reason: str | None = None) -> bytes:
    return _frame({**_head(model), "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


def _head(model: str) -> dict[str, Any]:
    return {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 0, "model": model}


def _frame(value: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"

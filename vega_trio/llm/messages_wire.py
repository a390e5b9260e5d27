"""The Messages API on the wire: a request as its JSON body. Anthropic's servers and llama.cpp's both speak it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, Final

from vega_trio.agent import LEAST_THINKING
from vega_trio.messages import DocumentPart, ImagePart, Message, Part, TextPart, ThinkingPart, ToolCall, ToolResult
from vega_trio.protocols import ModelRequest, ToolSpec

_CACHED: Final = {"type": "ephemeral"}
_UNMARKED: Final = ("thinking", "redacted_thinking")


def request_body(
    request: ModelRequest, model: str, *, thinking: bool = False, result_images: bool = False
) -> dict[str, Any]:
    """The body but for `stream` and `temperature`, which the two servers take in different ways."""
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens,
        "messages": messages_body(request.messages, thinking=thinking, result_images=result_images),
    }
    if request.system.strip():
        body["system"] = request.system
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    return body


def with_thinking(body: dict[str, Any], request: ModelRequest) -> dict[str, Any]:
    """The body that lets the model think. A budget of money may have left less room for it than was asked for."""
    match request.thinking:
        case None:
            return body
        case "adaptive":
            return {**body, "thinking": {"type": "adaptive", "display": "summarized"}}
        case int(tokens):
            room = min(tokens, request.max_tokens - 1)
            return {**body, "thinking": {"type": "enabled", "budget_tokens": room}} if room >= LEAST_THINKING else body


def with_caching(body: dict[str, Any]) -> dict[str, Any]:
    """The body with two marks: behind tools and prompt, which all processes of an agent share, and at its end.

    What lies before a mark is kept by the provider for some minutes and is then read at a tenth of the price.
    """
    marked = dict(body)
    if "system" in body:
        marked["system"] = [{"type": "text", "text": body["system"], "cache_control": _CACHED}]
    elif "tools" in body:
        marked["tools"] = [*body["tools"][:-1], {**body["tools"][-1], "cache_control": _CACHED}]
    if body["messages"]:
        *earlier, last = body["messages"]
        *parts, end = last["content"]
        if end["type"] not in _UNMARKED:
            marked["messages"] = [*earlier, {**last, "content": [*parts, {**end, "cache_control": _CACHED}]}]
    return marked


def messages_body(
    messages: Iterable[Message], *, thinking: bool = False, result_images: bool = False
) -> list[dict[str, Any]]:
    """Messages that alternate: neighbours of one role are merged, and a user's tool results come first.

    Empty texts are left out, since the API refuses them, and so is a message of which nothing is left. `thinking` goes
    back to who signed it, and to nobody else. `result_images`: the model sees, so it is shown what tools gave.
    """
    merged: list[tuple[str, list[Part]]] = []
    for message in messages:
        parts = [part for part in message.content if _is_sent(part, thinking=thinking)]
        if all(isinstance(part, ThinkingPart) for part in parts):
            continue
        if merged and merged[-1][0] == message.role:
            merged[-1][1].extend(parts)
        else:
            merged.append((message.role, parts))
    return [
        {"role": role, "content": [_part(part, result_images) for part in _results_first(parts)]}
        for role, parts in merged
    ]


def _is_sent(part: Part, *, thinking: bool) -> bool:
    match part:
        case TextPart(text):
            return bool(text.strip())
        case ThinkingPart():
            return thinking and bool(part.signature or part.hidden)
        case _:
            return True


def _results_first(parts: list[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: not isinstance(part, ToolResult))


def _part(part: Part, result_images: bool) -> dict[str, Any]:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ToolCall(call_id, name, arguments):
            return {"type": "tool_use", "id": call_id, "name": name, "input": dict(arguments)}
        case ToolResult(call_id, content, is_error, images):
            told: Any = content
            if images and result_images:
                words = [{"type": "text", "text": content}] if content.strip() else []
                told = [*words, *(_part(each, result_images) for each in images)]
            result: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id, "content": told}
            return {**result, "is_error": True} if is_error else result
        case ImagePart(media_type, data):
            return {"type": "image", "source": _base64(media_type, data)}
        case DocumentPart(data, media_type, title):
            named = {"title": title} if title else {}
            return {"type": "document", "source": _document(media_type, data), **named}
        case ThinkingPart(text, signature, hidden):
            if hidden:
                return {"type": "redacted_thinking", "data": hidden}
            return {"type": "thinking", "thinking": text, "signature": signature}


def _base64(media_type: str, data: bytes) -> dict[str, Any]:
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode("ascii")}


def _document(media_type: str, data: bytes) -> dict[str, Any]:
    if media_type == "text/plain":
        return {"type": "text", "media_type": media_type, "data": data.decode("utf-8", "replace")}
    return _base64(media_type, data)


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}

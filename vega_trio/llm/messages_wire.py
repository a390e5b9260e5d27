"""The Messages API on the wire: a request as its JSON body. Anthropic's servers and llama.cpp's both speak it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from vega_trio.messages import ImagePart, Message, Part, TextPart, ToolCall, ToolResult
from vega_trio.protocols import ModelRequest, ToolSpec


def request_body(request: ModelRequest, model: str) -> dict[str, Any]:
    """The body but for `stream` and `temperature`, which the two servers take in different ways."""
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens,
        "messages": messages_body(request.messages),
    }
    if request.system.strip():
        body["system"] = request.system
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    return body


def messages_body(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Messages that alternate: neighbours of one role are merged, and a user's tool results come first.

    Empty texts are left out, since the API refuses them, and so is a message of which nothing is left.
    """
    merged: list[tuple[str, list[Part]]] = []
    for message in messages:
        parts = [part for part in message.content if not (isinstance(part, TextPart) and not part.text.strip())]
        if not parts:
            continue
        if merged and merged[-1][0] == message.role:
            merged[-1][1].extend(parts)
        else:
            merged.append((message.role, parts))
    return [{"role": role, "content": [_part(part) for part in _results_first(parts)]} for role, parts in merged]


def _results_first(parts: list[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: not isinstance(part, ToolResult))


def _part(part: Part) -> dict[str, Any]:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ToolCall(call_id, name, arguments):
            return {"type": "tool_use", "id": call_id, "name": name, "input": dict(arguments)}
        case ToolResult(call_id, content, is_error):
            result: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id, "content": content}
            return {**result, "is_error": True} if is_error else result
        case ImagePart(media_type, data):
            encoded = base64.b64encode(data).decode("ascii")
            return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": encoded}}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}

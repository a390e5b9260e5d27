"""Chat completions on the wire: a request as its JSON body, as OpenAI, Ollama, vLLM and llama.cpp take it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from vega_trio._core.codec import encode_json
from vega_trio.llm.documents import as_words
from vega_trio.messages import DocumentPart, ImagePart, Message, Part, TextPart, ToolCall, ToolResult
from vega_trio.protocols import ModelRequest, ToolSpec

Json = dict[str, Any]


def chat_body(request: ModelRequest, model: str, *, limit_key: str = "max_tokens") -> Json:
    """The body but for `temperature`. `limit_key` is what the server calls the bound of an answer."""
    body: Json = {
        "model": model,
        limit_key: request.max_tokens,
        "messages": chat_messages(request),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    elif request.output_schema is not None:  # some servers take either tools or a format
        wanted = {"name": "output", "schema": dict(request.output_schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    return body


def chat_messages(request: ModelRequest) -> list[Json]:
    """The system prompt and the conversation; results are messages of their own, behind the calls they belong to."""
    found: list[Json] = [{"role": "system", "content": request.system}] if request.system.strip() else []
    for message in request.messages:
        found.extend(_assistant(message) if message.role == "assistant" else _user(message))
    return found


def _assistant(message: Message) -> Iterator[Json]:
    said: Json = {"role": "assistant", "content": message.text or None}
    if message.tool_calls:
        said["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.text.strip() or message.tool_calls:
        yield said


def _user(message: Message) -> Iterator[Json]:
    rest: list[Part] = []
    for part in message.content:
        if isinstance(part, ToolResult):
            yield {"role": "tool", "tool_call_id": part.tool_call_id, "content": part.content}
        else:
            rest.append(part)
    content = list(_content(rest))
    if content:
        only_text = all(each["type"] == "text" for each in content)
        between = "" if all(isinstance(part, TextPart) for part in rest) else "\n\n"
        yield {"role": "user", "content": between.join(each["text"] for each in content) if only_text else content}


def _content(parts: Iterable[Part]) -> Iterator[Json]:
    for part in parts:
        match part:
            case TextPart(text) if text.strip():
                yield {"type": "text", "text": text}
            case ImagePart(media_type, data):
                yield {"type": "image_url", "image_url": {"url": _data_url(media_type, data)}}
            case DocumentPart(media_type="text/plain") as document:
                yield {"type": "text", "text": as_words(document)}
            case DocumentPart(data, media_type, title):
                file = {"filename": title or "document.pdf", "file_data": _data_url(media_type, data)}
                yield {"type": "file", "file": file}


def _data_url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def _call(call: ToolCall) -> Json:
    arguments = encode_json(call.arguments).decode("utf-8")
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _tool(tool: ToolSpec) -> Json:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}

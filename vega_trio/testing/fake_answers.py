"""Answers for the fake Messages API when it has no script: the demo model's, for whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from vega_trio.llm.demo_rules import answer
from vega_trio.llm.demo_turn import DemoCrash, read_turn
from vega_trio.messages import Message, Part, TextPart, ToolCall, ToolResult, Usage
from vega_trio.protocols import ModelRequest, ToolSpec
from vega_trio.testing.fake_replies import FakeReply
from vega_trio.testing.fake_request import FakeRequest

_PACE_S = 0.01


def answer_any_prompt(request: FakeRequest) -> FakeReply:
    """What the demo model would say. Asked to crash it drops the connection, to fail it sends an error event."""
    read = read_chat if request.path.endswith("/chat/completions") else read_request
    steps = answer(read_turn(read(request.body)))
    said = tuple(step for step in steps if isinstance(step, str | ToolCall))
    letters_in, letters_out = len(str(request.body)), sum(len(str(each)) for each in said)
    usage = Usage(input_tokens=letters_in // 4 + 1, output_tokens=letters_out // 4 + 1)
    failure = next((step for step in steps if isinstance(step, Exception)), None)
    if isinstance(failure, DemoCrash):
        return FakeReply(said, usage=usage, delay_s=_PACE_S, cut_after_bytes=900)
    return FakeReply(said, usage=usage, delay_s=_PACE_S, error_type="api_error" if failure else "")


def read_request(body: Mapping[str, Any]) -> ModelRequest:
    """A request body of the Messages API as a value; what it does not understand it leaves out."""
    tools = tuple(
        ToolSpec(name=tool["name"], description=tool.get("description", ""), parameters=tool.get("input_schema", {}))
        for tool in body.get("tools", ())
        if "name" in tool
    )
    messages = tuple(
        Message(each["role"], tuple(_parts(each.get("content", ""))))
        for each in body.get("messages", ())
        if each.get("role") in ("user", "assistant")
    )
    system = "".join(part.text for part in _texts(body.get("system", "")))
    return ModelRequest(messages=messages, system=system, tools=tools)


def read_chat(body: Mapping[str, Any]) -> ModelRequest:
    """A request body of chat completions as a value; what it does not understand it leaves out."""
    functions = [tool["function"] for tool in body.get("tools", ()) if "name" in tool.get("function", {})]
    tools = tuple(
        ToolSpec(name=each["name"], description=each.get("description", ""), parameters=each.get("parameters", {}))
        for each in functions
    )
    said = [each for each in body.get("messages", ()) if isinstance(each, dict)]
    system = "".join(str(each.get("content")) for each in said if each.get("role") == "system")
    return ModelRequest(messages=tuple(_chat_messages(said)), system=system, tools=tools)


def _chat_messages(said: list[dict[str, Any]]) -> Iterator[Message]:
    for each in said:
        match each:
            case {"role": "user"}:
                yield Message("user", tuple(_parts(each.get("content") or "")))
            case {"role": "assistant"}:
                called = (call["function"] | {"id": call["id"]} for call in each.get("tool_calls", ()))
                calls = [ToolCall(call["id"], call["name"], msgspec.json.decode(call["arguments"])) for call in called]
                yield Message("assistant", (*_parts(each.get("content") or ""), *calls))
            case {"role": "tool", "tool_call_id": str(call_id)}:
                yield Message("user", ToolResult(call_id, str(each.get("content"))))


def _parts(content: Any) -> Iterator[Part]:
    if isinstance(content, str):
        yield TextPart(content)
        return
    for block in content:
        match block:
            case {"type": "text", "text": str(text)}:
                yield TextPart(text)
            case {"type": "tool_use", "id": str(call_id), "name": str(name), "input": dict(arguments)}:
                yield ToolCall(call_id, name, arguments)
            case {"type": "tool_result", "tool_use_id": str(call_id)}:
                content = block.get("content", "")
                text = content if isinstance(content, str) else "".join(part.text for part in _texts(content))
                yield ToolResult(call_id, text, bool(block.get("is_error")))


def _texts(content: Any) -> Iterator[TextPart]:
    return (part for part in _parts(content) if isinstance(part, TextPart))

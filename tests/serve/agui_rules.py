"""What every AG-UI stream keeps: the rules that clients of the protocol hold it to, and what they make of it.

`make conform` has the protocol's own validator and client judge real streams; this is for every test between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

Shown = dict[str, Any]

PAIRS = {
    "TEXT_MESSAGE": "messageId",
    "REASONING_MESSAGE": "messageId",
    "TOOL_CALL": "toolCallId",
    "REASONING": "messageId",
    "STEP": "stepName",
}
ENDS = ("RUN_FINISHED", "RUN_ERROR")


def broken_rules(events: Iterable[Shown]) -> list[str]:
    """What is wrong with a whole stream."""
    return list(_broken(list(events)))


def _broken(events: list[Shown]) -> Iterator[str]:
    kinds = [event["type"] for event in events]
    if kinds[:1] != ["RUN_STARTED"] or kinds.count("RUN_STARTED") != 1:
        yield "a run is started once, at the beginning"
    if kinds[-1] not in ENDS or sum(kinds.count(kind) for kind in ENDS) != 1:
        yield "a run ends once, at the end"
    for name, key in PAIRS.items():
        yield from _pairs(events, name, key)
    for event in events:
        if event.get("delta") == "":
            yield f"{event['type']} says something"
        if event["type"] == "CUSTOM" and not event["name"].startswith("vega."):
            yield "a name of ours says so"
    yield from _calls(events)


def _pairs(events: list[Shown], name: str, key: str) -> Iterator[str]:
    open_: set[str] = set()
    used: set[str] = set()
    for event in events:
        match event["type"].removeprefix(f"{name}_"):
            case "START" | "STARTED":
                if event[key] in (open_ if name == "STEP" else used):
                    yield f"{name} {event[key]} begins once"
                open_.add(event[key])
                used.add(event[key])
            case "END" | "FINISHED":
                if event[key] not in open_:
                    yield f"the end of {name} {event[key]} has its beginning"
                open_.discard(event[key])
            case "CONTENT" | "ARGS" if event[key] not in open_:
                yield f"{name} {event[key]} is open while it goes on"
    if open_:
        yield f"{name} {sorted(open_)} end"


def _calls(events: list[Shown]) -> Iterator[str]:
    begun: dict[str, str] = {}
    for event in events:
        match event:
            case {"type": "TOOL_CALL_START", "toolCallId": call}:
                begun[call] = ""
            case {"type": "TOOL_CALL_ARGS", "toolCallId": call, "delta": delta}:
                begun[call] += delta
            case {"type": "TOOL_CALL_RESULT", "toolCallId": call} if call not in begun:
                yield f"the result of {call} has its call"
    answered = [event["toolCallId"] for event in events if event["type"] == "TOOL_CALL_RESULT"]
    if events[-1]["type"] == "RUN_FINISHED" and sorted(answered) != sorted(begun):
        yield "every call is answered once"
    for arguments in begun.values():
        json.loads(arguments)


def conversation(sent: list[Shown], events: Iterable[Shown]) -> list[Shown]:
    """The messages that a client has in the end, by the protocol's reducer: `id`, `role`, `content` and `toolCalls`."""
    messages = [dict(message) for message in sent]
    for event in events:
        match event:
            case {"type": "MESSAGES_SNAPSHOT", "messages": all_}:
                messages = [dict(message) for message in all_]
            case {"type": "TEXT_MESSAGE_START" | "REASONING_MESSAGE_START", "messageId": id_, "role": role}:
                messages.append({"id": id_, "role": role, "content": ""})
            case {"type": "TEXT_MESSAGE_CONTENT" | "REASONING_MESSAGE_CONTENT", "messageId": id_, "delta": delta}:
                _by_id(messages, id_)["content"] += delta
            case {"type": "TOOL_CALL_START", "toolCallId": call}:
                holder = event.get("parentMessageId") or call
                if all(message["id"] != holder for message in messages):
                    messages.append({"id": holder, "role": "assistant"})
                _by_id(messages, holder).setdefault("toolCalls", []).append(call)
            case {"type": "TOOL_CALL_RESULT", "messageId": id_, "content": content}:
                messages.append({"id": id_, "role": "tool", "content": content})
    return messages


def _by_id(messages: list[Shown], id_: str) -> Shown:
    return next(message for message in messages if message["id"] == id_)


def answer(messages: Iterable[Shown]) -> str:
    """What the assistant has said."""
    return "".join(message.get("content", "") for message in messages if message["role"] == "assistant")

"""The rules of chat streams, held to streams that break them."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from stream_rules import broken_rules


@attrs.frozen
class Shown:
    event: str
    data: dict[str, Any]
    id: str


def stream(*events: tuple[str, dict[str, Any]], ids: list[str] | None = None) -> list[Shown]:
    numbers = ids or [f"t:{number}" for number in range(1, len(events) + 1)]
    return [Shown(kind, {"type": kind, **data}, id_) for (kind, data), id_ in zip(events, numbers, strict=True)]


TEXT = ("text_delta", {"delta": "x"})
START = ("tool_start", {"tool_call_id": "1", "tool_name": "look", "arguments": {}})
END = ("tool_end", {"tool_call_id": "1", "tool_name": "look", "result": "y", "duration_ms": 1})
ERROR = ("error", {"error": "no"})
DONE: tuple[str, dict[str, Any]] = ("done", {})


@pytest.mark.parametrize(
    "events", [(DONE,), (TEXT, DONE), (START, END, TEXT, DONE), (TEXT, ERROR, DONE), (START, TEXT, END, DONE)]
)
def test_a_right_stream_breaks_no_rule(events: Any) -> None:
    assert broken_rules(stream(*events)) == []


@pytest.mark.parametrize(
    ("frames", "rule"),
    [
        (stream(TEXT), "done is there once"),
        (stream(DONE, TEXT), "done is there once"),
        (stream(TEXT, DONE, DONE), "done is there once"),
        (stream(ERROR, TEXT, DONE), "right before done"),
        (stream(("text_delta", {"delta": ""}), DONE), "says something"),
        (stream(START, DONE), "have an end"),
        (stream(END, DONE), "has its beginning"),
        (stream(START, START, END, DONE), "begins once"),
        (stream(START, END, END, DONE), "has its beginning"),
        (stream(TEXT, DONE, ids=["t:2", "t:1"]), "numbers rise"),
        (stream(TEXT, DONE, ids=["t:1", "t:1"]), "numbers rise"),
        (stream(TEXT, DONE, ids=["t:1", "u:2"]), "one turn"),
        (stream(("queued", {"position": 1}), DONE), "version 1 knows no queued"),
        ([Shown("done", {"type": "text_delta"}, "t:1")], "is its type"),
    ],
)
def test_a_broken_rule_is_named(frames: list[Shown], rule: str) -> None:
    assert any(rule in found for found in broken_rules(frames))

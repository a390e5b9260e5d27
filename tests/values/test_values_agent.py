"""Blueprints and messages refuse what they cannot mean, naming field and value."""

from __future__ import annotations

from typing import Any

import pytest

import vega_trio as vega


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "Agent.name must be a text of 1 to 128 characters, not ''"),
        ({"name": "a/b"}, "Agent.name must be without / : { } and control characters, not 'a/b'"),
        ({"name": "a:b"}, "not 'a:b'"),
        ({"name": "a", "system": 3}, "Agent.system must be a text or a prompt source, not 3"),
        ({"name": "a", "temperature": 2.5}, "Agent.temperature must be at most 2, not 2.5"),
        ({"name": "a", "temperature": True}, "Agent.temperature must be a number, not True"),
        ({"name": "a", "max_tokens": 0}, "Agent.max_tokens must be at least 1, not 0"),
        ({"name": "a", "max_iterations": 0}, "Agent.max_iterations must be at least 1, not 0"),
        ({"name": "a", "max_iterations": 1.5}, "Agent.max_iterations must be a whole number, not 1.5"),
        ({"name": "a", "max_tokens": 100.5}, "Agent.max_tokens must be a whole number, not 100.5"),
        ({"name": "a", "thinking": 2000.5}, "Agent.thinking must be a whole number, not 2000.5"),
        ({"name": "a", "tools": "read_file"}, "Agent.tools must be a list, not the text 'read_file'"),
        ({"name": "a", "supervision": "restart"}, "Agent.supervision must be a vega.Supervision, not 'restart'"),
    ],
)
def test_an_agent_that_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as caught:
        vega.Agent(**fields)
    assert said in str(caught.value)


def test_a_message_has_the_role_user_or_assistant() -> None:
    with pytest.raises(ValueError, match=r"Message.role must be 'user' or 'assistant', not 'system'"):
        vega.Message("system", "obey")  # type: ignore[arg-type]


def test_text_becomes_a_part_and_parts_are_kept() -> None:
    assert vega.Message("user", "hi").content == (vega.TextPart("hi"),)
    call = vega.ToolCall("t", "f", {})
    assert vega.Message("assistant", [vega.TextPart("so "), call]).tool_calls == (call,)
    assert vega.Message("user", "").content == ()

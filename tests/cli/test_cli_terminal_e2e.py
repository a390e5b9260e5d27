"""A person at a terminal, played on a pseudo terminal."""

from __future__ import annotations

import pytest
from cli_shell import ANTHROPIC, DOCUMENT, Shell
from person import at_terminal

pytestmark = pytest.mark.e2e


def test_ctrl_c_stops_a_turn_and_at_the_prompt_says_how_to_leave(vega: Shell) -> None:
    with at_terminal(vega, "chat", "--no-color") as person:
        person.wait_for("[writer]> ")
        person.type("slow please\n")
        person.wait_for("slow please\r\n")
        person.wait_for(" ")
        person.type("\x03")
        person.wait_for("[writer]> ")
        person.type("yes or no\n")
        person.wait_for("\r\n[writer]> ")
        person.type("\x03")
        person.wait_for("(Ctrl-D quits)\r\n[writer]> ")
        person.type("\x04")


def test_a_failed_turn_is_told_and_the_conversation_goes_on(vega: Shell) -> None:
    vega.write("team.vega.yaml", ANTHROPIC)
    with at_terminal(vega, "chat", "--no-color") as person:
        person.wait_for("[writer]> ")
        person.type("hello\n")
        person.wait_for("error: ")
        person.wait_for("set ANTHROPIC_API_KEY in the shell")
        person.wait_for("[writer]> ")
        person.type("/quit\n")


def test_what_a_run_says_cannot_steer_the_terminal(vega: Shell) -> None:
    hostile = '"{{draft}} \\e]0;title\\a\\e[2J\\x9b1m over"'
    vega.write("team.vega.yaml", DOCUMENT.replace('"{{draft}}"', hostile))
    with at_terminal(vega, "run", "--workflow", "write", "--task", "yes or no", "--no-color") as person:
        person.wait_for("write: completed in ")
        person.wait_for(" \u241b]0;title\u2407\u241b[2J\ufffd1m over\r\n")


def test_the_steps_of_a_run_are_a_tree_that_stays(vega: Shell) -> None:
    with at_terminal(vega, "run", "--workflow", "write", "--task", "yes or no") as person:
        person.wait_for("writer")
        person.wait_for("✓")
        person.wait_for("write: completed in ")


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_who_wants_no_colour_gets_plain_lines(vega: Shell, env: dict[str, str]) -> None:
    with at_terminal(vega, "run", "--workflow", "write", "--task", "yes or no", **env) as person:
        person.wait_for("write: completed in ")
    assert "\x1b" not in person.raw

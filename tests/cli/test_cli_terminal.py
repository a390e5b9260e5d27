from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio.cli.terminal import can_animate, is_terminal, safe, wants_color


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("env", "no_color", "screen", "paper"),
    [
        ({}, False, True, False),
        ({"TERM": "dumb"}, False, False, False),
        ({"NO_COLOR": "1"}, False, False, False),
        ({"FORCE_COLOR": "1"}, False, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False, False),
        ({"FORCE_COLOR": "1"}, True, False, False),
        ({"NO_COLOR": ""}, False, True, False),
    ],
)
def test_colour_is_for_terminals_unless_told_otherwise(
    env: dict[str, str], no_color: bool, screen: bool, paper: bool
) -> None:
    assert wants_color(Screen(), no_color=no_color, env=env) is screen
    assert wants_color(io.StringIO(), no_color=no_color, env=env) is paper


@pytest.mark.parametrize(
    ("env", "no_color", "screen"),
    [
        ({}, False, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, False, True),
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, False),
    ],
)
def test_only_a_capable_terminal_is_repainted_and_only_if_nobody_minds(
    env: dict[str, str], no_color: bool, screen: bool
) -> None:
    assert can_animate(Screen(), no_color=no_color, env=env) is screen
    assert not can_animate(io.StringIO(), no_color=no_color, env=env)


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert not is_terminal(stream)


@given(st.text(max_size=50))
def test_safe_text_has_no_controls_but_tabs_and_line_ends(text: str) -> None:
    assert all(char in "\n\t" or not (ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0) for char in safe(text))


def test_safe_text_keeps_words_and_shows_controls() -> None:
    assert safe("a\tß\r\n\x1b[2J") == "a\tß\n\u241b[2J"

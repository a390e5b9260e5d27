"""Servers that are added to the text of a document."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.dsl.adding import with_servers
from vega_trio.dsl.quoting import block, flow
from vega_trio.dsl.source import Source
from vega_trio.dsl.yaml_text import load_data
from vega_trio.errors import ConfigError

TIME = {"time": {"command": "uvx", "args": ["mcp-server-time"]}}
LINES = ["- name: time", "  command: uvx", '  args: ["mcp-server-time"]']


def added(text: str) -> str:
    return with_servers(Source("a.vega.yaml", text), TIME)


def indented(depth: int, *, newline: str = "\n") -> str:
    return "".join(" " * depth + line + newline for line in LINES)


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("", ""),
        ("# nothing yet\n", ""),
        ("agents: {}\n# the end\n", ""),
        ("settings:  # c\n", "agents: {}\n"),
        ("settings:\n  mcp:\n", "\n  # of the sandbox\n  sandbox: x\n"),
        ("settings:\n  mcp:\n    servers:\n", "agents: {}\n"),
        ("settings:\n  mcp:\n    servers:\n      - name: a\n        command:\n", "  # c\n\n  sandbox: x\n"),
        ("settings:\n  mcp:\n    servers:\n      - memory  # c\n", "      # - old\n\nagents: {}\n"),
        ("settings:\n  mcp:\n    servers:\n      - &m memory\n      - *m\n", "  sandbox: x\n"),
        ("settings:\n  mcp:\n    servers:\n      - name: a\n        command: |\n          # b\n\n", "agents: {}\n"),
    ],
)
def test_the_new_lines_stand_behind_the_old_ones_which_stay(before: str, behind: str) -> None:
    text = added(before + behind)
    assert text.startswith(before)
    assert text.endswith(behind)
    assert text[len(before) : len(text) - len(behind)].endswith(indented(6))


def test_lists_that_are_not_indented_and_ends_of_lines_are_kept() -> None:
    text = "settings:\r\n mcp:\r\n  servers:\r\n  - memory"
    assert added(text) == text + "\r\n" + indented(2, newline="\r\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("settings: {mcp: {servers: [a]}}\n", 'settings: {mcp: {servers: [a, {"name": "time", @}]}}\n'),
        ("settings: {mcp: {servers: {a: {}}}}\n", 'settings: {mcp: {servers: {a: {}, "time": {@}}}}\n'),
        ("settings:\n  mcp: {}\n", 'settings:\n  mcp: {"servers": [{"name": "time", @}]}\n'),
        ("settings:\n  mcp:\n    servers: []  # c\n", 'settings:\n  mcp:\n    servers: [{"name": "time", @}]  # c\n'),
    ],
)
def test_brackets_are_added_to_inside(text: str, expected: str) -> None:
    assert added(text) == expected.replace("@", '"command": "uvx", "args": ["mcp-server-time"]')


def test_a_mapping_gets_a_key() -> None:
    text = "settings:\n  mcp:\n    servers:\n      a:\n        command: x\n"
    assert added(text) == text + '      time:\n        command: uvx\n        args: ["mcp-server-time"]\n'


@pytest.mark.parametrize(
    "text",
    [
        "x: &s [a]\nsettings: {mcp: {servers: *s}}\n",
        "x: &s\n  - a\nsettings:\n  mcp:\n    servers: *s\n",
        "settings: &s\n  sandbox: x\n",
        "settings:\n  mcp:\n    servers: [a # c\n      ]\n",
        "settings:\n  mcp:\n    servers: text\n",
    ],
)
def test_what_would_change_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="nothing was written"):
        added(text)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(TEXTS, lambda inner: st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8)


@settings(max_examples=30)
@given(
    st.dictionaries(TEXTS.filter(lambda key: key != "<<"), VALUES | st.lists(TEXTS, max_size=3), min_size=1, max_size=4)
)
def test_a_value_is_read_as_it_was_written(value: dict[str, object]) -> None:
    assert load_data(flow(value)) == value
    assert load_data("\n".join(block(value))) == value

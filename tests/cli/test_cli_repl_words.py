"""What the lines of the REPL say, and what completes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio.cli.markdown import finished_blocks
from vega_trio.cli.repl_words import WORDS, Names, Said, Say, Tell, Word, Wrong, completions, help_lines, understand

FLOWS = ("review", "deploy")
NAMES = Names(agents=["Coder", "Code Reviewer"], workflows=FLOWS, variables=["code", "cost"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hello there", Say("hello there")),
        ("  keep\nboth lines ", Say("  keep\nboth lines ")),
        ("/agents", Word("agents")),
        (" /ask Coder  write it ", Word("ask", "Coder  write it")),
        ("/run review a sort", Word("run", "review a sort")),
        ("/exit", Word("quit")),
        ("/q", Word("quit")),
        ("exit", Word("quit")),
        ("help", Word("help")),
        ("help me", Say("help me")),
        ("save code", Word("save", "code")),
        ("save the date", Say("save the date")),
        ("show code", Word("show", "code")),
        ("list agents", Word("agents")),
        ("list workflows", Word("workflows")),
        ("list things", Say("list things")),
        ("run review --task x", Word("run", "review --task x")),
        ("run along", Say("run along")),
        ('Coder <- "fix {{code}}"', Tell("Coder", "fix {{code}}")),
        ("Code Reviewer<-'it is \"so\"'", Tell("Code Reviewer", 'it is "so"')),
        ('Coder <- "two\nlines"', Tell("Coder", "two\nlines")),
        ("a <- b", Say("a <- b")),
        ("/agents now", Wrong("/agents takes nothing", "write /agents")),
        ("/agnets", Wrong("there is no command /agnets", "did you mean 'agents'?")),
    ],
)
def test_a_line_is_understood(line: str, said: Said) -> None:
    assert understand(line, FLOWS) == said


@given(st.text(min_size=1).filter(str.strip))
def test_every_line_says_something(line: str) -> None:
    assert isinstance(understand(line, FLOWS), Say | Word | Tell | Wrong)


def test_the_help_has_every_word() -> None:
    text = "\n".join(help_lines())
    assert all(f"/{word}" in text for word in WORDS)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("/as", ["ask"]),
        ("/ask co", ["Coder", "Code Reviewer"]),
        ("/run ", ["review", "deploy"]),
        ("run de", ["deploy"]),
        ("show co", ["code", "cost"]),
        ("list w", ["workflows"]),
        ("Cod", ["Coder", "Code Reviewer"]),
        ('Coder <- "see {{ co', ["code", "cost"]),
        ("say hello to Cod", []),
        ("/cost ", []),
        ("", []),
    ],
)
def test_completion_knows_words_agents_workflows_and_variables(before: str, expected: list[str]) -> None:
    assert [text for text, _ in completions(before, NAMES)] == expected


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("one", 0),
        ("one\n\n", 5),
        ("one\n\ntwo\n", 5),
        ("```\na\n\nb\n", 0),
        ("```py\na\n\nb\n```\n\nc", 16),
        ("~~~\n```\n\n~~~\n\n", 14),
        ("a\n\n````\n```\n\n````\n\nx", 19),
    ],
)
def test_a_block_is_finished_by_a_blank_line_outside_of_a_fence(text: str, end: int) -> None:
    assert finished_blocks(text) == end


@given(st.text(alphabet="a`~\n "))
def test_blocks_grow_only(text: str) -> None:
    ends = [finished_blocks(text[:at]) for at in range(len(text) + 1)]
    assert ends == sorted(ends)

"""Splitting is a property: nothing lost, nothing too long, no fence left open."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.telegram.splitting import clean, split, units

LIMIT = 200
LINES = st.sampled_from(["word " * 9, "", "x" * 90, "\U0001f600" * 40, "```python", "```", "~~~~", "~~~", "  code()"])
TEXTS = st.lists(LINES | st.text(max_size=60), max_size=30).map("\n".join).map(clean)


def open_at_the_end(piece: str) -> bool:
    mark = ""
    for line in piece.split("\n"):
        bare = line.lstrip(" ") if len(line) - len(line.lstrip(" ")) < 4 else ""
        for char in "`~":
            if bare.startswith(char * 3):
                run = bare[: len(bare) - len(bare.lstrip(char))]
                if not mark:
                    mark = run
                elif run[0] == mark[0] and len(run) >= len(mark) and not bare[len(run) :].strip():
                    mark = ""
    return bool(mark)


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_pieces_are_short_say_something_and_lose_nothing(text: str) -> None:
    pieces = split(text, LIMIT)
    assert all(units(piece) <= LIMIT and piece.strip() for piece in pieces)

    def bare(given: str) -> str:
        return "".join(char for char in given if not char.isspace() and char not in "`~")

    assert len(bare("".join(pieces))) >= len(bare(text))


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_only_the_last_piece_may_leave_a_fence_open(text: str) -> None:
    assert not any(open_at_the_end(piece) for piece in split(text, LIMIT)[:-1])


@given(TEXTS, TEXTS)
@settings(max_examples=100, deadline=None)
def test_pieces_but_the_last_two_stay_when_text_is_added(text: str, more: str) -> None:
    before, after = split(text, LIMIT), split(text + more, LIMIT)
    assert after[: max(0, len(before) - 1)] == before[:-1]


def test_a_short_text_stays_as_it_is() -> None:
    assert split("a\n\n```\nb\n```") == ["a\n\n```\nb\n```"]
    assert split(" \n") == []


def test_a_long_fence_is_closed_and_opened_again() -> None:
    first, *_, last = split("```python\n" + "print()\n" * 100 + "```", LIMIT)
    assert first.endswith("\n```")
    assert last.startswith("```python\n")


def test_control_characters_and_halves_of_characters_go() -> None:
    assert clean("a\x00\x1b[31mb\u202ec\ud800\r\nd\te") == "a[31mbc\nd\te"

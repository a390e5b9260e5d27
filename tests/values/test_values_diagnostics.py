from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vega_trio.diagnostics import EXCERPT, Diagnostic


def finding(source: str, column: int, end_column: int) -> Diagnostic:
    return Diagnostic("V012", "wrong", "a.vega.yaml", 3, column, 3, end_column, hint="fix it", source=source)


def excerpt(found: Diagnostic) -> tuple[str, str]:
    """(the line, the part of it that the caret marks), as shown."""
    _, _, line, caret = str(found).split("\n")
    start = caret.index("^")
    return line.removeprefix("3: "), line[start : start + caret.count("^")]


def test_a_short_line_is_shown_whole_with_its_caret_and_hint() -> None:
    assert str(finding("\t- wirter: hi", 4, 10)) == (
        "error[V012]: wrong\n  --> a.vega.yaml:3:4\n3: \t- wirter: hi\n   \t  ^^^^^^ fix it   vega explain V012"
    )


def test_a_line_of_a_book_is_cut_around_the_place() -> None:
    source = "x" * 150_000 + "WRONG" + "y" * 150_000
    found = finding(source, 150_001, 150_006)
    line, marked = excerpt(found)
    assert marked == "WRONG"
    assert line.startswith("...x")
    assert line.endswith("y...")
    assert len(line) == EXCERPT + 6


def test_a_caret_is_no_longer_than_what_is_shown() -> None:
    line, marked = excerpt(finding("a: " + "x" * 300_000, 4, 300_004))
    assert line == "a: " + "x" * (EXCERPT - 3) + "..."
    assert marked == "x" * (EXCERPT - 3)


def test_the_end_of_a_long_line_is_shown_up_to_its_end() -> None:
    line, marked = excerpt(finding("[" * 3000, 3000, 3001))
    assert line == "..." + "[" * EXCERPT
    assert marked == "["


@given(st.text("ab\t", max_size=400), st.data())
def test_the_caret_marks_the_place_in_every_line(source: str, data: st.DataObject) -> None:
    column = data.draw(st.integers(1, len(source) + 1))
    end = data.draw(st.integers(column, len(source) + 1))
    shown = str(finding(source + "!", column, end))
    _, _, line, caret = shown.split("\n")
    start = caret.index("^")
    assert line[start] == (source + "!")[column - 1]
    assert caret.count("^") <= max(1, end - column)
    assert len(line) <= 3 + EXCERPT + 6
    assert caret[:start].expandtabs() == "".join(c if c == "\t" else " " for c in line[:start]).expandtabs()

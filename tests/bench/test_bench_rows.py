"""The table of the benchmarks is honest: what misses its target is said to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import attrs
import pytest

sys.path.insert(0, str(Path(__file__).parent / "cases"))
import rows
from picture import picture
from rounds import by_turns, child, reason
from rows import Row, at_least, at_most, explained, table

FAST = Row("spawn", "us", 20.0, 10.0, "raw", at_most(2.5, times=True), {"erlang": 3.0})
SLOW = Row("spawn", "us", 30.0, 10.0, "raw", at_most(2.5, times=True))
ABSOLUTE = Row("events", "1/s", 90_000.0, 150_000.0, "bare", at_least(100_000))
UNJUDGED = Row("memory", "kB", 14.0, peers={"other": None})


@pytest.mark.parametrize(("row", "met"), [(FAST, True), (SLOW, False), (ABSOLUTE, False), (UNJUDGED, None)])
def test_a_target_is_met_or_missed_or_not_there(row: Row, met: bool | None) -> None:
    assert row.met is met


def test_the_share_of_the_target_is_above_one_where_it_is_missed() -> None:
    assert [round(row.share or 0, 3) for row in (FAST, SLOW, ABSOLUTE)] == [0.8, 1.2, 1.111]
    assert UNJUDGED.share is None


def test_the_table_marks_what_misses_and_leaves_unknown_cells_empty() -> None:
    lines = table([FAST, SLOW, UNJUDGED]).splitlines()
    assert [("**no**" in line, "yes" in line) for line in lines[2:]] == [(False, True), (True, False), (False, False)]
    assert len({len(line) for line in lines}) == 1
    assert "failed" in lines[4]


def test_rows_come_back_from_their_file_as_they_were(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows.publish([FAST, ABSOLUTE, UNJUDGED], tmp_path / "x.json", disk="ext4")
    assert rows.read(tmp_path / "x.json") == [FAST, ABSOLUTE, UNJUDGED]


def test_the_picture_is_one_well_formed_file_whatever_a_case_is_called() -> None:
    odd = Row("<b>&", "ms", 2.0, 1.0, "SDK", at_most(1.3, times=True), {"peer": 4.0})
    plain = Row("plain turn", "ms", 2.0, 1.0, "SDK", at_most(1.3, times=True), {"peer": 4.0})
    root = ElementTree.fromstring(picture({"turn": [plain, odd], "kernel": [FAST, UNJUDGED]}))
    assert root.tag.endswith("svg")
    assert "<b>&" in "".join(root.itertext())


def test_who_fails_is_out_and_the_others_go_on_to_their_medians() -> None:
    figures = iter([5.0, 1.0, 3.0])

    def broken() -> float:
        raise ExceptionGroup("in a nursery", [TimeoutError("no answer\nwithin 3 s")])

    found = by_turns({"ours": lambda: next(figures), "peer": broken}, 3)
    assert (found.median("ours", float), found.median("peer", float)) == (3.0, None)
    assert found.failures == {"peer": "TimeoutError: no answer within 3 s"}


def test_a_round_that_warms_up_does_not_count() -> None:
    figures = iter([100.0, 1.0, 1.0])
    assert by_turns({"ours": lambda: next(figures)}, 2, warm_ups=1).results == {"ours": [1.0, 1.0]}


def test_a_program_that_fails_is_told_of_with_its_last_word() -> None:
    command = [sys.executable, "-c", "raise SystemExit('first line\\nout of memory')"]
    with pytest.raises(subprocess.CalledProcessError) as failed:
        child(command, within_s=30)
    assert reason(failed.value) == "CalledProcessError: a program ended with 1: out of memory"


def test_why_a_cell_has_no_figure_stands_under_the_table() -> None:
    failures = {"peer": "TimeoutError: no answer within 3 s", "raw": "ValueError: b"}
    row = Row("spawn", "us", 20.0, None, "raw", at_most(2.5, times=True), {"peer": None}, failures)
    assert (row.met, attrs.evolve(row, ours=None).met) == (None, False)
    told = explained([FAST, row]).splitlines()
    assert told[3].count("failed") == 2
    assert told[-2:] == [
        "- spawn: peer failed: TimeoutError: no answer within 3 s",
        "- spawn: raw failed: ValueError: b",
    ]
    assert explained([FAST]) == table([FAST])


def test_rows_are_written_as_they_come_so_that_a_run_cut_short_has_them(tmp_path: Path) -> None:
    def cut_short() -> Iterator[Row]:
        yield FAST
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rows.publish(cut_short(), tmp_path / "x.json")
    assert rows.read(tmp_path / "x.json") == [FAST]


def test_the_picture_leaves_out_what_has_no_figure() -> None:
    failed = Row("plain turn", "ms", None, 1.0, "SDK", at_most(1.3, times=True), {"peer": None})
    assert "plain turn" not in picture({"turn": [failed]})

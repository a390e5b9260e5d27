"""The table of the benchmarks is honest: what misses its target is said to."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent / "cases"))
import rows
from picture import picture
from rows import Row, at_least, at_most, table

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

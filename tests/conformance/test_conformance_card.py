"""The scorecard: it says what was passed, and sees what has become worse."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from scorecard import SUITES, Score, Suite, card, run


def suite(told: str, *, ends: str = "", pattern: str = r"x: (\d+) of (\d+)", **fields: Any) -> Suite:
    """One that says `told`, and then does what `ends` says."""
    code = f"import sys, time; print({told!r}, flush=True); {ends}"
    return Suite("x", "1.0", (sys.executable, "-c", code), {"X": pattern}, **fields)


def test_the_last_words_of_a_suite_are_its_score(capsys: pytest.CaptureFixture[str]) -> None:
    (score,), content = run(suite("x: 1,019 of 1,020", note="why"))
    assert content
    assert (score.passed, score.of) == (1019, 1020)
    assert "| X" in card([score])
    assert "1,019 of 1,020" in card([score])


def test_a_suite_that_tells_nothing_has_passed_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    (score,), _ = run(suite("hm"))
    assert (score.passed, score.of) == (0, 0)
    assert score.worse_than({"X": [1, 1]})


@pytest.mark.parametrize(("ends", "passed"), [("", 7), ("sys.exit(1)", 0)])
def test_one_that_counts_only_what_it_tried_has_passed_it_when_it_is_content(
    capsys: pytest.CaptureFixture[str], ends: str, passed: int
) -> None:
    (score,), content = run(suite("7 tried", ends=ends, pattern=r"()(\d+) tried"))
    assert (score.passed, score.of, content) == (passed, 7, not ends)


def test_one_that_does_not_end_is_stopped_and_has_failed(capsys: pytest.CaptureFixture[str]) -> None:
    (score,), content = run(suite("x: 1 of 2", ends="time.sleep(60)", longest_s=1.0))
    assert not content
    assert (score.passed, score.of) == (1, 2)


def test_peers_have_their_figures_beside_ours(capsys: pytest.CaptureFixture[str]) -> None:
    (score,), _ = run(suite("x: 1 of 1\nb 3 of 4\nc 4 of 4", peers=r"^(b|c) (\d+) of (\d+)"))
    assert score.peers == "b 3 of 4, c 4 of 4"


@pytest.mark.parametrize(("passed", "of", "worse"), [(3, 4, False), (4, 4, False), (2, 4, True), (3, 3, True)])
def test_fewer_passed_or_fewer_there_is_worse(passed: int, of: int, worse: bool) -> None:
    assert Score("X", "1", passed, of, "", "").worse_than({"X": [3, 4]}) is worse


def test_every_suite_has_a_baseline() -> None:
    kept = json.loads((Path(__file__).parent / "baseline.json").read_text())
    assert {title for suite in SUITES for title in suite.scores} == set(kept)

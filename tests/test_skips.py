"""What is skipped on a desk fails in CI."""

from __future__ import annotations

import pytest
from skips import refuse_skip


def _report(outcome: str, reason: str = "") -> pytest.TestReport:
    longrepr = ("tests/test_it.py", 12, f"Skipped: {reason}") if reason else None
    return pytest.TestReport(
        "tests/test_it.py::test_it", ("tests/test_it.py", 12, "test_it"), {}, outcome, longrepr, "setup"
    )  # type: ignore[arg-type]


def test_a_skip_fails_and_says_what_is_missing() -> None:
    report = _report("skipped", "chromium is missing: apt-get install chromium")
    refuse_skip(report)
    assert report.failed
    assert (
        report.longrepr
        == "tests/test_it.py:12: nothing is skipped in CI: chromium is missing: apt-get install chromium"
    )


def test_what_another_target_runs_may_be_skipped() -> None:
    report = _report("skipped", "VEGA_PACKAGE=1 builds and installs the wheel")
    refuse_skip(report)
    assert report.skipped


def test_what_was_run_keeps_its_outcome() -> None:
    for outcome in ("passed", "failed"):
        report = _report(outcome)
        refuse_skip(report)
        assert report.outcome == outcome

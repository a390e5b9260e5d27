"""A skipped test has shown nothing, so where `CI` is set it fails."""

from __future__ import annotations

import pytest

ELSEWHERE = "VEGA_"
"""With it begins the reason of what another target runs there: the variable with which that target does."""


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Makes a skipped test or module a failed one that says what is missing; what another target runs stays skipped."""
    if not report.skipped or hasattr(report, "wasxfail") or not isinstance(report.longrepr, tuple):
        return
    path, line, reason = report.longrepr
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(ELSEWHERE):
        report.outcome = "failed"
        report.longrepr = f"{path}:{line}: nothing is skipped in CI: {reason}"

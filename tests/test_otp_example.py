"""The supervision example runs, and shows what it says it shows."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

EXAMPLE = Path(__file__).parent.parent / "examples" / "otp.py"


def test_the_example_shows_a_crash_a_group_restart_a_monitor_and_an_escalation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    trio.run(runpy.run_path(str(EXAMPLE))["main"], clock=MockClock(autojump_threshold=0))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    crash, failure, top = (next(n for n, line in enumerate(lines) if line.startswith(start)) for start in (
        "-- the cache crashes", "-- the ledger fails", "-- everything has been stopped"))  # fmt: skip
    started = [line.split()[0] for line in lines[:crash] if " starts," in line]
    assert started == ["database", "cache", "web", "ledger"]
    moved = [line for line in lines[crash:failure] if line.endswith("ends") or " starts," in line]
    assert moved == [
        "cache ends", "ledger ends", "web ends",
        "cache starts, incarnation 2", "web starts, incarnation 2", "ledger starts, incarnation 1",
    ]  # fmt: skip
    assert "monitor hears that web's incarnation 1 has ended: Shutdown(detail=None)" in lines
    assert "caller gets an answer: web has seen to 'an order'" in lines
    assert lines[failure + 1 : top - 1] == ["ledger ends", "web ends", "cache ends", "database ends"]
    assert [line.split()[0] for line in lines[top + 1 :]] == ["Escalated", "Escalated", "ArithmeticError"]

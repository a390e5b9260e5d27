"""Kills of a real server under clients that come back. `VEGA_KILLS` and `VEGA_SEED` set how many and which."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trio
from torture import torture

pytestmark = pytest.mark.e2e

KILLS = int(os.environ.get("VEGA_KILLS", "10"))
SEED = int(os.environ.get("VEGA_SEED", "1"))


async def test_a_killed_server_keeps_all_that_it_acknowledged(tmp_path: Path) -> None:
    with trio.fail_after(120 + 20 * KILLS):
        report = await torture(tmp_path, KILLS, SEED)
    print(
        f"seed {SEED}: {report.kills} kills {dict(report.by_place)}; acknowledged: {report.replies} replies,"
        f" {len(report.started)} runs started, {len(report.ended)} ended, {report.events} events;"
        f" {report.effects} effects, {report.repeated_reads} reads repeated"
    )
    assert report.wrong == []
    assert report.kills == KILLS
    assert report.acknowledged > 0

"""The torture: a working program killed by SIGKILL, time after time. `VEGA_KILLS` and `VEGA_SEED` set how."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
import trio
from served import ask, served

from vega_trio.testing.crash_check import check
from vega_trio.testing.crashtest import CrashReport, crashtest

pytestmark = pytest.mark.e2e

KILLS = int(os.environ.get("VEGA_KILLS", "4"))  # test_e2e_torture.py has the ten of a server
SEED = int(os.environ.get("VEGA_SEED", "1"))
REVIEW = Path(__file__).parents[2] / "examples" / "code-review.vega.yaml"


async def run(file: Path, workflow: str, kills: int, directory: Path) -> CrashReport:
    with trio.fail_after(60 + 10 * kills):
        return await crashtest(file, workflow=workflow, kills=kills, directory=directory, seed=SEED)


async def test_what_was_acknowledged_survives_every_kill(tmp_path: Path) -> None:
    report = await run(REVIEW, "review", KILLS, tmp_path)
    print(
        f"seed {SEED}: {report.kills} kills {dict(report.by_place)}, {report.acknowledged} acknowledged,"
        f" {report.calls} calls, {report.repeated_reads} reads repeated"
    )
    assert report.wrong == []
    assert report.kills == KILLS
    assert report.acknowledged > 0


async def test_the_check_finds_what_is_lost_torn_or_repeated(tmp_path: Path) -> None:
    report, database = CrashReport(seed=SEED), tmp_path / "crashtest.db"
    while not report.ended:  # its ledger is the one of its own kills, so each has a database of its own
        database.unlink(missing_ok=True)
        report = await run(REVIEW, "review", 2, tmp_path)
    assert report.wrong == []

    def found(statement: str, effects: Counter[tuple[str, str]] | None = None, started: set[str] | None = None) -> str:
        copy = tmp_path / "copy.db"
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
            target.execute(statement)
            target.commit()
        return " | ".join(check(copy, started or set(), {}, effects or Counter()))

    assert "lost" in found("SELECT 1", started={"nobody"})
    assert "a gap" in found("DELETE FROM event WHERE id = 3")
    assert "has a gap" in found("DELETE FROM op WHERE seq = 0")
    assert "has said" in found("DELETE FROM message WHERE role = 'assistant'")
    assert "its calls" in found("UPDATE process SET cost_microusd = 1")
    assert "never had its effect" in found("SELECT 1")
    with closing(sqlite3.connect(database)) as conn:
        (key,) = conn.execute("SELECT key FROM op WHERE name = 'act'").fetchone()
    assert "must not be repeated" in found("SELECT 1", Counter({("act", key): 2}))


def test_a_killed_server_goes_on_with_the_answer_that_it_was_giving(tmp_path: Path) -> None:
    chat, database, body = "/api/agents/Coder/chat", tmp_path / "vega.db", {"message": "Write a binary search function"}
    with served(REVIEW, database) as (process, url), ask(url, f"{chat}/stream", body) as stream:
        assert any(b"text_delta" in line for line in iter(stream.readline, b""))
        with ask(url, "/api/processes") as answer:
            (before,) = json.load(answer)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with served(REVIEW, database) as (_, url):
        with ask(url, chat, {"message": "Thanks"}) as answer:  # waits behind the turn that goes on
            assert answer.status == 200
        with ask(url, "/api/processes") as answer:
            (after,) = json.load(answer)
        with ask(url, chat) as answer:
            asked, answered, *_ = json.load(answer)
    assert (after["id"], after["incarnation"]) == (before["id"], before["incarnation"] + 1)
    assert asked["content"] == body["message"]
    assert len(answered["content"]) > 200
    with closing(sqlite3.connect(database)) as conn:
        assert conn.execute("SELECT state, attempts FROM op").fetchall() == [("done", 2), ("done", 1)]
        types = [type_ for (type_,) in conn.execute("SELECT type FROM event ORDER BY id")]
    assert types.count("turn.started") == types.count("turn.finished") == 2

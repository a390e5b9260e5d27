"""A database of each schema that ever was: it is brought forward whole, also when the program is killed half-way."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import trio

from vega_trio.changes import Link, OpBegun, OpRow, Spend
from vega_trio.store.opening import open_for_writing
from vega_trio.store.schema import MIGRATIONS
from vega_trio.store.sqlite import open_sqlite

FIXTURES = sorted(Path(__file__).with_name("fixtures").glob("schema_*.sql"))


def build(fixture: Path, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(fixture.read_text())
    return path


def schema(path: Path) -> set[tuple[str, ...]]:
    """Tables, with their columns in order, and indexes."""
    with closing(sqlite3.connect(path)) as conn:
        names = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")]
        return {(name, *(column[1] for column in conn.execute(f"PRAGMA table_info({name})"))) for name in names}


def test_there_is_one_of_each_version() -> None:
    assert [fixture.stem for fixture in FIXTURES] == [f"schema_{number}" for number in range(1, len(MIGRATIONS) + 1)]


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.stem)
async def test_what_an_older_version_kept_is_read_and_goes_on(tmp_path: Path, fixture: Path) -> None:
    path = build(fixture, tmp_path / "vega.db")
    with trio.fail_after(30):
        async with open_sqlite(path) as store:
            assert [row.id for row in await store.processes()] == ["aaaa0002", "aaaa0001"]
            (unfinished,) = await store.unfinished()
            assert (unfinished.name, unfinished.epoch, unfinished.cost_microusd) == ("w1", 1, 15)
            assert [row.message.text for row in await store.messages("aaaa0001")] == ["hello", "hi"]
            assert [event.id for event in await store.events_after(0)] == [1]
            session = await store.records.get("session", "aaaa0001")
            assert session is not None
            assert session["title"] == "hello"
            op = OpRow(process_id="aaaa0001", seq=1, turn_id="t2", kind="llm", name="demo", key="t2/0")
            for change in (OpBegun(op), Spend("aaaa0001", 15, 3), Link("aaaa0001", "aaaa0002")):
                await store.submit(change).wait()
    fresh = tmp_path / "fresh.db"
    open_for_writing(str(fresh), "full").close()
    assert schema(path) == schema(fresh)
    version = int(fixture.stem.removeprefix("schema_"))
    assert (tmp_path / f"vega.db.v{version}.bak").exists() == (version < len(MIGRATIONS))


_KILLED = """
import os, signal, sys
from vega_trio.store.opening import open_for_writing

passes = 0
def die(name):
    global passes
    passes += name == "in_migration"
    if passes == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

open_for_writing(sys.argv[1], "full", failpoint=die)
"""


@pytest.mark.e2e
@pytest.mark.parametrize("kill_in", range(1, len(MIGRATIONS)))
def test_a_kill_inside_any_migration_leaves_the_version_before_it(tmp_path: Path, kill_in: int) -> None:
    path = build(FIXTURES[0], tmp_path / "vega.db")
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(path), str(kill_in)], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("PRAGMA user_version").fetchone() == (kill_in,)
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with closing(open_for_writing(str(path), "full")) as db:
        assert db.execute("SELECT name FROM process WHERE status = 'running'").fetchall() == [("w1",)]
    assert sorted(name for name in os.listdir(tmp_path) if name.endswith("-new")) == []

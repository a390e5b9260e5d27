"""From one schema to the next: forward, in whole steps, with a copy first."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vega_trio.errors import StoreError, StoreTooNew
from vega_trio.store.opening import open_for_writing
from vega_trio.store.schema import INDEXED, MIGRATIONS, field

if TYPE_CHECKING:
    from sqlite_utils import Database


def _add_colour(db: "Database") -> None:
    db.table("process").add_column("colour", str)
    db.execute("UPDATE process SET colour = 'red'")


def _add_size(db: "Database") -> None:
    db.table("process").add_column("size", int)


def _fail(db: "Database") -> None:
    _add_size(db)
    raise sqlite3.OperationalError("no such luck")


def _version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as conn:
        (version,) = conn.execute("PRAGMA user_version").fetchone()
        return int(version)


def _first(path: Path) -> None:
    db = open_for_writing(str(path), "full", MIGRATIONS)
    db.execute("INSERT INTO setting VALUES ('k', '{}')")
    db.close()


def test_an_older_database_is_brought_forward_after_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    _first(path)
    assert sorted(os.listdir(tmp_path)) == ["vega.db"]  # a new database has nothing to be copied
    open_for_writing(str(path), "full", (*MIGRATIONS, _add_colour, _add_size)).close()
    assert _version(path) == len(MIGRATIONS) + 2
    backup = tmp_path / f"vega.db.v{len(MIGRATIONS)}.bak"
    assert sorted(os.listdir(tmp_path)) == ["vega.db", backup.name]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with closing(open_for_writing(str(backup), "full", MIGRATIONS)) as old:
        assert old.execute("SELECT key FROM setting").fetchall() == [("k",)]
        assert "colour" not in old.table("process").columns_dict


def test_a_migration_that_fails_leaves_the_version_before_it(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    _first(path)
    with pytest.raises(StoreError, match=r"vega\.db: no such luck"):
        open_for_writing(str(path), "full", (*MIGRATIONS, _add_colour, _fail))
    assert _version(path) == len(MIGRATIONS) + 1
    with closing(open_for_writing(str(path), "full", (*MIGRATIONS, _add_colour))) as db:
        assert "colour" in db.table("process").columns_dict
        assert "size" not in db.table("process").columns_dict
        assert db.execute("SELECT key FROM setting").fetchall() == [("k",)]


def test_an_older_program_refuses_what_a_newer_one_wrote(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    open_for_writing(str(path), "full", (*MIGRATIONS, _add_colour)).close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match=f"schema {len(MIGRATIONS) + 1}, this one knows {len(MIGRATIONS)}"):
        open_for_writing(str(path), "full", MIGRATIONS)
    assert path.read_bytes() == before


_KILLED = """
import os, signal, sys
from vega_trio.store.opening import open_for_writing
from vega_trio.store.schema import MIGRATIONS

def die(db):
    db.execute("CREATE TABLE half (x)")
    os.kill(os.getpid(), signal.SIGKILL)

open_for_writing(sys.argv[1], "full", (*MIGRATIONS[: int(sys.argv[2])], die))
"""


@pytest.mark.e2e
@pytest.mark.parametrize("done", [0, len(MIGRATIONS)])
def test_a_kill_inside_a_migration_leaves_a_whole_database_or_none(tmp_path: Path, done: int) -> None:
    path = tmp_path / "vega.db"
    if done:
        _first(path)
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(path), str(done)], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert path.exists() == bool(done)
    with closing(open_for_writing(str(path), "full", (*MIGRATIONS, _add_colour))) as db:
        assert "colour" in db.table("process").columns_dict
        assert "half" not in db.table_names()
        assert db.execute("SELECT count(*) FROM setting").fetchone() == (1 if done else 0,)


@pytest.mark.parametrize(("table", "fields"), [*INDEXED.items()])
def test_the_fields_that_the_product_looks_up_by_have_an_index(
    tmp_path: Path, table: str, fields: tuple[str, ...]
) -> None:
    with closing(open_for_writing(str(tmp_path / "vega.db"), "full")) as db:
        for name in fields:
            found = db.execute(f"EXPLAIN QUERY PLAN SELECT row FROM {table} WHERE {field(name)} IS ?", ["x"]).fetchall()
            if name != "user":  # the second of (agent, user), never asked for alone
                assert "USING INDEX" in found[0][3], found
        both = " AND ".join(f"{field(name)} IS ?" for name in fields)
        plan = db.execute(f"EXPLAIN QUERY PLAN SELECT row FROM {table} WHERE {both}", ["x"] * len(fields)).fetchall()
        assert "USING INDEX" in plan[0][3], plan


@pytest.mark.parametrize("place", ["", f" AND ({field('updated_at')}, key) < ('x', 'x')"])
def test_a_users_conversations_are_found_in_their_order_without_sorting(tmp_path: Path, place: str) -> None:
    order = f"{field('updated_at')} DESC, key DESC"
    with closing(open_for_writing(str(tmp_path / "vega.db"), "full")) as db:
        query = f"SELECT row FROM session WHERE {field('user')} IS 'ann'{place} ORDER BY {order} LIMIT 9"
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()]
    assert len(plan) == 1, plan
    assert "USING INDEX session_spoken" in plan[0]


def test_every_table_is_strict(tmp_path: Path) -> None:
    with closing(open_for_writing(str(tmp_path / "vega.db"), "full")) as db:
        tables = [table for table in db.tables if not table.name.startswith("sqlite_")]
        assert {table.name for table in tables} >= {"process", "message", "event", "session", "turn", "wf_run"}
        assert all(table.strict for table in tables)

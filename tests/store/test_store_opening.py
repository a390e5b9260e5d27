"""Which files become a database, which are refused, and that a refused one is left as it was."""

import os
import random
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from vega_trio.changes import AppendEvent, Put
from vega_trio.errors import StoreError, StoreTooNew
from vega_trio.events import ProcessStarted
from vega_trio.store.opening import file_system, open_for_writing
from vega_trio.store.schema import MIGRATIONS
from vega_trio.store.sqlite import open_sqlite


def _ours(path: Path, rows: int = 400) -> None:
    db = open_for_writing(str(path), "full")
    with db.atomic():
        for number in range(rows):
            db.execute("INSERT INTO setting VALUES (?, ?)", (str(number), '{"text": "' + "x" * 100 + '"}'))
    db.close()


def _text(path: Path) -> None:
    path.write_text("a letter, and no database\n" * 100)


def _short(path: Path) -> None:
    path.write_bytes(b"x")


def _only_the_header(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")


def _noise(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(20_000))


def _foreign(path: Path) -> None:
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE customer (name)")
    conn.close()


def _foreign_in_wal_mode(path: Path) -> None:
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("CREATE TABLE customer (name)")
    conn.close()


def _newer(path: Path) -> None:
    _ours(path)
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()


def _torn(path: Path) -> None:
    """Noise over two pages in the middle."""
    _ours(path)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(random.Random(2).randbytes(8192))


def _cut_off(path: Path) -> None:
    _ours(path)
    os.truncate(path, path.stat().st_size // 2)


def _read_only(path: Path) -> None:
    _ours(path)
    path.chmod(0o444)


@pytest.mark.parametrize(
    ("make", "finding"),
    [
        (_text, "is not a SQLite database"),
        (_short, "is not a SQLite database"),
        (_only_the_header, "is no SQLite database"),
        (_noise, "is not a SQLite database"),
        (_foreign, "is a database of another program"),
        (_foreign_in_wal_mode, "is a database of another program"),
        (_newer, f"was written by a newer vega .schema 99, this one knows {len(MIGRATIONS)}"),
        (_torn, "is damaged|malformed"),
        (_cut_off, "is damaged|malformed"),
        (_read_only, "is read-only; make it writable"),
    ],
)
async def test_a_file_that_cannot_be_used_is_named_and_left_untouched(
    tmp_path: Path, make: Callable[[Path], None], finding: str
) -> None:
    path = tmp_path / "vega.db"
    make(path)
    before, mode, names = path.read_bytes(), path.stat().st_mode, set(os.listdir(tmp_path))
    with trio.fail_after(10), pytest.raises(StoreError, match=finding) as raised:
        async with open_sqlite(path):
            pytest.fail("opened")
    assert str(path) in str(raised.value)
    assert isinstance(raised.value, StoreTooNew) == (make is _newer)
    assert path.read_bytes() == before
    assert path.stat().st_mode == mode
    assert set(os.listdir(tmp_path)) == names | {"vega.db.lock"}


async def test_a_newer_database_that_was_killed_keeps_its_log(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    _ours(path)
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA user_version = 99")
    saved = {name: (tmp_path / name).read_bytes() for name in ("vega.db", "vega.db-wal")}
    conn.close()
    for name, content in saved.items():
        (tmp_path / name).write_bytes(content)
    with trio.fail_after(10), pytest.raises(StoreTooNew):
        async with open_sqlite(path):
            pytest.fail("opened")
    assert {name: (tmp_path / name).read_bytes() for name in saved} == saved


@pytest.mark.parametrize("special", ["directory", "fifo", "missing directory"])
async def test_a_place_that_can_hold_no_database_is_named(tmp_path: Path, special: str) -> None:
    path = tmp_path / "vega.db"
    if special == "directory":
        path.mkdir()
    elif special == "fifo":
        os.mkfifo(path)
    else:
        path = tmp_path / "none" / "vega.db"
    with trio.fail_after(10), pytest.raises(StoreError, match=str(path)):
        async with open_sqlite(path):
            pytest.fail("opened")


@pytest.mark.parametrize("name", ["vega.db", "a b?c#d%20é.db", ":memory:.db"])
async def test_a_new_file_is_made_for_its_owner_only(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with trio.fail_after(30):
        async with open_sqlite(path) as store:
            await store.submit(AppendEvent(ProcessStarted(at=1.0))).wait()
            assert set(os.listdir(tmp_path)) == {name, name + "-wal", name + "-shm", name + ".lock"}
            modes = {stat.S_IMODE(entry.stat().st_mode) for entry in os.scandir(tmp_path)}
    assert modes == {0o600}


async def test_an_empty_file_becomes_a_database_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    path.touch(0o644)
    with trio.fail_after(10):
        async with open_sqlite(path) as store:
            assert await store.last_event_id() == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_log_of_a_database_that_is_gone_is_not_played_into_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    with trio.fail_after(30):
        async with open_sqlite(path) as store:
            await store.submit(Put("setting", "old", {})).wait()
            log = (tmp_path / "vega.db-wal").read_bytes()
        path.unlink()
        (tmp_path / "vega.db-wal").write_bytes(log)
        async with open_sqlite(path) as store:
            assert await store.records.query("setting") == []
            await store.submit(Put("setting", "new", {})).wait()


async def test_a_half_made_database_of_a_killed_program_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "vega.db-new").write_bytes(b"SQLite format 3\0half")
    (tmp_path / "vega.db-new-wal").write_bytes(b"noise")
    with trio.fail_after(10):
        async with open_sqlite(tmp_path / "vega.db") as store:
            await store.submit(Put("setting", "k", {})).wait()
    assert sorted(os.listdir(tmp_path)) == ["vega.db", "vega.db.lock"]


def test_the_kind_of_a_file_system_is_found_by_its_device() -> None:
    mounts = (
        "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
        "40 22 0:41 / /home rw,nosuid shared:7 master:2 - nfs4 server:/home rw,vers=4.2\n"
        "broken line\n"
    )
    assert file_system(mounts, os.makedev(254, 1)) == "ext4"
    assert file_system(mounts, os.makedev(0, 41)) == "nfs4"
    assert file_system(mounts, os.makedev(9, 9)) is None
    assert file_system("", 0) is None

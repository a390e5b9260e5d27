"""The SQLite store beyond what every store does: threads, closing, reopening, durability."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from vega_trio.changes import AppendEvent, AppendMessage, MessageRow, ProcessRow, Put, SaveProcess, Together
from vega_trio.errors import ConfigError, StoreBusy, StoreError
from vega_trio.events import ProcessStarted
from vega_trio.messages import Message, ToolCall
from vega_trio.protocols import Commit
from vega_trio.store.opening import Durability, open_for_writing
from vega_trio.store.sqlite import open_sqlite

EVENT = AppendEvent(ProcessStarted(process_id="p", at=1.0))

_OPEN = """
import sys, trio
from vega_trio.store.opening import Durability, open_for_writing
from vega_trio.store.sqlite import open_sqlite

async def main():
    async with open_sqlite(sys.argv[1]):
        pass

trio.run(main)
"""


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_reopening_shows_everything(tmp_path: Path) -> None:
    process = ProcessRow(id="p", agent="coder", status="completed")
    message = MessageRow(
        process_id="p", seq=0, turn_id="t", message=Message("assistant", ToolCall("1", "f", {"x": [1]})), at=1.5
    )
    everything = Together((SaveProcess(process), AppendMessage(message), EVENT, Put("session", "s", {"agent": "a"})))
    with trio.fail_after(10):
        async with open_sqlite(tmp_path / "vega.db") as store:
            await store.submit(everything).wait()
        async with open_sqlite(tmp_path / "vega.db") as store:
            assert await store.processes() == [process]
            assert await store.messages("p") == [message]
            assert [event.id for event in await store.events_after(0)] == [1]
            assert await store.records.query("session", agent="a") == [{"agent": "a"}]
            commit = store.submit(EVENT)
            await commit.wait()
            assert list(commit.event_ids) == [2]


async def test_an_event_id_is_not_given_again_after_its_event_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    with trio.fail_after(30):
        async with open_sqlite(path) as store:
            await store.submit(Together((EVENT, EVENT))).wait()
        conn = sqlite3.connect(path)
        conn.execute("DELETE FROM event")
        conn.commit()
        conn.close()
        async with open_sqlite(path) as store:
            commit = store.submit(EVENT)
            await commit.wait()
            assert list(commit.event_ids) == [3]


async def test_leaving_the_block_writes_what_was_submitted(tmp_path: Path) -> None:
    with trio.fail_after(30):
        with suppress(KeyError):
            async with open_sqlite(tmp_path / "vega.db") as store:
                commits = [store.submit(EVENT) for _ in range(2000)]
                raise KeyError
        assert all(commit.done and commit.error is None for commit in commits)
        async with open_sqlite(tmp_path / "vega.db") as store:
            assert await store.last_event_id() == 2000


async def test_leaving_the_block_cancelled_writes_what_was_submitted(tmp_path: Path) -> None:
    with trio.fail_after(30):
        with trio.CancelScope() as scope:
            async with open_sqlite(tmp_path / "vega.db") as store:
                commit = store.submit(EVENT)
                scope.cancel()
                await trio.sleep_forever()
        assert commit.done
        assert commit.error is None


async def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with trio.fail_after(30):
        await trio.to_thread.run_sync(int)  # Trio keeps a thread, and what that needs, from its first use on
        threads, descriptors = threading.active_count(), _descriptors()
        for _ in range(3):
            async with open_sqlite(tmp_path / "vega.db") as store:
                await store.submit(EVENT).wait()
                await store.processes()
        assert (threading.active_count(), _descriptors()) == (threads, descriptors)
        assert sorted(os.listdir(tmp_path)) == ["vega.db", "vega.db.lock"]


async def test_a_closed_store_refuses_changes_and_reads(tmp_path: Path) -> None:
    with trio.fail_after(30):
        async with open_sqlite(tmp_path / "vega.db") as store:
            pass
        told: list[Commit] = []
        commit = store.submit(EVENT)
        commit.on_done(told.append)
        assert told == [commit]
        with pytest.raises(StoreError, match="closed"):
            await commit.wait()
        with pytest.raises(StoreError, match="closed"):
            await store.processes()


async def test_a_cancelled_opening_gives_everything_back(tmp_path: Path) -> None:
    with trio.fail_after(30):
        threads = threading.active_count()
        with trio.CancelScope() as scope:
            scope.cancel()
            async with open_sqlite(tmp_path / "vega.db"):
                pytest.fail("opened although cancelled")
        assert scope.cancelled_caught
        assert threading.active_count() == threads
        async with open_sqlite(tmp_path / "vega.db") as store:
            assert await store.last_event_id() == 0


async def test_a_long_read_holds_up_no_commit(tmp_path: Path) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slow(_: object) -> None:
        reading.set()
        go_on.wait(10)

    with trio.fail_after(10):
        async with open_sqlite(tmp_path / "vega.db") as store, trio.open_nursery() as nursery:
            nursery.start_soon(store._reader.read, slow)
            await trio.to_thread.run_sync(reading.wait)
            await store.submit(EVENT).wait()
            go_on.set()


async def test_a_cancelled_read_harms_no_other(tmp_path: Path) -> None:
    go_on = threading.Event()
    with trio.fail_after(30):
        async with open_sqlite(tmp_path / "vega.db") as store:
            with trio.move_on_after(0) as scope:
                await store._reader.read(lambda _: go_on.wait(10))
            assert scope.cancelled_caught
            go_on.set()
            assert await store.last_event_id() == 0


async def test_the_reading_connection_cannot_write(tmp_path: Path) -> None:
    with trio.fail_after(30):
        async with open_sqlite(tmp_path / "vega.db") as store:
            with pytest.raises(StoreError, match="read-only"):
                await store._reader.read(lambda db: db.execute("DELETE FROM event"))


async def test_a_row_that_is_not_ours_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    with trio.fail_after(30):
        async with open_sqlite(path) as store:
            await store.submit(EVENT).wait()
        conn = sqlite3.connect(path)
        conn.execute("INSERT INTO message VALUES ('p', 0, 't', 'user', '[{\"type\": \"smell\"}]', 1.0)")
        conn.commit()
        conn.close()
        async with open_sqlite(path) as store:
            with pytest.raises(StoreError, match=r"vega\.db holds a row .* message 0 of process p.*'smell'"):
                await store.messages("p")


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("process", 1)])
def test_durability_sets_when_the_disk_is_synced(tmp_path: Path, durability: Durability, level: int) -> None:
    db = open_for_writing(str(tmp_path / "vega.db"), durability)
    assert db.execute("PRAGMA synchronous").fetchone() == (level,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


async def test_an_unknown_durability_or_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="durability must be 'full' or 'process', not 'fast'"):
        async with open_sqlite(tmp_path / "vega.db", durability="fast"):  # type: ignore[arg-type]
            pytest.fail("opened")
    with pytest.raises(ConfigError, match="leave the store out"):
        async with open_sqlite(":memory:"):
            pytest.fail("opened")
    assert os.listdir(tmp_path) == []


@pytest.mark.e2e
async def test_a_second_opening_is_refused_naming_the_holder(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    with trio.fail_after(30):
        async with open_sqlite(path) as store:
            with pytest.raises(StoreBusy, match=rf"vega\.db is in use by the process {os.getpid()};"):
                async with open_sqlite(path):
                    pytest.fail("opened twice")
            other = await trio.run_process([sys.executable, "-c", _OPEN, str(path)], check=False, capture_stderr=True)
            assert other.returncode == 1
            assert f"StoreBusy: the database {path} is in use by the process {os.getpid()}".encode() in other.stderr
            await store.submit(EVENT).wait()  # the refused ones did not drop this one's locks


async def test_a_link_and_a_roundabout_path_lead_to_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "vega.db")
    with trio.fail_after(10):
        async with open_sqlite(f"{tmp_path}/../{tmp_path.name}/./vega.db"):
            with pytest.raises(StoreBusy):
                async with open_sqlite(tmp_path / "link.db"):
                    pytest.fail("opened twice")


@pytest.mark.e2e
def test_the_package_is_needed_only_when_a_file_is_opened(tmp_path: Path) -> None:
    missing = (
        "import sys, vega_trio.store.sqlite\n"
        "assert 'sqlite_utils' not in sys.modules\n"
        "sys.modules['sqlite_utils'] = None\n"
    )
    command = [sys.executable, "-c", missing + _OPEN, str(tmp_path / "vega.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "MissingExtra" in done.stderr
    assert "pip install 'vega-trio[store]'" in done.stderr
    assert not (tmp_path / "vega.db").exists()

"""Batches: how many changes one commit takes, and what a failure means for the rest."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import attrs
import pytest

from vega_trio.changes import AppendEvent, Change, ProcessRow, Promptly, Put, SaveProcess, Together
from vega_trio.errors import StoreError, StoreReadOnly
from vega_trio.events import ProcessStarted
from vega_trio.store.commit import Fate, StoreCommit
from vega_trio.store.faults import explain, is_final
from vega_trio.store.opening import open_for_writing
from vega_trio.store.statements import plan
from vega_trio.store.writer import (
    MAX_BATCH,
    PRUNE_EVERY_S,
    PRUNED_AT_ONCE,
    RETRY_S,
    Condition,
    Job,
    Writer,
    _take,
)

EVENT = AppendEvent(ProcessStarted(process_id="p", at=1.0))
# Only the database can refuse this one: the root turn's id is not part of the body, so planning does not see it.
UNWRITABLE = AppendEvent(ProcessStarted(root_turn_id="\ud800", at=1.0))


def _jobs(*changes: Change) -> list[Job]:
    return [Job(StoreCommit(), plan(change)) for change in changes]


def _fates(writer: Writer, *changes: Change, now: float = 0.0) -> list[Fate]:
    return [fate for _, fate in writer.take(_jobs(*changes), now)]


def _sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


def test_a_batch_takes_what_is_waiting_but_never_more_than_its_limit() -> None:
    queue: SimpleQueue[Job | None] = SimpleQueue()
    job = Job(StoreCommit(), plan(EVENT))
    for _ in range(2 * MAX_BATCH + 3):
        queue.put(job)
    assert [len(_take(queue, None)[0]) for _ in range(3)] == [MAX_BATCH, MAX_BATCH, 3]
    queue.put(job)
    queue.put(None)
    assert _take(queue, None) == ([job], False)
    assert _take(queue, 0.001) == ([], True)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 63, 64, 65, 200])
def test_any_number_of_events_is_written_whole_and_in_order(tmp_path: Path, count: int) -> None:
    db = open_for_writing(str(tmp_path / "vega.db"), "process")
    writer = Writer("vega.db", db, 0)
    events = [AppendEvent(ProcessStarted(process_id=f"p{number}", at=1.0)) for number in range(count)]
    fates = _fates(writer, *events)
    assert fates == [range(number, number + 1) for number in range(1, count + 1)]
    found = db.execute("SELECT id, process_id FROM event ORDER BY id").fetchall()
    assert found == [(number + 1, f"p{number}") for number in range(count)]
    db.close()


def test_an_event_that_the_database_refuses_harms_no_other(tmp_path: Path) -> None:
    db = open_for_writing(str(tmp_path / "vega.db"), "process")
    writer = Writer("vega.db", db, 0)
    fates = _fates(writer, EVENT, Together((Put("setting", "k", {}), UNWRITABLE)), EVENT, UNWRITABLE, EVENT)
    assert [fate for fate in fates if isinstance(fate, range)] == [range(1, 2), range(2, 3), range(3, 4)]
    assert [isinstance(fate, StoreError) for fate in fates] == [False, True, False, True, False]
    assert db.execute("SELECT count(*) FROM setting").fetchone() == (0,)
    assert _fates(writer, EVENT) == [range(4, 5)]
    db.close()


def test_on_a_full_disk_those_who_ask_are_refused_and_all_else_waits_in_its_order(tmp_path: Path) -> None:
    db = open_for_writing(str(tmp_path / "vega.db"), "full")
    writer = Writer("vega.db", db, 0)
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages + 2}")
    big, small = Put("setting", "big", {"text": "x" * 100_000}), Put("setting", "small", {})
    (refused,) = _fates(writer, big, Promptly(small), EVENT)
    assert isinstance(refused, StoreReadOnly)
    assert str(refused) == (
        "the database vega.db: database or disk is full: the disk is full; free some space, the store goes on by itself"
    )
    assert [type(fate) for fate in _fates(writer, EVENT, Promptly(small), now=0.1)] == [StoreReadOnly]
    assert _fates(writer, now=RETRY_S) == []
    assert db.execute("SELECT count(*) FROM setting").fetchone() == (0,)
    db.execute(f"PRAGMA max_page_count = {pages + 1000}")
    assert _fates(writer, EVENT, now=RETRY_S + 0.1) == []  # not time to try again yet
    assert _fates(writer, now=2 * RETRY_S) == [range(1, 1), range(1, 2), range(2, 3), range(3, 4)]
    assert writer.problem is None
    db.close()


def test_with_nothing_to_write_a_probe_finds_that_there_is_room_again(tmp_path: Path) -> None:
    db = open_for_writing(str(tmp_path / "vega.db"), "full")
    writer = Writer("vega.db", db, 0)
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages + 2}")
    _fates(writer, Promptly(Put("setting", "big", {"text": "x" * 100_000})))
    _fates(writer, now=RETRY_S)
    assert isinstance(writer.problem, StoreReadOnly)
    db.execute(f"PRAGMA max_page_count = {pages + 1000}")
    _fates(writer, now=2 * RETRY_S)
    assert writer.problem is None
    assert db.execute("SELECT count(*) FROM blob").fetchone() == (0,)
    db.close()


@attrs.define
class BrokenDisk:
    """A database whose every transaction fails."""

    error: Exception
    transactions: int = 0

    @contextmanager
    def atomic(self) -> Iterator[None]:
        self.transactions += 1
        raise self.error
        yield


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC, sqlite3.SQLITE_CORRUPT])
def test_after_a_failed_sync_or_in_a_damaged_file_nothing_is_tried_again(code: int) -> None:
    disk = BrokenDisk(_sqlite_error(code))
    writer = Writer("/x/vega.db", disk, 0)  # type: ignore[arg-type]
    (first,) = _fates(writer, EVENT)
    assert _fates(writer, EVENT, EVENT) == [first, first]
    assert disk.transactions == 1
    assert "/x/vega.db" in str(first)


def test_a_failed_write_is_tried_again_until_the_store_is_closed() -> None:
    disk = BrokenDisk(_sqlite_error(sqlite3.SQLITE_IOERR_WRITE))
    writer = Writer("vega.db", disk, 0)  # type: ignore[arg-type]
    for number in range(3):
        assert _fates(writer, EVENT, now=number * RETRY_S) == []
    assert disk.transactions == 3
    assert [type(fate) for _, fate in writer.give_up()] == [StoreReadOnly] * 3


def test_a_problem_is_told_when_it_comes_and_when_it_goes() -> None:
    condition, told = Condition(), []
    condition.on_change(told.append)
    first, second = StoreReadOnly("full"), StoreReadOnly("still full")
    for problem in (None, first, second, None, None):
        condition.become(problem)
    assert told == [first, None]


def test_a_bug_in_the_writer_reaches_those_who_wait() -> None:
    writer = Writer("vega.db", BrokenDisk(LookupError("oops")), 0)  # type: ignore[arg-type]
    unplanned = Job(StoreCommit(), StoreError("its own"))
    fates = writer.take([*_jobs(EVENT), unplanned], 0.0)
    assert [str(fate) for _, fate in fates] == ["the database vega.db failed: LookupError: oops", "its own"]


@pytest.mark.parametrize(
    ("code", "words", "final"),
    [
        (sqlite3.SQLITE_FULL, "free some space", False),
        (sqlite3.SQLITE_IOERR_WRITE, "see the system's log", False),
        (sqlite3.SQLITE_IOERR_FSYNC, "could not be synced", True),
        (sqlite3.SQLITE_BUSY, "close it there", False),
        (sqlite3.SQLITE_READONLY_DBMOVED, "make it writable", False),
        (sqlite3.SQLITE_CORRUPT_VTAB, "restore it from a backup", True),
        (sqlite3.SQLITE_NOTADB, "give another path", True),
        (sqlite3.SQLITE_ERROR, "the database /x/vega.db: disk I/O error", False),
    ],
)
def test_an_error_names_the_database_and_the_remedy(code: int, words: str, final: bool) -> None:
    error = _sqlite_error(code)
    assert words in str(explain(error, "/x/vega.db"))
    assert "/x/vega.db" in str(explain(error, "/x/vega.db"))
    assert is_final(error) is final


def test_a_process_row_has_a_column_for_each_field(tmp_path: Path) -> None:
    db = open_for_writing(str(tmp_path / "vega.db"), "process")
    assert set(db.table("process").columns_dict) == {field.name for field in attrs.fields(ProcessRow)}
    assert _fates(Writer("vega.db", db, 0), SaveProcess(ProcessRow(id="p", agent="a"))) == [range(1, 1)]
    db.close()


def test_old_events_are_dropped_a_few_at_a_time_and_ids_go_on(tmp_path: Path) -> None:
    db = open_for_writing(str(tmp_path / "vega.db"), "process")
    writer = Writer("vega.db", db, 0)
    old = [AppendEvent(ProcessStarted(at=float(number))) for number in range(PRUNED_AT_ONCE + 10)]
    _fates(writer, *old)
    writer.prune(PRUNED_AT_ONCE + 5.0, 0.0)
    assert db.execute("SELECT min(id), count(*) FROM event").fetchone() == (PRUNED_AT_ONCE + 1, 10)
    writer.prune(PRUNED_AT_ONCE + 5.0, 0.0)
    assert db.execute("SELECT min(id), count(*) FROM event").fetchone() == (PRUNED_AT_ONCE + 6, 5)
    writer.prune(1e9, PRUNE_EVERY_S - 1)  # not yet
    assert db.execute("SELECT count(*) FROM event").fetchone() == (5,)
    writer.prune(1e9, PRUNE_EVERY_S)
    assert _fates(writer, EVENT) == [range(PRUNED_AT_ONCE + 11, PRUNED_AT_ONCE + 12)]
    db.close()

"""The store in a file: SQLite, one thread that writes and one that reads.

What is acknowledged is on the disk: a commit is told of only after its transaction has been committed and, with
`durability="full"`, synced. With `"process"` it survives the end of the program, `kill -9` included, but the last
commits may be lost when the power is.
"""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs

from vega_trio import protocols
from vega_trio._core.codec import decode_json, encode_json
from vega_trio.changes import Change, MailRow, MessageRow, OpRow, ProcessQuery, ProcessRow, ProcessTotals, TimerRow
from vega_trio.errors import ConfigError, StoreError
from vega_trio.protocols import StoredEvent
from vega_trio.store import rows
from vega_trio.store.commit import StoreCommit
from vega_trio.store.lock import lock
from vega_trio.store.migrations import no_failpoint
from vega_trio.store.opening import SYNCHRONOUS, Durability, open_for_reading, open_for_writing
from vega_trio.store.pages import find_processes, last_records, message_counts, newest_records, query_records
from vega_trio.store.reader import Reader, Request, serve_requests
from vega_trio.store.statements import Plan, plan
from vega_trio.store.totals import ALWAYS, check_totals, process_totals, record_totals
from vega_trio.store.worker import Worker, open_worker
from vega_trio.store.writer import Condition, Job, write_jobs

if TYPE_CHECKING:
    from sqlite_utils import Database

_OP_COLUMNS: Final = (
    "process", "seq", "turn", "kind", "name", "key", "req", "state", "result", "error_class", "cost", "reserved",
    "attempts", "epoch", "begun_at", "finished_at",
)  # fmt: skip
_CLOSED: Final = "the store is closed; the change was not kept"


@asynccontextmanager
async def open_sqlite(
    path: str | os.PathLike[str],
    *,
    durability: Durability = "full",
    keep_events_s: float = math.inf,
    failpoint: Callable[[str], None] = no_failpoint,
) -> AsyncIterator[SqliteStore]:
    """Opens the database file, made if it is not there. Leaving the block writes what was submitted, and closes.

    `keep_events_s`: events older than that are dropped, in seconds.
    `failpoint` is called in the writing thread with the name of each place where a test may have it fail.

    Raises: StoreBusy when another program has it open; StoreTooNew; StoreError for a file that is no database of
    ours, damaged, read-only or on a network file system, which is left untouched; MissingExtra without the extra
    `store`; ConfigError for an unknown durability.
    """
    if durability not in SYNCHRONOUS:
        raise ConfigError(f"durability must be 'full' or 'process', not {durability!r}")
    if os.fspath(path) == ":memory:":
        raise ConfigError("':memory:' is not a file; leave the store out to keep everything in memory")
    place = os.path.realpath(path)  # noqa: ASYNC240 - looks at names only, once
    with lock(place):
        to_write = partial(open_for_writing, place, durability, failpoint=failpoint)
        to_read = partial(open_for_reading, place)
        condition = Condition()
        work = partial(write_jobs, place, failpoint, condition, keep_events_s)
        async with (
            open_worker("vega-store-writer", to_write, work, partial(_refuse, condition)) as writer,
            open_worker("vega-store-reader", to_read, serve_requests, Request.refuse) as reader,
        ):  # the reader closes first, so that the writer is the last one out and cleans up the log
            yield SqliteStore(writer, Reader(place, reader), condition)


@attrs.frozen(eq=False)
class SqliteStore:
    """A `protocols.Store` in a file. Made by `open_sqlite`."""

    _writer: Worker[Job] = attrs.field(repr=False)
    _reader: Reader
    _condition: Condition

    @property
    def pending(self) -> int:
        return self._condition.pending

    def submit(self, change: Change) -> protocols.Commit:
        """Queues the change as it is now; what happens to its values later does not matter.

        A change that cannot be written gives a failed commit, never an exception here.
        """
        commit = StoreCommit()
        if self._writer.closed:
            commit.settle(StoreError(_CLOSED))
        else:
            self._condition.pending += 1
            self._writer.put(Job(commit, _planned(change)))
        return commit

    @property
    def problem(self) -> StoreError | None:
        return self._condition.problem

    def on_problem(self, callback: Callable[[StoreError | None], None]) -> None:
        self._condition.on_change(callback)

    @property
    def records(self) -> protocols.Records:
        return SqliteRecords(self._reader)

    async def process(self, process_id: str) -> ProcessRow | None:
        found = await self._reader.read(lambda db: list(db.table("process").rows_where("id = ?", [process_id])))
        return ProcessRow(**found[0]) if found else None

    async def processes(self, *, limit: int = 1000) -> list[ProcessRow]:
        found = await self._reader.read(
            lambda db: list(db.table("process").rows_where(order_by="rowid desc", limit=limit))
        )
        return [ProcessRow(**row) for row in found]

    async def find_processes(self, wanted: ProcessQuery, *, limit: int) -> list[ProcessRow]:
        return await self._reader.read(partial(find_processes, wanted=wanted, limit=limit))

    async def process_totals(self, *, without: Collection[str] = ()) -> list[ProcessTotals]:
        return await self._reader.read(partial(process_totals, without=without))

    async def unfinished(self) -> list[ProcessRow]:
        found = await self._reader.read(
            lambda db: list(db.table("process").rows_where("status IN ('running', 'pending')", order_by="rowid"))
        )
        return [ProcessRow(**row) for row in found]

    async def messages(self, process_id: str) -> list[MessageRow]:
        return await self._reader.read(partial(_messages, process_id=process_id))

    async def message_counts(self, process_ids: Collection[str]) -> dict[str, int]:
        return await self._reader.read(partial(message_counts, process_ids=tuple(process_ids)))

    async def ops(self, process_id: str, *, turn_id: str | None = None) -> list[OpRow]:
        return await self._reader.read(partial(_ops, process_id=process_id, turn_id=turn_id))

    async def mail(self) -> list[MailRow]:
        return await self._reader.read(_mail)

    async def links(self) -> list[tuple[str, str]]:
        return await self._reader.read(partial(_pairs, query="SELECT one, other FROM link ORDER BY rowid"))

    async def monitors(self) -> list[tuple[str, str]]:
        return await self._reader.read(partial(_pairs, query="SELECT watcher, watched FROM monitor ORDER BY rowid"))

    async def reserved(self) -> dict[str, int]:
        return await self._reader.read(_reserved)

    async def timers(self) -> list[TimerRow]:
        return await self._reader.read(_timers)

    async def events_after(self, event_id: int, *, limit: int = 500) -> list[StoredEvent]:
        return await self._reader.read(partial(_events_after, event_id=event_id, limit=limit))

    async def events_of(self, process_id: str, types: Collection[str]) -> list[StoredEvent]:
        return await self._reader.read(partial(_events_of, process_id=process_id, types=tuple(types)))

    async def last_event_id(self) -> int:
        return await self._reader.read(_last_event_id)


@attrs.frozen(eq=False)
class SqliteRecords:
    """Reads of the application tables."""

    _reader: Reader

    async def get(self, table: str, key: str) -> dict[str, Any] | None:
        rows.check_table(table)
        found = await self._reader.read(
            lambda db: [decode_json(each["row"]) for each in db.table(table).rows_where("key = ?", [key])]
        )
        return found[0] if found else None

    async def query(self, table: str, **equals: Any) -> list[dict[str, Any]]:
        rows.check_filter(table, equals)
        return await self._reader.read(partial(query_records, table=table, equals=equals))

    async def newest(self, table: str, *, limit: int, before: str | None = None, **equals: Any) -> list[dict[str, Any]]:
        rows.check_filter(table, equals)
        return await self._reader.read(partial(newest_records, table=table, limit=limit, before=before, equals=equals))

    async def last_by(
        self, table: str, field: str, *, limit: int, before: tuple[str, str] | None = None, **equals: Any
    ) -> list[dict[str, Any]]:
        rows.check_filter(table, {field: None, **equals})
        return await self._reader.read(
            partial(last_records, table=table, field=field, limit=limit, before=before, equals=equals)
        )

    async def totals(
        self, table: str, by: Sequence[str], sums: Sequence[str], *, since: float = ALWAYS, **equals: Any
    ) -> list[dict[str, Any]]:
        check_totals(table, by, sums, equals)
        return await self._reader.read(
            partial(record_totals, table=table, by=by, sums=sums, since=since, equals=equals)
        )


def _messages(db: Database, process_id: str) -> list[MessageRow]:
    found = db.conn.execute(
        f"SELECT process_id, seq, turn_id, role, {_whole('parts', 'process_id')}, at"  # noqa: S608
        " FROM message AS t WHERE process_id = ? ORDER BY seq",
        (process_id,),
    )
    return [rows.message_row(*row) for row in found]


def _ops(db: Database, process_id: str, turn_id: str | None) -> list[OpRow]:
    columns = ", ".join(_whole(name, "process") if name in ("req", "result") else name for name in _OP_COLUMNS)
    one_turn = " AND turn = ?" if turn_id is not None else ""
    found = db.conn.execute(
        f"SELECT {columns} FROM op AS t WHERE process = ?{one_turn} ORDER BY seq",  # noqa: S608
        (process_id,) if turn_id is None else (process_id, turn_id),
    )
    return [rows.op_row(dict(zip(_OP_COLUMNS, row, strict=True))) for row in found]


def _mail(db: Database) -> list[MailRow]:
    found = db.conn.execute("SELECT process, id, root_id, sender, role, parts, at, tools FROM mailbox ORDER BY rowid")
    return [rows.mail_row(*row) for row in found]


def _pairs(db: Database, query: str) -> list[tuple[str, str]]:
    return [(one, other) for one, other in db.conn.execute(query)]


def _reserved(db: Database) -> dict[str, int]:
    return dict(db.conn.execute("SELECT process, sum(reserved) FROM op WHERE reserved > 0 GROUP BY process"))


def _timers(db: Database) -> list[TimerRow]:
    found = db.conn.execute("SELECT process, kind, due_at FROM timer ORDER BY due_at")
    return [TimerRow(process_id=process, kind=kind, due_at=due_at) for process, kind, due_at in found]


def _whole(column: str, process: str) -> str:
    """SQL for a text column whose long values lie in `blob`."""
    blob = f"SELECT data FROM blob WHERE process = t.{process} AND sha256 = substr(t.{column}, 6)"  # noqa: S608
    return f"CASE WHEN substr({column}, 1, 5) = '{rows.BLOB}' THEN ({blob}) ELSE {column} END"


def _events_after(db: Database, event_id: int, limit: int) -> list[StoredEvent]:
    found = db.conn.execute(
        "SELECT id, type, process_id, agent, turn_id, at, CAST(body AS BLOB) FROM event"
        " WHERE id > ? ORDER BY id LIMIT ?",
        (event_id, limit),
    )
    return [StoredEvent(*row) for row in found]


def _events_of(db: Database, process_id: str, types: tuple[str, ...]) -> list[StoredEvent]:
    found = db.conn.execute(
        "SELECT id, type, process_id, agent, turn_id, at, CAST(body AS BLOB) FROM event"
        " WHERE process_id = ? AND type IN (SELECT value FROM json_each(?)) ORDER BY id",
        (process_id, encode_json(types).decode()),
    )
    return [StoredEvent(*row) for row in found]


def _last_event_id(db: Database) -> int:
    (newest,) = db.conn.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()
    return int(newest)


def _planned(change: Change) -> Plan | StoreError:
    try:
        return plan(change)
    except (StoreError, ValueError) as error:
        return rows.refusal(error)


def _refuse(condition: Condition, job: Job) -> None:
    condition.pending -= 1
    job.commit.settle(job.plan if isinstance(job.plan, StoreError) else StoreError(_CLOSED))

"""The store that keeps everything in memory: for simulation, tests, and programs that need no file.

Every change is committed inside `submit`, so there are no threads and the same program writes the same trace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, assert_never

import attrs
import trio

from vega_trio import protocols
from vega_trio._core.codec import decode_json
from vega_trio._core.wire import encode_event
from vega_trio.changes import (
    AppendEvent,
    AppendMessage,
    Change,
    ClearMessages,
    Delete,
    MessageRow,
    ProcessRow,
    Put,
    SaveProcess,
    Together,
)
from vega_trio.errors import StoreError
from vega_trio.events import Event
from vega_trio.protocols import StoredEvent
from vega_trio.store import rows
from vega_trio.store.commit import StoreCommit

_ENDED = ("completed", "failed", "timeout")

_Undo = Callable[[], object]
_StoredMessage = tuple[str, str, bytes, float]  # turn_id, role, parts, at


@attrs.define(eq=False)
class MemoryStore:
    """A `protocols.Store` whose content ends with the program.

    A program may run for months, so only the newest `keep_events` events are kept, and `keep_ended` of those
    processes that have ended and have no conversation. Conversations are never dropped.
    """

    keep_events: int = 10_000
    keep_ended: int = 10_000
    _processes: dict[str, ProcessRow] = attrs.field(factory=dict, repr=False)
    _ended: deque[str] = attrs.field(factory=deque, repr=False)
    _messages: dict[str, dict[int, _StoredMessage]] = attrs.field(factory=dict, repr=False)
    _events: deque[StoredEvent] = attrs.field(factory=deque, repr=False)
    _last_event_id: int = 0
    _tables: dict[str, dict[str, bytes]] = attrs.field(repr=False)

    @_tables.default
    def _empty_tables(self) -> dict[str, dict[str, bytes]]:
        return {table: {} for table in rows.RECORD_TABLES}

    def submit(self, change: Change) -> protocols.Commit:
        """Commits at once. A change that cannot be made gives a failed commit, never an exception here."""
        commit = StoreCommit()
        undo: list[_Undo] = []
        first = self._last_event_id + 1
        try:
            self._apply(change, undo)
        except (StoreError, ValueError) as error:
            for step in reversed(undo):
                step()
            commit.settle(rows.refusal(error))
        else:
            self._forget()
            commit.settle(range(first, self._last_event_id + 1))
        return commit

    @property
    def records(self) -> protocols.Records:
        return MemoryRecords(self._tables)

    async def process(self, process_id: str) -> ProcessRow | None:
        await trio.lowlevel.checkpoint()
        return self._processes.get(process_id)

    async def processes(self, *, limit: int = 1000) -> list[ProcessRow]:
        await trio.lowlevel.checkpoint()
        return list(islice(reversed(self._processes.values()), limit))

    async def messages(self, process_id: str) -> list[MessageRow]:
        await trio.lowlevel.checkpoint()
        kept = self._messages.get(process_id, {})
        return [
            rows.message_row(process_id, seq, turn_id, role, parts, at)
            for seq, (turn_id, role, parts, at) in sorted(kept.items())
        ]

    async def events_after(self, event_id: int, *, limit: int = 500) -> list[StoredEvent]:
        await trio.lowlevel.checkpoint()
        oldest = self._last_event_id - len(self._events) + 1
        start = max(0, event_id + 1 - oldest)
        return list(islice(self._events, start, start + limit))

    async def last_event_id(self) -> int:
        await trio.lowlevel.checkpoint()
        return self._last_event_id

    def _apply(self, change: Change, undo: list[_Undo]) -> None:
        """Makes the change and notes how to take it back. Raises: StoreError, ValueError."""
        match change:
            case AppendEvent(event):
                self._append_event(event, undo)
            case SaveProcess(process):
                self._save(process, undo)
            case AppendMessage(message):
                self._append_message(message, undo)
            case ClearMessages(process_id):
                kept = self._messages.pop(process_id, None)
                if kept is not None:
                    undo.append(lambda: self._messages.__setitem__(process_id, kept))
            case Put(table, key, values):
                _put(self._tables, table, key, rows.record_row(table, key, values), undo)
            case Delete(table, key):
                rows.check_table(table)
                _delete(self._tables, table, key, undo)
            case Together(changes):
                for each in changes:
                    self._apply(each, undo)
            case _:
                assert_never(change)

    def _append_event(self, event: Event, undo: list[_Undo]) -> None:
        id_, body = self._last_event_id + 1, encode_event(event)
        self._events.append(
            StoredEvent(id_, event.type, event.process_id, event.agent, event.turn_id, event.at, body)
        )
        self._last_event_id = id_
        undo.append(self._unappend)

    def _unappend(self) -> None:
        self._events.pop()
        self._last_event_id -= 1

    def _save(self, process: ProcessRow, undo: list[_Undo]) -> None:
        before = self._processes.get(process.id)
        self._processes[process.id] = process
        if before is None:
            undo.append(lambda: self._processes.pop(process.id))
        else:
            undo.append(lambda: self._processes.__setitem__(process.id, before))
        if process.status in _ENDED and (before is None or before.status not in _ENDED):
            self._ended.append(process.id)
            undo.append(self._ended.pop)

    def _append_message(self, row: MessageRow, undo: list[_Undo]) -> None:
        parts = rows.message_parts(row)
        kept = self._messages.setdefault(row.process_id, {})
        if row.seq in kept:
            raise StoreError(f"process {row.process_id} has a message with seq {row.seq} already")
        kept[row.seq] = (row.turn_id, row.message.role, parts, row.at)
        undo.append(lambda: kept.pop(row.seq))

    def _forget(self) -> None:
        while len(self._events) > self.keep_events:
            self._events.popleft()
        while len(self._ended) > self.keep_ended:
            process = self._processes.get(self._ended.popleft())
            if process is not None and process.status in _ENDED and not self._messages.get(process.id):
                del self._processes[process.id]


@attrs.frozen
class MemoryRecords:
    """Reads of the application tables. Rows are kept as JSON, so a caller never holds the store's own."""

    _tables: dict[str, dict[str, bytes]] = attrs.field(repr=False)

    async def get(self, table: str, key: str) -> dict[str, Any] | None:
        await trio.lowlevel.checkpoint()
        rows.check_table(table)
        row = self._tables[table].get(key)
        return None if row is None else decode_json(row)

    async def query(self, table: str, **equals: Any) -> list[dict[str, Any]]:
        await trio.lowlevel.checkpoint()
        rows.check_filter(table, equals)
        found = [decode_json(row) for row in self._tables[table].values()]
        return [row for row in found if rows.matches(row, equals)]


def _put(tables: dict[str, dict[str, bytes]], table: str, key: str, row: bytes, undo: list[_Undo]) -> None:
    before = tables[table].get(key)
    tables[table][key] = row
    if before is None:
        undo.append(lambda: tables[table].pop(key))
    else:
        undo.append(lambda: tables[table].__setitem__(key, before))


def _delete(tables: dict[str, dict[str, bytes]], table: str, key: str, undo: list[_Undo]) -> None:
    """Taking a deletion back restores the table as it was, since a row put again would come last."""
    if key in tables[table]:
        before = dict(tables[table])
        del tables[table][key]
        undo.append(lambda: tables.__setitem__(table, before))

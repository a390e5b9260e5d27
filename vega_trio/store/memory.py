"""The store that keeps everything in memory: for simulation, tests, and programs that need no file.

Every change is committed inside `submit`, so there are no threads and the same program writes the same trace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from heapq import nlargest
from itertools import islice

import attrs
import trio

from vega_trio import protocols
from vega_trio.changes import (
    AppendEvent,
    AppendMessage,
    Change,
    ClearMessages,
    Delete,
    DropMail,
    DropMessages,
    KeepMail,
    LoseReserved,
    MailRow,
    MessageRow,
    OpBegun,
    OpFinished,
    OpRow,
    ProcessFact,
    ProcessQuery,
    ProcessRow,
    ProcessTotals,
    Promptly,
    Put,
    Reserve,
    SaveProcess,
    Spend,
    TimerRow,
    Together,
)
from vega_trio.errors import StoreError
from vega_trio.events import Event
from vega_trio.protocols import StoredEvent
from vega_trio.store import rows
from vega_trio.store.commit import StoreCommit
from vega_trio.store.memory_events import MemoryEvents
from vega_trio.store.memory_journal import MemoryJournal
from vega_trio.store.memory_records import MemoryRecords, delete, put
from vega_trio.store.memory_ties import MemoryTies, Undo
from vega_trio.store.totals import folded_processes

_ENDED = ("completed", "failed", "timeout")

_StoredMessage = tuple[str, str, bytes, float]  # turn_id, role, parts, at


@attrs.define(eq=False)
class MemoryStore:
    """A `protocols.Store` whose content ends with the program.

    A program may run for months, so only the newest `keep_events` events are kept, `keep_ops` calls of each process,
    and `keep_ended` of those processes that have ended and have no conversation. Conversations are never dropped.
    """

    keep_events: int = 10_000
    keep_ended: int = 10_000
    keep_ops: int = 1_000
    _processes: dict[str, ProcessRow] = attrs.field(factory=dict, repr=False)
    _ended: deque[str] = attrs.field(factory=deque, repr=False)
    _messages: dict[str, dict[int, _StoredMessage]] = attrs.field(factory=dict, repr=False)
    _mail: dict[str, dict[str, MailRow]] = attrs.field(factory=dict, repr=False)
    _ties: MemoryTies = attrs.field(factory=MemoryTies, repr=False)
    _journal: MemoryJournal = attrs.field(init=False, repr=False)
    _events: MemoryEvents = attrs.field(init=False, repr=False)
    _tables: dict[str, dict[str, bytes]] = attrs.field(repr=False)

    @_journal.default
    def _no_calls(self) -> MemoryJournal:
        return MemoryJournal(self.keep_ops)

    @_events.default
    def _no_events(self) -> MemoryEvents:
        return MemoryEvents(self.keep_events)

    @_tables.default
    def _empty_tables(self) -> dict[str, dict[str, bytes]]:
        return {table: {} for table in rows.RECORD_TABLES}

    def submit(self, change: Change) -> protocols.Commit:
        """Commits at once. A change that cannot be made gives a failed commit, never an exception here."""
        if isinstance(change, AppendEvent):
            return self._submit_event(change.event)
        commit = StoreCommit()
        undo: list[Undo] = []
        first = self._events.last_id + 1
        try:
            self._apply(change, undo)
        except (StoreError, ValueError) as error:
            for step in reversed(undo):
                step()
            commit.settle(rows.refusal(error))
        else:
            self._events.forget_old()
            self._forget_processes()
            commit.settle(range(first, self._events.last_id + 1))
        return commit

    def _submit_event(self, event: Event) -> protocols.Commit:
        """Most changes are one event, of which nothing is ever to be taken back."""
        try:
            self._events.append(event)
        except ValueError as error:
            return StoreCommit(done=True, error=rows.refusal(error))
        self._events.forget_old()
        return StoreCommit(True, None, (self._events.last_id,))

    @property
    def pending(self) -> int:
        return 0

    @property
    def problem(self) -> StoreError | None:
        return None  # memory that cannot be written is the end of the program

    def on_problem(self, callback: Callable[[StoreError | None], None]) -> None:
        """There is never one."""

    @property
    def records(self) -> protocols.Records:
        return MemoryRecords(self._tables)

    async def process(self, process_id: str) -> ProcessRow | None:
        await trio.lowlevel.checkpoint()
        return self._processes.get(process_id)

    async def processes(self, *, limit: int = 1000) -> list[ProcessRow]:
        await trio.lowlevel.checkpoint()
        return list(islice(reversed(self._processes.values()), limit))

    async def find_processes(self, wanted: ProcessQuery, *, limit: int) -> list[ProcessRow]:
        await trio.lowlevel.checkpoint()
        found = filter(wanted.takes, self._processes.values())
        return nlargest(limit, found, key=lambda row: (row.started_at, row.id))

    async def unfinished(self) -> list[ProcessRow]:
        await trio.lowlevel.checkpoint()
        return [row for row in self._processes.values() if row.status not in _ENDED]

    async def process_totals(self, *, without: Collection[str] = ()) -> list[ProcessTotals]:
        return folded_processes(self._processes.values(), without)

    async def ops(self, process_id: str, *, turn_id: str | None = None) -> list[OpRow]:
        await trio.lowlevel.checkpoint()
        return self._journal.of(process_id, turn_id)

    async def mail(self) -> list[MailRow]:
        await trio.lowlevel.checkpoint()
        return [row for mails in self._mail.values() for row in mails.values()]

    async def links(self) -> list[tuple[str, str]]:
        await trio.lowlevel.checkpoint()
        return list(self._ties.links)

    async def reserved(self) -> dict[str, int]:
        await trio.lowlevel.checkpoint()
        return self._journal.reserved()

    async def monitors(self) -> list[tuple[str, str]]:
        await trio.lowlevel.checkpoint()
        return list(self._ties.monitors)

    async def timers(self) -> list[TimerRow]:
        await trio.lowlevel.checkpoint()
        return sorted(self._ties.timers.values(), key=lambda row: row.due_at)

    async def messages(self, process_id: str) -> list[MessageRow]:
        await trio.lowlevel.checkpoint()
        kept = self._messages.get(process_id, {})
        return [
            rows.message_row(process_id, seq, turn_id, role, parts, at)
            for seq, (turn_id, role, parts, at) in sorted(kept.items())
        ]

    async def message_counts(self, process_ids: Collection[str]) -> dict[str, int]:
        await trio.lowlevel.checkpoint()
        return {id_: _sides(self._messages[id_]) for id_ in process_ids if self._messages.get(id_)}

    async def events_after(self, event_id: int, *, limit: int = 500) -> list[StoredEvent]:
        await trio.lowlevel.checkpoint()
        return self._events.after(event_id, limit)

    async def events_of(self, process_id: str, types: Collection[str]) -> list[StoredEvent]:
        await trio.lowlevel.checkpoint()
        return self._events.of(process_id, types)

    async def last_event_id(self) -> int:
        await trio.lowlevel.checkpoint()
        return self._events.last_id

    def _apply(self, change: Change, undo: list[Undo]) -> None:
        """Makes the change and notes how to take it back. Raises: StoreError, ValueError."""
        match change:
            case AppendEvent(event):
                self._events.append(event)
                undo.append(self._events.take_back)
            case Put(table, key, values):
                put(self._tables, table, key, rows.record_row(table, key, values), undo)
            case Delete(table, key):
                rows.check_table(table)
                delete(self._tables, table, key, undo)
            case Together(changes):
                for each in changes:
                    self._apply(each, undo)
            case Promptly(change):
                self._apply(change, undo)
            case _:
                self._apply_fact(change, undo)

    def _apply_fact(self, change: ProcessFact, undo: list[Undo]) -> None:
        match change:
            case SaveProcess(process):
                self._save(process, undo)
            case AppendMessage(message):
                self._append_message(message, undo)
            case ClearMessages(process_id):
                self._clear(process_id, undo)
            case DropMessages(process_id, from_seq):
                self._drop_messages(process_id, from_seq, undo)
            case OpBegun(op):
                self._check_epoch(op.process_id, op.epoch)
                self._journal.begin(op, undo)
            case OpFinished():
                self._check_epoch(change.process_id, change.epoch)
                self._journal.finish(change, undo)
            case KeepMail(mail):
                self._keep_mail(mail, undo)
            case DropMail(process_id, id_):
                self._drop_mail(process_id, id_, undo)
            case Reserve():
                self._check_epoch(change.process_id, change.epoch)
                self._journal.reserve(change, undo)
            case LoseReserved(process_id):
                self._journal.lose(process_id, undo)
            case Spend():
                self._spend(change, undo)
            case _:
                self._ties.apply(change, undo)

    def _save(self, process: ProcessRow, undo: list[Undo]) -> None:
        before = self._processes.get(process.id)
        self._check_epoch(process.id, process.epoch)
        if before is not None:
            spent, reserved = before.spent_microusd, before.reserved_microusd
            process = attrs.evolve(process, spent_microusd=spent, reserved_microusd=reserved)
        self._processes[process.id] = process
        if before is None:
            undo.append(lambda: self._processes.pop(process.id))
        else:
            undo.append(lambda: self._processes.__setitem__(process.id, before))
        if process.status in _ENDED and (before is None or before.status not in _ENDED):
            self._ended.append(process.id)
            undo.append(self._ended.pop)

    def _append_message(self, row: MessageRow, undo: list[Undo]) -> None:
        parts = rows.message_parts(row)
        kept = self._messages.setdefault(row.process_id, {})
        if row.seq in kept:
            raise StoreError(f"process {row.process_id} has a message with seq {row.seq} already")
        kept[row.seq] = (row.turn_id, row.message.role, parts, row.at)
        undo.append(lambda: kept.pop(row.seq))

    def _clear(self, process_id: str, undo: list[Undo]) -> None:
        kept = self._messages.pop(process_id, None)
        if kept is not None:
            undo.append(lambda: self._messages.__setitem__(process_id, kept))
        self._journal.clear(process_id, undo)

    def _drop_messages(self, process_id: str, from_seq: int, undo: list[Undo]) -> None:
        kept = self._messages.get(process_id, {})
        self._messages[process_id] = {seq: row for seq, row in kept.items() if seq < from_seq}
        undo.append(lambda: self._messages.__setitem__(process_id, kept))

    def _spend(self, change: Spend, undo: list[Undo]) -> None:
        before = self._processes.get(change.process_id)
        if before is not None:
            spent, reserved = change.spent_microusd, change.reserved_microusd
            after = attrs.evolve(before, spent_microusd=spent, reserved_microusd=reserved)
            self._processes[change.process_id] = after
            undo.append(lambda: self._processes.__setitem__(change.process_id, before))

    def _keep_mail(self, mail: MailRow, undo: list[Undo]) -> None:
        rows.message_parts(mail)  # what SQLite could not keep is refused here too
        mails = self._mail.setdefault(mail.process_id, {})
        if mail.id not in mails:
            mails[mail.id] = mail
            undo.append(lambda: mails.pop(mail.id))

    def _drop_mail(self, process_id: str, id_: str | None, undo: list[Undo]) -> None:
        before = self._mail.pop(process_id, None)
        if before is not None:
            undo.append(lambda: self._mail.__setitem__(process_id, before))
            rest = {} if id_ is None else {key: row for key, row in before.items() if key != id_}
            if rest:
                self._mail[process_id] = rest

    def _check_epoch(self, process_id: str, epoch: int) -> None:
        process = self._processes.get(process_id)
        if process is not None and process.epoch > epoch:
            raise StoreError(f"process {process_id} was taken up by another program since; nothing was kept")

    def _forget_processes(self) -> None:
        while len(self._ended) > self.keep_ended:
            process = self._processes.get(self._ended.popleft())
            if process is not None and process.status in _ENDED and not self._messages.get(process.id):
                del self._processes[process.id]


def _sides(kept: Mapping[int, _StoredMessage]) -> int:
    """The messages, one of each side a turn; those that belong to none count each."""
    return len({(turn_id or seq, role) for seq, (turn_id, role, _, _) in kept.items()})

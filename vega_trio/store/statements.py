"""Changes as SQL. The hot statements are written out here; a change is turned into them when it is submitted."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final, assert_never

import attrs

from vega_trio._core.codec import encode_json
from vega_trio._core.wire import encode_event
from vega_trio.changes import (
    AppendEvent,
    AppendMessage,
    Change,
    ClearMessages,
    Delete,
    DropMail,
    DropMessages,
    DropTimers,
    KeepMail,
    Link,
    LoseReserved,
    MailRow,
    MessageRow,
    Messages,
    OpBegun,
    OpFinished,
    OpRow,
    ProcessFact,
    ProcessRow,
    Promptly,
    Put,
    Reserve,
    SaveProcess,
    SetTimer,
    Sever,
    Spend,
    Ties,
    Together,
    Unlink,
    Unwatch,
    Watch,
)
from vega_trio.events import Event
from vega_trio.store import rows

Values = tuple[Any, ...]

_PROCESS_COLUMNS: Final = tuple(field.name for field in attrs.fields(ProcessRow))
_NOT_SAVED_AGAIN: Final = ("id", "spent_microusd", "reserved_microusd")
_process_values = attrgetter(*_PROCESS_COLUMNS)
_event_columns = attrgetter("type", "process_id", "agent", "turn_id", "root_turn_id", "at")

# Built from names that this package defines, never from anything that came in.
_SAVE_PROCESS: Final = (
    f"INSERT INTO process ({', '.join(_PROCESS_COLUMNS)})"  # noqa: S608
    f" VALUES ({', '.join('?' * len(_PROCESS_COLUMNS))}) ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _PROCESS_COLUMNS if name not in _NOT_SAVED_AGAIN)
    + " WHERE excluded.epoch >= process.epoch"
)
_APPEND_MESSAGE: Final = "INSERT INTO message (process_id, seq, turn_id, role, parts, at) VALUES (?, ?, ?, ?, ?, ?)"
_CLEAR: Final = (
    "DELETE FROM message WHERE process_id = ?",
    "DELETE FROM op WHERE process = ?",
    "DELETE FROM blob WHERE process = ?",
)
_DROP_MESSAGES: Final = "DELETE FROM message WHERE process_id = ? AND seq >= ?"
_KEEP_BLOB: Final = "INSERT OR IGNORE INTO blob (process, sha256, data) VALUES (?, ?, ?)"
_NOT_FENCED: Final = "NOT EXISTS (SELECT 1 FROM process WHERE id = ? AND epoch > ?)"
_BEGIN_OP: Final = (
    "INSERT INTO op (process, seq, turn, kind, name, key, req, state, error_class, cost, attempts, epoch, begun_at)"
    f" SELECT ?, ?, ?, ?, ?, ?, ?, 'begun', '', 0, ?, ?, ? WHERE {_NOT_FENCED}"
    " ON CONFLICT (process, seq) DO UPDATE"
    " SET attempts = op.attempts + 1, epoch = excluded.epoch, begun_at = excluded.begun_at"
    " WHERE op.key = excluded.key AND op.state = 'begun' AND op.epoch <= excluded.epoch"
)
_FINISH_OP: Final = (
    "UPDATE op SET state = ?, result = ?, error_class = ?, cost = ?, reserved = 0, epoch = ?, finished_at = ?"  # noqa: S608
    f" WHERE process = ? AND seq = ? AND state = 'begun' AND {_NOT_FENCED}"
)
_RESERVE: Final = (
    f"UPDATE op SET reserved = ?, cost = ? WHERE process = ? AND seq = ? AND state = 'begun' AND {_NOT_FENCED}"  # noqa: S608
)
_LOSE: Final = "UPDATE op SET cost = cost + reserved, reserved = 0 WHERE process = ? AND reserved > 0"
_SPEND: Final = "UPDATE process SET spent_microusd = ?, reserved_microusd = ? WHERE id = ?"
_LINK: Final = "INSERT INTO link (one, other) VALUES (?, ?) ON CONFLICT DO NOTHING"
_UNLINK: Final = "DELETE FROM link WHERE one = ? AND other = ?"
_WATCH: Final = "INSERT INTO monitor (watcher, watched) VALUES (?, ?) ON CONFLICT DO NOTHING"
_UNWATCH: Final = "DELETE FROM monitor WHERE watcher = ? AND watched = ?"
_SEVER: Final = (
    "DELETE FROM link WHERE one = ? OR other = ?",
    "DELETE FROM monitor WHERE watcher = ? OR watched = ?",
)
_SET_TIMER: Final = (
    "INSERT INTO timer (process, kind, due_at) VALUES (?, ?, ?)"
    " ON CONFLICT (process, kind) DO UPDATE SET due_at = excluded.due_at"
)
_DROP_TIMERS: Final = "DELETE FROM timer WHERE process = ?"
_KEEP_MAIL: Final = (
    "INSERT INTO mailbox (process, id, root_id, sender, role, parts, at, tools) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (process, id) DO NOTHING"
)
_DROP_MAIL: Final = "DELETE FROM mailbox WHERE process = ? AND id = ?"
_DROP_ALL_MAIL: Final = "DELETE FROM mailbox WHERE process = ?"

MUST_CHANGE: Final = {
    _SAVE_PROCESS: "the process was taken up by another program since",
    _BEGIN_OP: "the call has finished already, or its process was taken up by another program since",
    _FINISH_OP: "the call is not under way, or its process was taken up by another program since",
    _RESERVE: "the call is not under way, or its process was taken up by another program since",
}
"""Statements that change one row, or what it means when they change none: their change is refused."""
_PUT: Final = {
    table: f'INSERT INTO "{table}" (key, row) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET row = excluded.row'  # noqa: S608
    for table in rows.RECORD_TABLES
}
_DELETE: Final = {table: f'DELETE FROM "{table}" WHERE key = ?' for table in rows.RECORD_TABLES}  # noqa: S608

_EVENT_COLUMNS: Final = "id, type, process_id, agent, turn_id, root_turn_id, at, body"
_EVENT_MARKS: Final = "(?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_EVENTS: Final = tuple(
    (count, f"INSERT INTO event ({_EVENT_COLUMNS}) VALUES {', '.join([_EVENT_MARKS] * count)}")  # noqa: S608
    for count in (64, 8, 1)
)
"""(rows, statement), the longest first.

Many rows in one statement, not `executemany`: that gives up the interpreter lock at each row, and a Trio thread
that is busy gives it back only after 5 ms, which made a hundred times as many milliseconds of a batch.
"""


@attrs.frozen(eq=False)
class Plan:
    """What a change comes to. Events lie in a table of their own, so they can be written after the rest.

    `events` are their columns without the id, which the writer gives. `prompt`: refused rather than held.
    """

    statements: Sequence[tuple[str, Values]]
    events: Sequence[Values]
    prompt: bool = False


def plan(change: Change) -> Plan:
    """Raises: StoreError, ValueError when the change cannot be written down."""
    if isinstance(change, AppendEvent):  # most are
        return Plan((), (_event_values(change.event),))
    statements: list[tuple[str, Values]] = []
    events: list[Values] = []
    _add(change, statements, events)
    return Plan(statements, events, isinstance(change, Promptly))


def _add(change: Change, statements: list[tuple[str, Values]], events: list[Values]) -> None:
    match change:
        case AppendEvent(event):
            events.append(_event_values(event))
        case Put(table, key, row):
            encoded = rows.record_row(table, key, row).decode()  # also knows the tables, so it comes first
            statements.append((_PUT[table], (key, encoded)))
        case Delete(table, key):
            rows.check_table(table)
            statements.append((_DELETE[table], (key,)))
        case Together(changes):
            for each in changes:
                _add(each, statements, events)
        case Promptly(change):
            _add(change, statements, events)
        case _:
            _add_fact(change, statements)


def _add_fact(change: ProcessFact, statements: list[tuple[str, Values]]) -> None:
    match change:
        case SaveProcess(process):
            statements.append((_SAVE_PROCESS, _process_values(process)))
        case AppendMessage() | ClearMessages() | DropMessages():
            _add_messages(change, statements)
        case OpBegun(op):
            statements.append((_BEGIN_OP, _begun_values(op, statements)))
        case OpFinished():
            statements.append((_FINISH_OP, _finished_values(change, statements)))
        case KeepMail(mail):
            statements.append((_KEEP_MAIL, _mail_values(mail)))
        case DropMail(process_id, None):
            statements.append((_DROP_ALL_MAIL, (process_id,)))
        case DropMail(process_id, id_):
            statements.append((_DROP_MAIL, (process_id, id_)))
        case Reserve(process_id=id_, seq=seq, epoch=epoch, reserved_microusd=reserved, cost_microusd=cost):
            statements.append((_RESERVE, (reserved, cost, id_, seq, id_, epoch)))
        case LoseReserved(process_id):
            statements.append((_LOSE, (process_id,)))
        case Spend(process_id, spent, reserved):
            statements.append((_SPEND, (spent, reserved, process_id)))
        case _:
            _add_tie(change, statements)


def _add_messages(change: Messages, statements: list[tuple[str, Values]]) -> None:
    match change:
        case AppendMessage(row):
            statements.append((_APPEND_MESSAGE, _message_values(row, statements)))
        case ClearMessages(process_id):
            statements.extend((statement, (process_id,)) for statement in _CLEAR)
        case DropMessages(process_id, from_seq):
            statements.append((_DROP_MESSAGES, (process_id, from_seq)))


def _add_tie(change: Ties, statements: list[tuple[str, Values]]) -> None:
    match change:
        case Link(one, other):
            statements.append((_LINK, rows.pair(one, other)))
        case Unlink(one, other):
            statements.append((_UNLINK, rows.pair(one, other)))
        case Watch(watcher, watched):
            statements.append((_WATCH, (watcher, watched)))
        case Unwatch(watcher, watched):
            statements.append((_UNWATCH, (watcher, watched)))
        case Sever(process_id):
            statements.extend((statement, (process_id, process_id)) for statement in _SEVER)
        case SetTimer(row):
            statements.append((_SET_TIMER, (row.process_id, row.kind, row.due_at)))
        case DropTimers(process_id):
            statements.append((_DROP_TIMERS, (process_id,)))
        case _:
            assert_never(change)


def _message_values(row: MessageRow, statements: list[tuple[str, Values]]) -> Values:
    parts = _kept(row.process_id, rows.message_parts(row).decode(), statements)
    return (row.process_id, row.seq, row.turn_id, row.message.role, parts, row.at)


def _begun_values(op: OpRow, statements: list[tuple[str, Values]]) -> Values:
    request = _kept(op.process_id, rows.json_object(op.request), statements)
    named = (op.process_id, op.seq, op.turn_id, op.kind, op.name, op.key)
    return (*named, request, op.attempts, op.epoch, op.begun_at, op.process_id, op.epoch)


def _finished_values(end: OpFinished, statements: list[tuple[str, Values]]) -> Values:
    result = None if end.result is None else _kept(end.process_id, rows.json_object(end.result), statements)
    outcome = (end.state, result, end.error_class, end.cost_microusd, end.epoch, end.at)
    return (*outcome, end.process_id, end.seq, end.process_id, end.epoch)


def _mail_values(mail: MailRow) -> Values:
    parts = rows.message_parts(mail).decode()
    tools = None if mail.tools is None else encode_json(mail.tools).decode()
    return (mail.process_id, mail.id, mail.root_id, mail.sender_id, mail.message.role, parts, mail.at, tools)


def _kept(process_id: str, text: str, statements: list[tuple[str, Values]]) -> str:
    """What the text's column holds; a long one is kept as a blob."""
    column, digest = rows.packed(text)
    if digest is not None:
        statements.append((_KEEP_BLOB, (process_id, digest, text)))
    return column


def _event_values(event: Event) -> Values:
    return (*_event_columns(event), encode_event(event).decode())

"""Changes as SQL. The hot statements are written out here; a change is turned into them when it is submitted."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final, assert_never

import attrs

from vega_trio._core.wire import encode_event
from vega_trio.changes import (
    AppendEvent,
    AppendMessage,
    Change,
    ClearMessages,
    Delete,
    ProcessRow,
    Put,
    SaveProcess,
    Together,
)
from vega_trio.events import Event
from vega_trio.store import rows

Values = tuple[Any, ...]

_PROCESS_COLUMNS: Final = tuple(field.name for field in attrs.fields(ProcessRow))
_process_values = attrgetter(*_PROCESS_COLUMNS)

# Built from names that this package defines, never from anything that came in.
_SAVE_PROCESS: Final = (
    f"INSERT INTO process ({', '.join(_PROCESS_COLUMNS)})"  # noqa: S608
    f" VALUES ({', '.join('?' * len(_PROCESS_COLUMNS))}) ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _PROCESS_COLUMNS if name != "id")
)
_APPEND_MESSAGE: Final = "INSERT INTO message (process_id, seq, turn_id, role, parts, at) VALUES (?, ?, ?, ?, ?, ?)"
_CLEAR_MESSAGES: Final = "DELETE FROM message WHERE process_id = ?"
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

    `events` are their columns without the id, which the writer gives.
    """

    statements: Sequence[tuple[str, Values]]
    events: Sequence[Values]


def plan(change: Change) -> Plan:
    """Raises: StoreError, ValueError when the change cannot be written down."""
    if isinstance(change, AppendEvent):  # most are
        return Plan((), (_event_values(change.event),))
    statements: list[tuple[str, Values]] = []
    events: list[Values] = []
    _add(change, statements, events)
    return Plan(statements, events)


def _add(change: Change, statements: list[tuple[str, Values]], events: list[Values]) -> None:
    match change:
        case AppendEvent(event):
            events.append(_event_values(event))
        case SaveProcess(process):
            statements.append((_SAVE_PROCESS, _process_values(process)))
        case AppendMessage(row):
            parts = rows.message_parts(row).decode()
            values = (row.process_id, row.seq, row.turn_id, row.message.role, parts, row.at)
            statements.append((_APPEND_MESSAGE, values))
        case ClearMessages(process_id):
            statements.append((_CLEAR_MESSAGES, (process_id,)))
        case Put(table, key, row):
            encoded = rows.record_row(table, key, row).decode()  # also knows the tables, so it comes first
            statements.append((_PUT[table], (key, encoded)))
        case Delete(table, key):
            rows.check_table(table)
            statements.append((_DELETE[table], (key,)))
        case Together(changes):
            for each in changes:
                _add(each, statements, events)
        case _:
            assert_never(change)


def _event_values(event: Event) -> Values:
    body = encode_event(event).decode()
    return (event.type, event.process_id, event.agent, event.turn_id, event.root_turn_id, event.at, body)

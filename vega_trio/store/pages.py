"""Rows that are looked for, and long lists a part at a time: nothing is read that is not given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from vega_trio._core.codec import decode_json, encode_json
from vega_trio.changes import ProcessQuery, ProcessRow
from vega_trio.store import rows, schema

if TYPE_CHECKING:
    from sqlite_utils import Database

_SEARCHED: Final = "lower(id || ' ' || agent || ' ' || coalesce(name, '') || ' ' || task)"
_TURN: Final = "CASE turn_id WHEN '' THEN seq ELSE turn_id END"


def find_processes(db: Database, wanted: ProcessQuery, limit: int) -> list[ProcessRow]:
    conditions: list[str] = []
    values: list[Any] = []
    for condition, value in (
        ("status = ?", wanted.status),
        ("agent = ?", wanted.agent),
        (f"instr({_SEARCHED}, lower(?)) > 0", wanted.text or None),
        ("id NOT IN (SELECT value FROM json_each(?))", encode_json(tuple(wanted.without)).decode()),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if wanted.before is not None:
        conditions.append("(started_at, id) < (?, ?)")
        values += wanted.before
    found = db.table("process").rows_where(
        " AND ".join(conditions), values, order_by="started_at DESC, id DESC", limit=limit
    )
    return [ProcessRow(**row) for row in found]


def message_counts(db: Database, process_ids: tuple[str, ...]) -> dict[str, int]:
    asked = "process_id IN (SELECT value FROM json_each(?))"
    query = f"SELECT process_id, count(DISTINCT role || {_TURN}) FROM message WHERE {asked} GROUP BY 1"  # noqa: S608
    return dict(db.conn.execute(query, (encode_json(process_ids).decode(),)))


def query_records(db: Database, table: str, equals: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is found is compared once more: to SQL, the text "[1]" and the list [1] are the same."""
    conditions, values = _conditions(table, equals)
    found = db.table(table).rows_where(" AND ".join(conditions) or None, values, select="row", order_by="rowid")
    return [row for row in (decode_json(each["row"]) for each in found) if rows.matches(row, equals)]


def newest_records(
    db: Database, table: str, limit: int, before: str | None, equals: Mapping[str, Any]
) -> list[dict[str, Any]]:
    conditions, values = _conditions(table, equals)
    if before is not None:
        conditions.append(f'rowid < (SELECT rowid FROM "{table}" WHERE key = ?)')  # noqa: S608 - a known table
        values.append(before)
    found = db.table(table).rows_where(
        " AND ".join(conditions) or None, values, select="row", order_by="rowid DESC", limit=limit
    )
    return [row for row in (decode_json(each["row"]) for each in found) if rows.matches(row, equals)]


def last_records(
    db: Database, table: str, field: str, limit: int, before: tuple[str, str] | None, equals: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Names were checked; values are bound."""
    conditions, values = _conditions(table, equals)
    text = schema.field(field)
    conditions.append(f"json_type(row, '$.{field}') = 'text'")
    if before is not None:
        conditions.append(f"({text}, key) < (?, ?)")
        values += before
    found = db.table(table).rows_where(
        " AND ".join(conditions), values, select="row", order_by=f"{text} DESC, key DESC", limit=limit
    )
    return [row for row in (decode_json(each["row"]) for each in found) if rows.matches(row, equals)]


def _conditions(table: str, equals: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    """Indexed fields are written as the index has them; other names are bound, as the values are."""
    conditions, values = [], []
    for name, value in equals.items():
        if name in schema.INDEXED.get(table, ()):
            conditions.append(f"{schema.field(name)} IS ?")
        else:
            conditions.append("json_extract(row, ?) IS ?")
            values.append(f"$.{name}")
        values.append(value)
    return conditions, values

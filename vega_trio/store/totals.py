"""Sums over many rows: in SQL where there is a database, so that none of them is read into memory; else by folding."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import attrs

from vega_trio._core.codec import encode_json
from vega_trio.changes import ProcessRow, ProcessTotals
from vega_trio.store import rows, schema

if TYPE_CHECKING:
    from sqlite_utils import Database

ALWAYS: Final = float("-inf")
DAY: Final = "day"
_SUMMED: Final = tuple(field.name for field in attrs.fields(ProcessTotals))[2:]


def record_totals(
    db: Database, table: str, by: Sequence[str], sums: Sequence[str], since: float, equals: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Names were checked; values are bound."""
    conditions, values = ["TRUE"], []
    if since != ALWAYS:
        conditions.append(f"{schema.field('at')} >= ?")
        values.append(since)
    for name, value in equals.items():
        conditions.append(f"{schema.field(name)} IS ?")
        values.append(value)
    keys = [f"date({schema.field('at')}, 'unixepoch')" if name == DAY else schema.field(name) for name in by]
    columns = [*keys, *(f"coalesce(sum({schema.field(name)}), 0)" for name in sums)]
    groups = ", ".join(str(number) for number in range(1, len(keys) + 1))
    where = " AND ".join(conditions)
    query = f'SELECT {", ".join(columns)} FROM "{table}" WHERE {where} GROUP BY {groups}'  # noqa: S608
    return [dict(zip((*by, *sums), row, strict=True)) for row in db.conn.execute(query, values)]


def folded_records(
    found: Iterable[Mapping[str, Any]], by: Sequence[str], sums: Sequence[str], since: float
) -> list[dict[str, Any]]:
    """The same of rows that are in memory."""
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in found:
        if since == ALWAYS or row["at"] >= since:
            key = tuple(_day(row) if name == DAY else row.get(name) for name in by)
            group = groups.setdefault(key, {**dict(zip(by, key, strict=True)), **dict.fromkeys(sums, 0)})
            for name in sums:
                group[name] += row.get(name) or 0
    return list(groups.values())


def _day(row: Mapping[str, Any]) -> str:
    return datetime.fromtimestamp(row["at"], UTC).date().isoformat()


def check_totals(table: str, by: Sequence[str], sums: Sequence[str], equals: Mapping[str, Any]) -> None:
    """Raises: StoreError for what is no table, field or value."""
    rows.check_filter(table, {**dict.fromkeys((*by, *sums)), **equals})


def process_totals(db: Database, without: Collection[str]) -> list[ProcessTotals]:
    sums = ", ".join(f"sum({name})" for name in _SUMMED)
    others = "id NOT IN (SELECT value FROM json_each(?))"
    query = f"SELECT status, count(*), {sums} FROM process WHERE {others} GROUP BY 1"  # noqa: S608
    found = db.conn.execute(query, (encode_json(tuple(without)).decode(),))
    return [ProcessTotals(status=row[0], count=row[1], **dict(zip(_SUMMED, row[2:], strict=True))) for row in found]


def folded_processes(processes: Iterable[ProcessRow], without: Collection[str] = ()) -> list[ProcessTotals]:
    """The same of processes that are in memory."""
    by_status: dict[str, list[ProcessRow]] = {}
    for row in processes:
        if row.id not in without:
            by_status.setdefault(row.status, []).append(row)
    return [
        ProcessTotals(
            status=status, count=len(group), **{name: sum(getattr(row, name) for row in group) for name in _SUMMED}
        )
        for status, group in by_status.items()
    ]

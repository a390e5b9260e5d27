"""The application tables of the store in memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile, islice
from typing import Any

import attrs
import trio

from vega_trio._core.codec import decode_json
from vega_trio.store import rows
from vega_trio.store.memory_ties import Undo
from vega_trio.store.totals import ALWAYS, check_totals, folded_records


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

    async def newest(self, table: str, *, limit: int, before: str | None = None, **equals: Any) -> list[dict[str, Any]]:
        await trio.lowlevel.checkpoint()
        rows.check_filter(table, equals)
        keys = iter(reversed(self._tables[table]))
        if before is not None:
            keys = islice(dropwhile(lambda key: key != before, keys), 1, None)
        found = (decode_json(self._tables[table][key]) for key in keys)
        return list(islice((row for row in found if rows.matches(row, equals)), limit))

    async def last_by(
        self, table: str, field: str, *, limit: int, before: tuple[str, str] | None = None, **equals: Any
    ) -> list[dict[str, Any]]:
        await trio.lowlevel.checkpoint()
        rows.check_filter(table, {field: None, **equals})
        found = [(key, decode_json(row)) for key, row in self._tables[table].items()]
        places = [((row[field], key), row) for key, row in found if isinstance(row.get(field), str)]
        places = [(place, row) for place, row in places if before is None or place < before]
        places.sort(key=lambda each: each[0], reverse=True)
        return list(islice((row for _, row in places if rows.matches(row, equals)), limit))

    async def totals(
        self, table: str, by: Sequence[str], sums: Sequence[str], *, since: float = ALWAYS, **equals: Any
    ) -> list[dict[str, Any]]:
        check_totals(table, by, sums, equals)
        return folded_records(await self.query(table, **equals), by, sums, since)


def put(tables: dict[str, dict[str, bytes]], table: str, key: str, row: bytes, undo: list[Undo]) -> None:
    """Keeps a row and notes how to take it back."""
    before = tables[table].get(key)
    tables[table][key] = row
    if before is None:
        undo.append(lambda: tables[table].pop(key))
    else:
        undo.append(lambda: tables[table].__setitem__(key, before))


def delete(tables: dict[str, dict[str, bytes]], table: str, key: str, undo: list[Undo]) -> None:
    """Taking a deletion back restores the table as it was, since a row put again would come last."""
    if key in tables[table]:
        before = dict(tables[table])
        del tables[table][key]
        undo.append(lambda: tables.__setitem__(table, before))

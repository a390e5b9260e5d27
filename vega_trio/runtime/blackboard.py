"""Blackboards: the JSON values that the members of a group share. Durable, as far as the store is.

Each group has one. They are read when the orchestrator opens and held in memory: reading is synchronous, writing
waits for the commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import trio

from vega_trio._core.codec import decode_json, encode_json
from vega_trio.changes import Put
from vega_trio.errors import BlackboardConflict
from vega_trio.protocols import Store

TABLE = "blackboard"


@attrs.frozen
class Entry:
    """`value` is JSON; None when the key was deleted, whose version is remembered all the same."""

    version: int
    value: bytes | None


@attrs.define(eq=False)
class Blackboard:
    """A key's version rises by one with each write and is not reused after a delete, so that `expect` never takes an
    old value for the present one.
    """

    _group: str
    _store: Store = attrs.field(repr=False)
    _entries: dict[str, Entry] = attrs.field(factory=dict, repr=False)

    async def set(self, key: str, value: object, expect: int | None) -> int:
        await trio.lowlevel.checkpoint()
        present = self.version(key)
        if expect is not None and expect != present:
            raise BlackboardConflict(
                f"{key!r} on the blackboard of group {self._group!r} has version {present}, not {expect};"
                " read it again and decide anew"
            )
        return await self._write(key, encode_json(value))

    async def delete(self, key: str) -> bool:
        await trio.lowlevel.checkpoint()
        there = self.version(key) > 0
        if there:
            await self._write(key, None)
        return there

    async def _write(self, key: str, value: bytes | None) -> int:
        """Everybody sees the write at once; who wrote waits until it is durable, or undoes it."""
        before = self._entries.get(key)
        version = before.version if before is not None else 0
        entry = self._entries[key] = Entry(version if value is None else version + 1, value)
        commit = self._store.submit(Put(TABLE, _row_key(self._group, key), _row(self._group, key, entry)))
        try:
            await commit.wait()
        except Exception:
            if self._entries[key] is entry:
                self._restore(key, before)
            raise
        return entry.version

    def _restore(self, key: str, before: Entry | None) -> None:
        if before is None:
            del self._entries[key]
        else:
            self._entries[key] = before

    def version(self, key: str) -> int:
        entry = self._entries.get(key)
        return entry.version if entry is not None and entry.value is not None else 0

    def get(self, key: str, default: Any) -> Any:
        entry = self._entries.get(key)
        return decode_json(entry.value) if entry is not None and entry.value is not None else default

    def keys(self) -> list[str]:
        return [key for key, entry in self._entries.items() if entry.value is not None]

    def load(self, row: Mapping[str, Any]) -> None:
        value = None if row["deleted"] else encode_json(row["value"])
        self._entries[row["key"]] = Entry(row["version"], value)


def _row_key(group: str, key: str) -> str:
    return encode_json([group, key]).decode()


def _row(group: str, key: str, entry: Entry) -> dict[str, Any]:
    value = decode_json(entry.value) if entry.value is not None else None
    return {"group": group, "key": key, "version": entry.version, "deleted": entry.value is None, "value": value}


async def read_blackboards(store: Store) -> dict[str, Blackboard]:
    """Those on record, by group."""
    boards: dict[str, Blackboard] = {}
    for row in await store.records.query(TABLE):
        group = row["group"]
        boards.setdefault(group, Blackboard(group, store)).load(row)
    return boards

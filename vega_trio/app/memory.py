"""What workflows remember: JSON values by key, for one user of one document, beyond the run that kept them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import attrs

from vega_trio._core.codec import encode_json
from vega_trio.changes import Delete, Put
from vega_trio.protocols import Store
from vega_trio.store.key_value_file import KeyValueFile

TABLE = "wf_memory"


class Place(Protocol):
    """Where the rows lie. Raises: StoreError."""

    async def get(self, key: str) -> dict[str, Any] | None: ...

    async def put(self, key: str, row: Mapping[str, Any]) -> None: ...

    async def delete(self, key: str) -> None: ...


@attrs.frozen
class StorePlace:
    """In the application's own store."""

    store: Store

    async def get(self, key: str) -> dict[str, Any] | None:
        return await self.store.records.get(TABLE, key)

    async def put(self, key: str, row: Mapping[str, Any]) -> None:
        await self.store.submit(Put(TABLE, key, row)).wait()

    async def delete(self, key: str) -> None:
        await self.store.submit(Delete(TABLE, key)).wait()


@attrs.frozen
class RunMemory:
    """The memory of one user of one document."""

    place: Place
    document: str
    user: str

    async def keep(self, key: str, value: object) -> None:
        row = {"document": self.document, "user": self.user, "key": key, "value": value}
        await self.place.put(self._key(key), row)

    async def forget(self, key: str) -> None:
        await self.place.delete(self._key(key))

    async def find(self, key: str) -> list[Any]:
        row = await self.place.get(self._key(key))
        return [] if row is None else [row["value"]]

    def _key(self, key: str) -> str:
        """Of all three names, so that none can be mistaken for another."""
        return encode_json([self.document, self.user, key]).decode()


def place_of(store: Store, memory: str | Path | None) -> Place:
    """The store, or the file that programs share whose store ends with them."""
    return StorePlace(store) if memory is None else KeyValueFile(Path(memory))

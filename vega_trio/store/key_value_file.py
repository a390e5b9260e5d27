"""A small database that several programs share: each call is one short transaction, nothing stays open.

In rollback-journal mode, not WAL: two connections that write or checkpoint a WAL at once can corrupt it with the
SQLite versions that Python ships (3.7.0 to 3.51.2).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import attrs
import trio

from vega_trio._core.codec import decode_json, encode_json
from vega_trio.errors import StoreBusy, StoreError

_T = TypeVar("_T")

BUSY_S = 10.0  # another program's transaction takes milliseconds


@attrs.frozen
class KeyValueFile:
    """JSON objects by key in the file at `path`, which is made when first written to, for its owner alone."""

    path: Path

    async def get(self, key: str) -> dict[str, Any] | None:
        """Raises: StoreError."""

        def read(db: sqlite3.Connection) -> dict[str, Any] | None:
            found = db.execute("SELECT row FROM wf_memory WHERE key = ?", (key,)).fetchone()
            return None if found is None else decode_json(found[0])

        return await self._in_thread(read)

    async def put(self, key: str, row: Mapping[str, Any]) -> None:
        """Durable when it returns. Raises: StoreError."""
        encoded = encode_json(row).decode()
        change = "INSERT INTO wf_memory VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET row = excluded.row"
        await self._in_thread(lambda db: db.execute(change, (key, encoded)))

    async def delete(self, key: str) -> None:
        """Raises: StoreError."""
        await self._in_thread(lambda db: db.execute("DELETE FROM wf_memory WHERE key = ?", (key,)))

    async def _in_thread(self, act: Callable[[sqlite3.Connection], _T]) -> _T:
        return await trio.to_thread.run_sync(self._transaction, act)

    def _transaction(self, act: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)) as db:
                db.execute("PRAGMA journal_mode = DELETE")
                db.execute("PRAGMA synchronous = FULL")
                db.execute("BEGIN IMMEDIATE")
                db.execute("CREATE TABLE IF NOT EXISTS wf_memory (key TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT")
                result = act(db)
                db.execute("COMMIT")
                return result
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise StoreBusy(f"{self.path} is in use by another program for more than {BUSY_S:g} s") from error
            raise StoreError(f"{self.path}: {error}") from error
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: {error}") from error

"""Deletes a database that nobody has open."""

from __future__ import annotations

from pathlib import Path

from vega_trio.errors import StoreError
from vega_trio.store.lock import lock
from vega_trio.store.schema import APPLICATION_ID

_MAGIC = b"SQLite format 3\0"
_BESIDE = ("-wal", "-shm", "-journal")
_ID_AT = 68  # where SQLite's header has the application's id, four bytes, the highest first


def wipe(database: str) -> bool:
    """Whether there was one. The lock's file stays, as always. Blocking.

    Raises: StoreBusy when a program has it open; StoreError when the file is no database of vega's; OSError.
    """
    path = Path(database).resolve()
    if not path.exists():
        return False
    with lock(str(path)):
        check_is_ours(path)
        for suffix in _BESIDE:  # first: what is left of a database without its journal would be read as it is
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        path.unlink()
    return True


def check_is_ours(path: Path) -> None:
    """Raises: StoreError for a file that is neither empty nor a database of vega's; OSError."""
    with path.open("rb") as file:
        head = file.read(100)
    ours = head.startswith(_MAGIC) and int.from_bytes(head[_ID_AT : _ID_AT + 4]) == APPLICATION_ID
    if head and not ours:
        raise StoreError(f"{path} is no database of vega's, and is left as it is; name the right one with --db")

"""What an error of SQLite means: for one change, for its batch, or for the database as a whole."""

from __future__ import annotations

import sqlite3
from typing import Final

from vega_trio.errors import StoreBroken, StoreError, StoreReadOnly

REFUSED: Final = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    ValueError,
    StoreError,
)
"""What a statement raises when the fault is in its own change; the rest of the transaction stands."""

_FSYNC: Final = (sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC)
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_PASSING: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
"""What the disk does to all changes alike, until somebody makes room or mends it."""

_REMEDIES: Final = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space, the store goes on by itself",
    sqlite3.SQLITE_IOERR: "the disk could not be read or written; see the system's log",
    sqlite3.SQLITE_READONLY: "the file or its directory is read-only; make it writable",
    sqlite3.SQLITE_BUSY: "another program keeps the database locked; close it there",
    sqlite3.SQLITE_LOCKED: "another program keeps the database locked; close it there",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the permissions of the file and its directory",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the file is no SQLite database; give another path",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
}


def is_final(error: BaseException) -> bool:
    """Whether nothing may be written any more.

    After a failed sync the kernel may have dropped the pages, and a second sync would report success for data
    that is not on the disk; so it is never retried. What is no error of SQLite at all is a bug, met half-way.
    """
    if not isinstance(error, sqlite3.Error):
        return True
    code = _code(error)
    return code in _FSYNC or code & 0xFF in _DAMAGED


def trouble(error: BaseException, path: str) -> StoreReadOnly | StoreBroken | None:
    """What the error means for all changes to come; None when only those that met it have failed."""
    told = str(explain(error, path))
    if is_final(error):
        return StoreBroken(told)
    if isinstance(error, sqlite3.Error) and _code(error) & 0xFF in _PASSING:
        return StoreReadOnly(told)
    return None


def explain(error: BaseException, path: str) -> StoreError:
    """The error as users see it: which database, what, and the remedy."""
    if isinstance(error, StoreError):
        return error
    if not isinstance(error, sqlite3.Error):
        return StoreError(f"the database {path} failed: {type(error).__name__}: {error}")
    code = _code(error)
    if code in _FSYNC:
        return StoreError(f"the database {path} could not be synced ({error}): restart once the disk is well again")
    remedy = _REMEDIES.get(code & 0xFF)
    return StoreError(f"the database {path}: {error}" + (f": {remedy}" if remedy else ""))


def _code(error: sqlite3.Error) -> int:
    """The extended result code; 0 for errors that Python's module raises by itself."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code

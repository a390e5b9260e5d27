"""From a path to a database that can be written: what must be true of the file before SQLite may touch it.

The caller holds the lock of the path. A file that is refused is left as it was, byte for byte: it is looked at
through connections that can neither write nor recover nor checkpoint.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from vega_trio.errors import MissingExtra, StoreError, StoreTooNew
from vega_trio.store.faults import explain
from vega_trio.store.migrations import back_up, migrate, no_failpoint, private_file, put_in_place
from vega_trio.store.schema import APPLICATION_ID, MIGRATIONS, Migration

if TYPE_CHECKING:
    from sqlite_utils import Database

Durability = Literal["full", "process"]

SYNCHRONOUS: Final = {"full": "FULL", "process": "NORMAL"}

_MAGIC: Final = b"SQLite format 3\0"
_NETWORK: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "fuse.sshfs", "fuse.glusterfs"})
# A full check of 1 GiB takes about a second, and the server must be ready in 1.5 s.
_MAX_CHECKED_BYTES: Final = 1 << 30


def open_for_writing(
    path: str,
    durability: Durability,
    migrations: Sequence[Migration] = MIGRATIONS,
    *,
    failpoint: Callable[[str], None] = no_failpoint,
) -> Database:
    """The writing connection, with the file made, checked and brought to the newest schema.

    Raises: StoreTooNew, StoreError naming what is wrong with the file; MissingExtra without sqlite-utils.
    """
    with ExitStack() as on_failure:
        try:
            _require_extra(path)
            _check_place(path)
            if _is_empty(path):
                _create(path, migrations, failpoint)
            version = _inspect(path, len(migrations))
            db = _connect(path, "rw")
            on_failure.callback(db.close)
            _set_modes(db, path, durability)
            if version < len(migrations):
                back_up(db, path)
                migrate(db, migrations, failpoint)
        except (sqlite3.Error, OSError) as error:
            raise _refusal(error, path) from error
        on_failure.pop_all()
    return db


def open_for_reading(path: str) -> Database:
    """A connection that cannot write, nor checkpoint. Raises: StoreError."""
    try:
        db = _connect(path, "ro")
        db.execute("PRAGMA query_only = 1")
    except sqlite3.Error as error:
        raise explain(error, path) from error
    return db


def file_system(mounts: str, device: int) -> str | None:
    """The type of the file system with that device number, by the text of `/proc/self/mountinfo`, or None."""
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        place, _, kind = line.partition(" - ")
        if place.split()[2:3] == [number]:
            return kind.split()[0]
    return None


def _connect(path: str, mode: str) -> Database:
    """A connection that begins no transaction by itself; `atomic()` does."""
    from sqlite_utils import Database

    conn = sqlite3.connect(f"{Path(path).as_uri()}?mode={mode}", uri=True, isolation_level=None)
    return Database(conn, execute_plugins=False)


def _require_extra(path: str) -> None:
    try:
        import sqlite_utils  # noqa: F401
    except ImportError:
        raise MissingExtra("store", f"the database {path}") from None


def _set_modes(db: Database, path: str, durability: Durability) -> None:
    (mode,) = db.conn.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"the database {path} cannot keep a write-ahead log here; give a path on a local disk")
    db.execute(f"PRAGMA synchronous = {SYNCHRONOUS[durability]}")


def _check_place(path: str) -> None:
    directory = os.path.dirname(path)
    mounts = ""
    with suppress(OSError):  # only Linux has it
        mounts = Path("/proc/self/mountinfo").read_text()
    kind = file_system(mounts, os.stat(directory).st_dev)
    if kind in _NETWORK:
        raise StoreError(
            f"the database {path} lies on a network file system ({kind}), where locks do not hold; "
            "give a path on a local disk"
        )


def _is_empty(path: str) -> bool:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return True
    if not stat.S_ISREG(found.st_mode):
        kind = "a directory" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise StoreError(f"{path} is {kind}, so it cannot be a database; give the path of a file")
    if not found.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise StoreError(f"the database {path} is read-only; make it writable or give another path")
    return found.st_size == 0


def _create(path: str, migrations: Sequence[Migration], failpoint: Callable[[str], None]) -> None:
    """Makes the database under another name and moves it into place, so that it is there whole or not at all."""
    for leftover in ("-wal", "-shm", "-journal"):  # of a database that is gone; SQLite would play it into ours
        Path(path + leftover).unlink(missing_ok=True)
    unfinished = path + "-new"
    private_file(unfinished)
    db = _connect(unfinished, "rw")
    with closing(db):
        migrate(db, migrations, failpoint)
        db.conn.execute("PRAGMA journal_mode = WAL")  # kept in the file: no opening need ever rewrite its header
    put_in_place(unfinished, path)


def _inspect(path: str, newest: int) -> int:
    """The version of the database, once it is known to be ours, whole and not too new."""
    with open(path, "rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise StoreError(f"{path} is not a SQLite database; it was left untouched: give another path")
    with closing(sqlite3.connect(f"{Path(path).as_uri()}?{_only_looking(path)}", uri=True)) as conn:
        (application,) = conn.execute("PRAGMA application_id").fetchone()
        (version,) = conn.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise StoreError(f"{path} is a database of another program; it was left untouched: give another path")
        if version > newest:
            raise StoreTooNew(
                f"the database {path} was written by a newer vega (schema {version}, this one knows {newest}); "
                "it was left untouched: upgrade vega, or give another path"
            )
        _check_whole(conn, path)
    return int(version)


def _only_looking(path: str) -> str:
    """How to open the file without a trace: with a log beside it, it must be read too; else nothing need be made."""
    log = path + "-wal"
    return "mode=ro" if os.path.exists(log) and os.path.getsize(log) else "mode=ro&immutable=1"


def _check_whole(conn: sqlite3.Connection, path: str) -> None:
    conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if os.path.getsize(path) > _MAX_CHECKED_BYTES:
        return
    (finding,) = conn.execute("PRAGMA quick_check(1)").fetchone()
    if finding != "ok":
        raise StoreError(f"the database {path} is damaged ({finding}); it was left untouched: restore a backup")


def _refusal(error: sqlite3.Error | OSError, path: str) -> StoreError:
    if isinstance(error, sqlite3.Error):
        return explain(error, path)
    if isinstance(error, FileNotFoundError):
        return StoreError(f"there is no directory {os.path.dirname(path)} for the database {path}; make it first")
    return StoreError(f"the database {path} cannot be opened: {error.strerror}")

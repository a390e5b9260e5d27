"""Brings a database to the schema of this version: forward only, each step in one transaction, a copy first."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from vega_trio.store.schema import APPLICATION_ID, Migration

if TYPE_CHECKING:
    from sqlite_utils import Database


def no_failpoint(_: str) -> None:
    """No test has anything fail."""


def migrate(db: Database, migrations: Sequence[Migration], failpoint: Callable[[str], None] = no_failpoint) -> None:
    """Runs the migrations that the database has not seen.

    `user_version` is part of each transaction: a program that dies half-way leaves the file at one version or the
    next, never between.
    """
    (version,) = db.conn.execute("PRAGMA user_version").fetchone()
    for number, migration in enumerate(migrations[version:], version + 1):
        with db.atomic():
            migration(db)
            failpoint("in_migration")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {number}")


def back_up(db: Database, path: str) -> str:
    """Copies the database to `PATH.vN.bak`, N being its version, and returns that name.

    The copy appears under its name only when it is whole; one of the same version is replaced. Mode 0600.
    """
    (version,) = db.conn.execute("PRAGMA user_version").fetchone()
    backup, unfinished = f"{path}.v{version}.bak", f"{path}.v{version}.bak-new"
    private_file(unfinished)
    with closing(sqlite3.connect(unfinished)) as copy:
        db.conn.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    put_in_place(unfinished, backup)
    return backup


def private_file(path: str) -> None:
    """Makes an empty file that only its owner may read, in place of what was there. Raises: OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    os.chmod(path, 0o600)


def put_in_place(finished: str, path: str) -> None:
    """Gives a finished file its name, durably and at once. Raises: OSError."""
    os.replace(finished, path)
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)

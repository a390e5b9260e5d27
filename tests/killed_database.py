"""What a kill of the program leaves behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def killed(path: Path) -> Path:
    """The database as a kill -9 at this moment would leave it."""
    left = path.with_name(f"{path.stem}x.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(left)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = WAL")
    return left

"""What is in a directory, by descriptors: nothing that is moved or made a link meanwhile leads out of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

import attrs

from vega_trio.tools.beneath import Escape, open_beneath


@attrs.frozen
class Entry:
    """One name in a listing: its path relative to the directory listed, and whether it is a directory."""

    path: str
    is_directory: bool


@attrs.frozen
class Listing:
    """Sorted by path. `complete` is false when there is more than was listed."""

    entries: tuple[Entry, ...]
    complete: bool


@attrs.frozen
class Item:
    """What is at a path beneath the root. `size` in bytes, `modified_at` in Unix seconds."""

    path: str
    is_directory: bool
    size: int
    modified_at: float


def item_of(path: str, status: os.stat_result) -> Item:
    return Item(path, stat.S_ISDIR(status.st_mode), status.st_size, status.st_mtime)


def own_status(directory: int, name: str) -> os.stat_result | None:
    """Of a regular file or a directory; None for anything else, and for what has gone meanwhile."""
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return status if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode) else None


def scan(base: int, prefix: str, *, openat2: bool) -> Iterator[Entry]:
    """A directory that was taken away or made a link since its name was read has no entries, as has a closed one."""
    parts = prefix.split("/")[:-1]
    try:
        fd = open_beneath(base, parts, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, openat2=openat2)
    except (FileNotFoundError, NotADirectoryError, PermissionError, Escape):
        return
    try:
        with os.scandir(fd) as names:
            for each in names:
                yield Entry(prefix + each.name, each.is_dir(follow_symlinks=False))
    finally:
        os.close(fd)

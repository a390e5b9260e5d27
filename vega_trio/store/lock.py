"""One server per database: an exclusive `flock` on a file beside it.

Never on the database itself: closing any second descriptor of that drops the locks that SQLite holds on it. The
lock file stays when the lock is given back, since removing it would let two later programs hold one lock each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vega_trio.errors import StoreBusy, StoreError


@contextmanager
def lock(path: str) -> Iterator[None]:
    """Holds the lock of the database `path` for the block. The kernel gives it back when the program dies.

    Raises: StoreBusy naming the holder; StoreError when the lock file cannot be made.
    """
    try:
        import fcntl
    except ImportError:
        raise StoreError(f"this system has no flock to lock the database {path} with; leave the store out") from None
    descriptor = _open(path + ".lock")
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusy(
                f"the database {path} is in use by {_holder(descriptor)}; stop that first, or give another path"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"the lock file {path} cannot be made: {error.strerror}") from error


def _holder(descriptor: int) -> str:
    with suppress(ValueError):
        return f"the process {int(os.pread(descriptor, 20, 0))}"
    return "another process"

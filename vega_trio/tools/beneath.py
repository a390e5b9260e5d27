"""Opens paths beneath a directory so that no `..`, absolute path, symbolic link or race leads out of it.

The kernel does the walking: openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS. Checking a path first and
opening it afterwards would lose every race against a rename. Where openat2 is missing (ENOSYS, or EPERM from a
seccomp filter), the walk is done component by component with O_NOFOLLOW, which refuses symbolic links altogether.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Sequence
from typing import Final

_OPENAT2: Final = 437  # the same number on every architecture but alpha
_RESOLVE_NO_MAGICLINKS: Final = 0x02
_RESOLVE_BENEATH: Final = 0x08
_ATTEMPTS: Final = 64  # openat2 says EAGAIN when a rename happened underneath
_PATH_ONLY: Final = getattr(os, "O_PATH", os.O_RDONLY)


class Escape(OSError):
    """The path leads out of the directory, or might."""


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(root: int, parts: Sequence[str], flags: int, *, openat2: bool = True) -> int:
    """A descriptor of `parts` below the directory `root`; no parts is `root` itself. Never creates anything.

    Raises: Escape; OSError as `os.open`.
    """
    if openat2 and sys.platform == "linux":
        try:
            return _openat2(root, "/".join(parts) or ".", flags)
        except OSError as error:
            if error.errno not in (errno.ENOSYS, errno.EPERM):
                raise
    return _descend(root, parts, flags)


def open_directory(root: int, parts: Sequence[str], *, openat2: bool = True) -> int:
    """A descriptor to reach files of that directory by. Raises: as `open_beneath`."""
    return open_beneath(root, parts, _PATH_ONLY | os.O_DIRECTORY, openat2=openat2)


def _openat2(root: int, path: str, flags: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)
    for _ in range(_ATTEMPTS):
        fd = int(libc.syscall(_OPENAT2, root, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how)))
        if fd >= 0:
            return fd
        if ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR):
            break
    raise _error(ctypes.get_errno(), path)


def _descend(root: int, parts: Sequence[str], flags: int) -> int:
    """`..` goes back along the descriptors that were opened on the way, so it can never reach above `root`."""
    stack = [os.open(".", _PATH_ONLY | os.O_DIRECTORY, dir_fd=root)]
    try:
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            if part == "..":
                os.close(stack.pop())
                if not stack:
                    raise Escape(errno.EXDEV, "above the root", "/".join(parts))
            elif not last:
                stack.append(_step(stack[-1], part, _PATH_ONLY | os.O_DIRECTORY, parts))
            else:
                return _step(stack[-1], part, flags, parts)
        return os.open(".", flags, dir_fd=stack[-1])
    finally:
        for fd in stack:
            os.close(fd)


def _step(directory: int, part: str, flags: int, parts: Sequence[str]) -> int:
    # O_PATH | O_NOFOLLOW opens the link itself instead of failing; with O_DIRECTORY it is ENOTDIR.
    try:
        fd = os.open(part, flags | os.O_NOFOLLOW, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR) and _is_link(directory, part):
            raise Escape(errno.ELOOP, "a symbolic link", "/".join(parts)) from error
        raise
    return fd


def _is_link(directory: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _error(number: int, path: str) -> OSError:
    # EXDEV: the walk would have left the root. ELOOP: a magic link, or links without end. EAGAIN: a race not won.
    if number in (errno.EXDEV, errno.ELOOP, errno.EAGAIN):
        return Escape(number, os.strerror(number), path)
    return OSError(number, os.strerror(number), path)

"""A directory that file tools cannot leave: reading, replacing and listing regular files beneath a root."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import attrs

from vega_trio.errors import ToolError
from vega_trio.tools.beneath import Escape, open_beneath, open_directory
from vega_trio.tools.listing import Entry, Item, Listing, item_of, own_status, scan

MAX_FILE: Final = 10 * 1024 * 1024  # bytes a tool reads or rewrites at once
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY  # a FIFO must not block before it is seen to be one


@attrs.frozen
class Directory:
    """A directory, as `path` relative to the sandbox's `root`, which is absolute and free of symbolic links."""

    root: Path
    path: str


@attrs.frozen
class Sandbox:
    """Files beneath `root`, which is created at the first use.

    Blocking: called from worker threads. Every method opens the root anew and walks from there, so a path is
    judged at the moment it is used. Raises: ToolError, worded for the model, from every method.
    """

    root: Path = attrs.field(converter=Path)
    openat2: bool = attrs.field(default=True, kw_only=True)
    max_entries: int = attrs.field(default=10_000, kw_only=True)

    def read(self, path: str, *, missing: bytes | None = None) -> bytes:
        """The whole file, or `missing`, if given, when there is none. More than `MAX_FILE` bytes are an error."""
        try:
            with self.open(path) as fd, os.fdopen(os.dup(fd), "rb") as file:
                data = file.read(MAX_FILE + 1)
        except ToolError as error:
            if missing is not None and isinstance(error.__cause__, FileNotFoundError):
                return missing
            raise
        if len(data) > MAX_FILE:
            raise ToolError(f"{path!r} is larger than {MAX_FILE:,} bytes")
        return data

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[int]:
        """A descriptor of a regular file, for reading."""
        with self._worded(path), self._opened_root() as root:
            fd = open_beneath(root, self._parts(path), _READ, openat2=self.openat2)
            try:
                _require_regular(os.fstat(fd), path)
                yield fd
            finally:
                os.close(fd)

    def write(self, path: str, data: bytes, *, mkdir: bool = True, mode: int | None = None) -> None:
        """Replaces the file, or makes it: nobody ever sees half of it, and a hard link's other names keep the old.

        `mode` sets the permission bits; by default they stay, or follow the umask. `mkdir` makes the parents.
        """
        with self._worded(path), self._opened_root() as root:
            *above, name = self._file_parts(path)
            directory = self._make_directories(root, above) if mkdir else self._directory(root, above)
            try:
                old = _replaceable(directory, name, path)
                _replace(directory, name, data, stat.S_IMODE(old.st_mode) if mode is None and old else mode)
            finally:
                os.close(directory)

    def entries(self, path: str = ".", *, recursive: bool = False) -> Listing:
        """Symbolic links are named, never followed."""
        with self._worded(path), self._opened_root() as root:
            base = open_beneath(root, self._parts(path), os.O_RDONLY | os.O_DIRECTORY, openat2=self.openat2)
            try:
                return self._listing(base, recursive)
            finally:
                os.close(base)

    def directory(self, path: str = ".") -> Directory:
        """Where an existing directory beneath the root is."""
        with self._worded(path), self._opened_root() as root:
            parts = self._parts(path)
            os.close(open_directory(root, parts, openat2=self.openat2))
            return Directory(self.root.resolve(), "/".join(parts) or ".")

    def item(self, path: str) -> Item:
        """A regular file or a directory."""
        with self._worded(path), self._opened_root() as root:
            parts = self._parts(path)
            fd = open_beneath(root, parts, _READ, openat2=self.openat2)
            try:
                status = os.fstat(fd)
                if not stat.S_ISDIR(status.st_mode):
                    _require_regular(status, path)
                return item_of("/".join(parts), status)
            finally:
                os.close(fd)

    def items(self, path: str = ".") -> tuple[Item, ...]:
        """What is in a directory, sorted by name; symbolic links and devices are left out."""
        with self._worded(path), self._opened_root() as root:
            parts = self._parts(path)
            base = open_beneath(root, parts, os.O_RDONLY | os.O_DIRECTORY, openat2=self.openat2)
            try:
                found = [
                    item_of("/".join((*parts, each.path)), status)
                    for each in itertools.islice(scan(base, "", openat2=self.openat2), self.max_entries)
                    if (status := own_status(base, each.path)) is not None
                ]
            finally:
                os.close(base)
        return tuple(sorted(found, key=lambda each: each.path))

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """Takes away a file, a symbolic link, or a directory: an empty one, or with `recursive` all that is in it."""
        with self._worded(path), self._opened_root() as root:
            parts = self._parts(path)
            if not parts or parts[-1] == "..":
                raise ToolError(f"{path!r} names no entry of the sandbox")
            *above, name = parts
            directory = self._directory(root, above)
            try:
                if not stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
                    os.unlink(name, dir_fd=directory)
                elif recursive:
                    shutil.rmtree(name, dir_fd=directory)  # by descriptors: no link leads it out
                else:
                    os.rmdir(name, dir_fd=directory)
            finally:
                os.close(directory)

    def _listing(self, base: int, recursive: bool) -> Listing:
        found: list[Entry] = []
        waiting = [""]
        while waiting and len(found) <= self.max_entries:
            names = scan(base, waiting.pop(), openat2=self.openat2)
            for entry in itertools.islice(names, self.max_entries + 1 - len(found)):
                found.append(entry)
                if recursive and entry.is_directory:
                    waiting.append(f"{entry.path}/")
        shown = sorted(found[: self.max_entries], key=lambda entry: entry.path)
        return Listing(tuple(shown), len(found) <= self.max_entries)

    # -- paths

    def _parts(self, path: str) -> list[str]:
        """The path's components beneath the root. An absolute path must name the root or lie beneath it."""
        if not path or "\0" in path:
            raise ToolError(f"{path!r} is no path")
        pure = PurePosixPath(path)
        if not pure.is_absolute():
            return list(pure.parts)
        for root in (self.root.absolute(), self.root.resolve()):
            if pure.is_relative_to(root):
                return list(pure.relative_to(root).parts)
        raise Escape(errno.EXDEV, "outside", path)

    def _file_parts(self, path: str) -> list[str]:
        parts = self._parts(path)
        if path.endswith(("/", "/.")) or not parts or parts[-1] == "..":
            # Opening tells an escape from a plain directory.
            with self._opened_root() as root:
                os.close(open_directory(root, parts, openat2=self.openat2))
            raise IsADirectoryError(errno.EISDIR, "is a directory", path)
        return parts

    # -- directories

    @contextlib.contextmanager
    def _opened_root(self) -> Iterator[int]:
        self.root.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield fd
        finally:
            os.close(fd)

    def _directory(self, root: int, parts: list[str]) -> int:
        return open_directory(root, parts, openat2=self.openat2)

    def _make_directories(self, root: int, parts: list[str]) -> int:
        with contextlib.suppress(FileNotFoundError):
            return self._directory(root, parts)
        for count in range(1, len(parts) + 1):
            parent = self._directory(root, parts[: count - 1])
            try:
                if parts[count - 1] != "..":
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(parts[count - 1], dir_fd=parent)
            finally:
                os.close(parent)
        return self._directory(root, parts)

    @contextlib.contextmanager
    def _worded(self, path: str) -> Iterator[None]:
        try:
            yield
        except Escape as error:
            raise ToolError(f"path escapes sandbox: {path!r}; use a path relative to the sandbox") from error
        except UnicodeEncodeError as error:
            raise ToolError(f"{path!r} is no path: {error.reason}") from error
        except OSError as error:
            raise ToolError(f"{path!r}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file or directory"
        case IsADirectoryError():
            return "is a directory"
        case NotADirectoryError():
            return "is not a directory, or a part of the path is not"
    if error.errno == errno.ENXIO:
        return "is not a regular file"
    return error.strerror or str(error)


def _require_regular(status: os.stat_result, path: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a directory", path)
    if not stat.S_ISREG(status.st_mode):
        raise ToolError(f"{path!r} is not a regular file")


def _replaceable(directory: int, name: str, path: str) -> os.stat_result | None:
    """What stands at the target. A symbolic link is refused: a write goes where its path says, or nowhere."""
    try:
        old = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(old.st_mode):
        raise ToolError(f"path escapes sandbox: {path!r} is a symbolic link; write to the file itself")
    _require_regular(old, path)
    return old


def _replace(directory: int, name: str, data: bytes, mode: int | None) -> None:
    temporary = f".vega-{secrets.token_hex(8)}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=directory)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            if mode is not None:
                os.fchmod(fd, mode)
        os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=directory)
        raise

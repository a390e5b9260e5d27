"""The files that agents work on, for people: what is in the sandbox, and nothing outside of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import attrs

from vega_trio.errors import Conflict, InputError, ToolError, UnknownItem
from vega_trio.tools.beneath import Escape
from vega_trio.tools.files import in_thread
from vega_trio.tools.listing import Item
from vega_trio.tools.sandbox import Sandbox

T = TypeVar("T")

File = Item
"""A file or directory as it is listed."""

PREVIEW_BYTES = 1024 * 1024


@attrs.frozen
class Preview:
    """The beginning of a file, as far as it is shown. `text` is None where it is not UTF-8."""

    item: File
    data: bytes = attrs.field(repr=False)
    text: str | None = attrs.field(repr=False)
    truncated: bool


@attrs.define
class Files:
    """`app.files`. Paths are relative to the sandbox. Raises: UnknownItem, InputError, from every method."""

    root: Path

    async def list(self, path: str) -> tuple[File, ...]:
        """What is in a directory; of a file, the file alone."""

        def found(sandbox: Sandbox) -> tuple[File, ...]:
            item = sandbox.item(path)
            return sandbox.items(path) if item.is_directory else (item,)

        return await self._do(path, found)

    async def file(self, path: str) -> File:
        """A file, not a directory."""
        item = await self._do(path, lambda sandbox: sandbox.item(path))
        if item.is_directory:
            raise InputError(f"{path[:200]!r} is a directory", "is_directory", "path")
        return item

    async def read(self, path: str) -> Preview:
        """As much of a file as is shown."""
        item = await self.file(path)

        def beginning(sandbox: Sandbox) -> bytes:
            with sandbox.open(path) as fd, open(fd, "rb", closefd=False) as file:
                return file.read(PREVIEW_BYTES + 1)

        data = await self._do(path, beginning)
        truncated = len(data) > PREVIEW_BYTES
        data = data[:PREVIEW_BYTES]
        return Preview(item, data, _text(data, truncated=truncated), truncated)

    async def open(self, path: str) -> BinaryIO:
        """The file, open for reading."""

        def opened(sandbox: Sandbox) -> BinaryIO:
            with sandbox.open(path) as fd:
                return os.fdopen(os.dup(fd), "rb")

        return await self._do(path, opened)

    async def delete(self, path: str, *, recursive: bool = False) -> None:
        """A file, an empty directory, or with `recursive` any. Raises: Conflict for one that is not empty."""
        await self._do(path, lambda sandbox: sandbox.remove(path, recursive=recursive))

    async def _do(self, path: str, work: Callable[[Sandbox], T]) -> T:
        with _for_people(path):
            return await in_thread(partial(work, Sandbox(self.root)))


def _text(data: bytes, *, truncated: bool) -> str | None:
    """A cut may go through a character, which is at most four bytes."""
    for cut in range(4 if truncated else 1):
        try:
            return data[: len(data) - cut].decode()
        except UnicodeDecodeError:
            continue
    return None


@contextmanager
def _for_people(path: str) -> Iterator[None]:
    """What the sandbox tells models, for those who ask for a path. Raises: UnknownItem, InputError, Conflict."""
    try:
        yield
    except ToolError as error:
        match error.__cause__:
            case FileNotFoundError() | NotADirectoryError():
                raise UnknownItem(f"there is no {path[:200]!r} in the sandbox") from error
            case Escape():
                raise InputError(f"{path[:200]!r} leads out of the sandbox", "outside", "path") from error
            case OSError(errno=errno.ENOTEMPTY):
                text = f"the directory {path[:200]!r} is not empty; add recursive=true to delete what is in it"
                raise Conflict(text) from error
            case _:
                raise InputError(str(error)[:300], "bad_value", "path") from error

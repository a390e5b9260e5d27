"""The file tools: read_file, write_file, append_file, edit_file, list_files, all within one sandbox."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import partial
from typing import BinaryIO, Final, TypeVar

import msgspec
import trio

from vega_trio._core.capping import SHOWN_LIMIT
from vega_trio.errors import ToolError, ToolRetry
from vega_trio.protocols import Tool
from vega_trio.tools.sandbox import Sandbox
from vega_trio.tools.toolbox import as_tool, tool

MAX_SCAN: Final = 64 * 1024 * 1024  # bytes read_file passes over to reach an offset

Result = TypeVar("Result")


def file_tools(sandbox: Sandbox) -> tuple[Tool, ...]:
    """The five tools. Each call is one short, bounded piece of work in a thread, which a cancel waits for."""
    # One writer at a time: calls of one reply run side by side, and two appends to one file must both be in it.
    writer = trio.CapacityLimiter(1)
    return (
        _read_tool(sandbox),
        _write_tool(sandbox, writer),
        _append_tool(sandbox, writer),
        _edit_tool(sandbox, writer),
        _list_tool(sandbox),
    )


def _read_tool(sandbox: Sandbox) -> Tool:
    @tool(effects=["read"], idempotent=True)
    async def read_file(path: str, offset: int = 0, limit: int | None = None) -> str:
        """Reads a text file.

        Args:
            path: The file, relative to the sandbox.
            offset: How many lines to skip.
            limit: How many lines to read at most; all by default.
        """
        if offset < 0 or (limit is not None and limit < 1):
            raise ToolRetry("'offset' must be at least 0 and 'limit' at least 1")
        return await in_thread(partial(read_lines, sandbox, path, offset, limit))

    return as_tool(read_file)


def _write_tool(sandbox: Sandbox, writer: trio.CapacityLimiter) -> Tool:
    @tool(effects=["write"], idempotent=True)
    async def write_file(path: str, content: str) -> str:
        """Writes a text file, replacing what was there. Missing directories are made.

        Args:
            path: The file, relative to the sandbox.
            content: The whole new text.
        """
        data = content.encode()
        await in_thread(partial(sandbox.write, path, data), writer)
        return f"wrote {len(data):,} bytes to {path}"

    return as_tool(write_file)


def _append_tool(sandbox: Sandbox, writer: trio.CapacityLimiter) -> Tool:
    @tool(effects=["write"])
    async def append_file(path: str, content: str) -> str:
        """Adds text to the end of a file, which is made if it does not exist.

        Args:
            path: The file, relative to the sandbox.
            content: The text to add.
        """
        data = content.encode()
        total = await in_thread(partial(_append, sandbox, path, data), writer)
        return f"appended {len(data):,} bytes to {path}, which now has {total:,}"

    return as_tool(append_file)


def _edit_tool(sandbox: Sandbox, writer: trio.CapacityLimiter) -> Tool:
    @tool(effects=["read", "write"])
    async def edit_file(path: str, old: str, new: str) -> str:
        """Replaces a piece of text in a file. It must occur exactly once.

        Args:
            path: The file, relative to the sandbox.
            old: The text to replace, exactly as it stands in the file.
            new: The text to put in its place.
        """
        await in_thread(partial(_edit, sandbox, path, old, new), writer)
        return f"edited {path}"

    return as_tool(edit_file)


def _list_tool(sandbox: Sandbox) -> Tool:
    @tool(effects=["read"], idempotent=True)
    async def list_files(path: str = ".", pattern: str | None = None, recursive: bool = False) -> str:
        """Lists a directory as JSON names; those of directories end with a slash.

        Args:
            path: The directory, relative to the sandbox.
            pattern: Only names like this, such as `*.py`, or paths like this, such as `src/**/*.py`.
            recursive: Also what is in the directories below.
        """
        return await in_thread(partial(_list, sandbox, path, pattern, recursive))

    return as_tool(list_files)


async def in_thread(work: Callable[[], Result], limiter: trio.CapacityLimiter | None = None) -> Result:
    return await trio.to_thread.run_sync(work, thread_name="vega file tool", limiter=limiter)


def read_lines(sandbox: Sandbox, path: str, offset: int = 0, limit: int | None = None) -> str:
    """Lines `offset` to `offset + limit` of a UTF-8 file, as far as the output limit goes, with a note if it cuts.

    Raises: ToolError.
    """
    with sandbox.open(path) as fd, os.fdopen(os.dup(fd), "rb") as file:
        _skip(file, path, offset)
        data, lines = bytearray(), 0
        while (limit is None or lines < limit) and len(data) <= SHOWN_LIMIT:
            line = file.readline(SHOWN_LIMIT + 1 - len(data))
            if not line:
                break
            data += line
            lines += line.endswith(b"\n")
        size = os.fstat(fd).st_size
    cut = len(data) > SHOWN_LIMIT
    text = _decode(bytes(data[:SHOWN_LIMIT]), path, final=not cut)
    if not cut:
        return text
    shown = text.count("\n")
    return f"{text}\n[output truncated: cut after {SHOWN_LIMIT:,} bytes of a file of {size:,}; " + (
        f"go on with offset {offset + shown}]" if shown else "its line is longer than can be shown]"
    )


def _skip(file: BinaryIO, path: str, offset: int) -> None:
    passed = 0
    for _ in range(offset):
        line = file.readline(MAX_SCAN)
        passed += len(line)
        if not line:
            return
        if passed >= MAX_SCAN:
            raise ToolError(f"line {offset} of {path!r} lies beyond its first {MAX_SCAN:,} bytes")


def _decode(data: bytes, path: str, *, final: bool = True) -> str:
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data, final)
    except UnicodeDecodeError as error:
        raise ToolError(f"{path!r} is not UTF-8 text (byte {error.start})") from error


def _append(sandbox: Sandbox, path: str, data: bytes) -> int:
    whole = sandbox.read(path, missing=b"") + data
    sandbox.write(path, whole)
    return len(whole)


def _edit(sandbox: Sandbox, path: str, old: str, new: str) -> None:
    text = _decode(sandbox.read(path), path)
    count = text.count(old) if old else 0
    if count == 0:
        raise ToolRetry(f"'old' does not occur in {path!r}; read the file and give its text exactly")
    if count > 1:
        raise ToolRetry(f"'old' occurs {count} times in {path!r}; give more of the text around it")
    sandbox.write(path, text.replace(old, new).encode())


def _list(sandbox: Sandbox, path: str, pattern: str | None, recursive: bool) -> str:
    listing = sandbox.entries(path, recursive=recursive)
    names = [
        entry.path + ("/" if entry.is_directory else "")
        for entry in listing.entries
        if pattern is None or matches(entry.path, pattern)
    ]
    # A name need not be Unicode; what cannot be shown is shown as a question mark.
    text = msgspec.json.encode([name.encode("utf-8", "replace").decode() for name in names]).decode()
    note = f"\n[there are more than {sandbox.max_entries:,} entries; list a directory below]"
    return text if listing.complete else text + note


def matches(path: str, pattern: str) -> bool:
    """A pattern without a slash is for the name, one with a slash for the whole path, where `**` spans directories."""
    if "/" not in pattern:
        return fnmatchcase(path.rpartition("/")[2], pattern)
    parts, globs = path.split("/"), pattern.strip("/").split("/")
    # reached[i]: the globs so far match the first i parts; one row a glob, so no pattern takes exponential time
    reached = [True] + [False] * len(parts)
    for glob in globs:
        row = [False] * (len(parts) + 1)
        for index in range(len(parts) + 1):
            if glob == "**":
                row[index] = reached[index] or (index > 0 and row[index - 1])
            elif index > 0:
                row[index] = reached[index - 1] and fnmatchcase(parts[index - 1], glob)
        reached = row
    return reached[-1]

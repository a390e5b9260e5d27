"""`/edit`: a message written in the person's own editor."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trio

from vega_trio.cli.failure import Failure, usage

USUAL = ("nano", "vi")
MAX_BYTES = 1024 * 1024


async def edited(editor: str, text: str) -> str:
    """What the person makes of `text`. `editor` is a command as VISUAL and EDITOR hold it, which no shell ever sees.

    Cancelling ends the editor; the file, which only its owner can read, is gone afterwards.

    Raises: Failure when there is no editor, or it ends as one that has failed.
    """
    command = _command(editor)
    with _draft(text) as path:
        await _run([*command, str(path)])
        return _read(path)


@contextmanager
def _draft(text: str) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(prefix="vega-", suffix=".md")
    try:
        with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _command(editor: str) -> list[str]:
    try:
        words = shlex.split(editor)
    except ValueError as error:
        raise usage(f"EDITOR is {editor!r}: {error}", "set it to a command such as nano") from error
    if words:
        return words
    found = next(filter(None, map(shutil.which, USUAL)), None)
    if found is None:
        raise usage("there is no editor", "set EDITOR to the command of yours")
    return [found]


async def _run(command: list[str]) -> None:
    try:
        done = await trio.run_process(command, stdin=None, check=False)
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}", "set EDITOR to the command of your editor") from error
    if done.returncode != 0:
        why = f"with {done.returncode}" if done.returncode > 0 else f"by a signal, {-done.returncode}"
        raise Failure(f"{command[0]} ended {why}; nothing is sent")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Failure(f"the message cannot be read: {error.strerror}; nothing is sent") from error
    if len(data) > MAX_BYTES:
        raise Failure(f"the message has more than {MAX_BYTES:,} bytes; nothing is sent")
    return data.decode("utf-8", "replace").rstrip("\n")

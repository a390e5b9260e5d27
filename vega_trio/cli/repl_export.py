"""`/export`: the conversation as a file, beneath the working directory and over no other."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import trio

from vega_trio.app.application import App
from vega_trio.app.transcripts import exported, markdown
from vega_trio.cli.failure import Failure, usage
from vega_trio.session import Session

SUFFIXES = (".md", ".json")


async def save_conversation(app: App, session: Session | None, name: str) -> str:
    """Writes what was said so far. `name` decides the form; empty, it is of the session. Returns the path.

    Raises: Failure.
    """
    if session is None or session.id is None:
        raise usage("there is no conversation yet", "say something first")
    path = _path(name or f"session-{session.id}.md")
    info = await app.archive.get(session.user, session.id)
    rows = await app.archive.messages(session.id)
    if path.suffix == ".json":
        text = json.dumps(exported(info, rows), ensure_ascii=False, indent=2) + "\n"
    else:
        text = markdown(info, rows)
    await trio.to_thread.run_sync(partial(_write_new, path, text))
    return str(path.relative_to(Path.cwd().resolve()))


def _path(name: str) -> Path:
    here = Path.cwd().resolve()
    path = (here / name).resolve()
    if path.suffix not in SUFFIXES:
        raise usage(f"{name!r} is neither Markdown nor JSON", f"give it one of the ends {' '.join(SUFFIXES)}")
    if not path.is_relative_to(here):
        raise usage(f"{name!r} lies outside of this directory", "name a file in it")
    return path


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except FileExistsError as error:
        raise Failure(f"{path.name} is there already, and stays as it is", "name another file") from error
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}", "name another file") from error

"""The files that stand beside a SKILL.md: the third stage of the open format, read when the model asks for one.

They are read together with the skill and count for its trust, so that what the model is given later is what somebody
has looked at, wherever links or renames lead meanwhile.
"""

from __future__ import annotations

import os
import stat
from codecs import getincrementaldecoder
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

MAX_FILES: Final = 100
MAX_FILE: Final = 64 * 1024  # bytes: what a tool's result may have
MAX_FOLDER: Final = 1024 * 1024
MAX_SEEN: Final = 2000  # entries that are looked at, so that a large tree costs little


def read_folder(folder: Path) -> tuple[dict[str, str], list[str]]:
    """By path relative to the folder, the text files of a skill but its SKILL.md; and what is left out, in words.

    Links are not followed, hidden files and what is no UTF-8 text are no part of a skill.
    """
    found: dict[str, str] = {}
    left_out: list[str] = []
    size = 0
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        data = _read(path)
        if data is None or not _is_text(data):
            continue
        size += len(data)
        if len(data) > MAX_FILE:
            left_out.append(f"its file {name!r} is left out: more than {MAX_FILE:,} bytes")
        elif size > MAX_FOLDER or len(found) == MAX_FILES:
            left_out.append(f"its file {name!r} and those after it are left out: more than {MAX_FILES} or 1 MiB")
            break
        else:
            found[name] = data.decode()
    return found, left_out


def _files(folder: Path) -> Iterator[Path]:
    seen = 0
    for place, directories, names in os.walk(folder):
        directories[:] = sorted(each for each in directories if not each.startswith("."))
        for name in sorted(names):
            seen += 1
            if seen > MAX_SEEN:
                return
            path = Path(place, name)
            if not name.startswith(".") and path != folder / "SKILL.md" and _is_regular(path):
                yield path


def _is_regular(path: Path) -> bool:
    """No link; what cannot even be looked at is no part of a skill."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _read(path: Path) -> bytes | None:
    """Up to a byte more than is taken; None for what cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE + 1)
    except OSError:
        return None


def _is_text(data: bytes) -> bool:
    """A cut may go through the last character."""
    try:
        getincrementaldecoder("utf-8")().decode(data, final=len(data) <= MAX_FILE)
    except UnicodeDecodeError:
        return False
    return True


def whole_digest(own: str, files: dict[str, str]) -> str:
    """A skill's digest, over all its files; of one without, its own."""
    if not files:
        return own
    parts = [own, *(sha256(f"{name}\0{files[name]}".encode()).hexdigest() for name in sorted(files))]
    return sha256("\n".join(parts).encode()).hexdigest()

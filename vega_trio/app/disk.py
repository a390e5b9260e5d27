"""The real file system, as the document parser sees it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import attrs


def directory_of(file: str) -> Path:
    """The directory that a document's paths are relative to: the file's, or the document itself when it is one."""
    path = Path(file)
    return path if path.is_dir() else path.parent


def replace_file(path: Path, data: bytes) -> None:
    """Puts other contents into a file that is there: its mode stays, a link to it stays one, nobody reads half of it.

    Raises: OSError; the file is as it was.
    """
    real = path.resolve(strict=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)  # nobody else reads it
    unfinished = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(real.stat().st_mode & 0o777)
        unfinished.replace(real)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


@attrs.frozen
class Disk:
    """`protocols.Files` over the operating system; relative paths are relative to the working directory."""

    def read(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def list(self, path: str) -> list[str]:
        return sorted(os.listdir(path))

    def is_file(self, path: str) -> bool:
        return Path(path).is_file()

    def is_dir(self, path: str) -> bool:
        return Path(path).is_dir()

"""The real file system, as the document parser sees it."""

from __future__ import annotations

import os
from pathlib import Path

import attrs


def directory_of(file: str) -> Path:
    """The directory that a document's paths are relative to: the file's, or the document itself when it is one."""
    path = Path(file)
    return path if path.is_dir() else path.parent


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

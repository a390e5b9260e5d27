"""The real file system, as the document parser sees it."""

from __future__ import annotations

import os
from pathlib import Path

import attrs


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

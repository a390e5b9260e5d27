"""A document's file, to which MCP servers are added."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from vega_trio.app.disk import Disk, replace_file
from vega_trio.app.models import providers
from vega_trio.app.plugins import REGISTRY, plugins
from vega_trio.cli.config import Setup, open_setup
from vega_trio.cli.failure import Failure, usage
from vega_trio.cli.options import Shared
from vega_trio.dsl.adding import with_servers
from vega_trio.dsl.document import Document
from vega_trio.dsl.parse import parse_text
from vega_trio.dsl.yaml_text import decode


@attrs.frozen
class ServerFile:
    """A file whose document is valid. `data` is what it holds, `names` those of its servers."""

    path: Path
    data: bytes = attrs.field(repr=False)
    names: frozenset[str]
    setup: Setup = attrs.field(repr=False)

    def add(self, servers: Mapping[str, Mapping[str, Any]]) -> None:
        """Writes the file anew: all of the servers are in it then, or it is as it was.

        Raises: Failure, ConfigError, DocumentError.
        """
        mark = b"\xef\xbb\xbf" if self.data.startswith(b"\xef\xbb\xbf") else b""
        text = mark + with_servers(decode(self.data, str(self.path)), servers).encode()
        _checked(text, self.path, self.setup)
        if _read(self.path) != self.data:
            raise Failure(f"{self.path} has been changed meanwhile; nothing was written", "do it again")
        try:
            replace_file(self.path, text)
        except OSError as error:
            raise Failure(f"{self.path} cannot be written: {error.strerror}; it is as it was") from error


def open_for_servers(file: str, shared: Shared) -> ServerFile:
    """Raises: Failure, DocumentError."""
    path = Path(file)
    if path.is_dir():
        raise usage(f"{file} is a directory", "name the one of its files that has the settings")
    setup = open_setup(shared.home)
    data = _read(path)
    document = _checked(data, path, setup)
    return ServerFile(path, data, frozenset(each.name for each in document.settings.mcp_servers), setup)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error


def _checked(data: bytes, path: Path, setup: Setup) -> Document:
    """Raises: DocumentError."""
    parsed = parse_text(
        data, str(path), Disk(), env=setup.env, providers=providers(), registry=REGISTRY, tools=plugins()
    )
    return parsed.document

"""What `vega mcp import` does: the servers that other programs keep as JSON, printed or put into a document."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vega_trio._core.codec import decode_json
from vega_trio.cli.asking import tell, visible
from vega_trio.cli.confirming import confirm
from vega_trio.cli.failure import Failure
from vega_trio.cli.jsonc import plain_json
from vega_trio.cli.mcp_document import open_for_servers
from vega_trio.cli.mcp_words import converted
from vega_trio.cli.options import Shared
from vega_trio.cli.output import render
from vega_trio.cli.terminal import put, safe

MAX_BYTES: Final = 1024 * 1024
SECTIONS: Final = (("mcpServers",), ("servers",), ("mcp", "servers"))  # the others are what VS Code says

Servers = Mapping[str, Mapping[str, Any]]


def import_servers(file: str, into: str | None, shared: Shared, *, yes: bool, as_json: bool) -> int:
    """Prints the settings, or writes them `into` a document; what a person has to look at is said on stderr.

    Returns the exit code. Raises: Failure, DocumentError, ConfigError; then nothing was written.
    """
    notes: list[str] = []
    servers: Servers = converted(_read(file), notes)
    if into is None:
        put(render({"settings": {"mcp": {"servers": servers}}}, "json" if as_json else "yaml"))
        _say(notes)
        return 0
    document = open_for_servers(into, shared)
    taken = [name for name in servers if name in document.names]
    notes += [f"{into} has a server {name!r} already, which stays as it is" for name in taken]
    servers = {name: each for name, each in servers.items() if name not in taken}
    _say(notes)
    if servers and not yes:
        _ask(servers, into)
    if servers:
        document.add(servers)
    if as_json:
        put(json.dumps({"file": into, "added": list(servers), "left_out": taken}) + "\n")
    else:
        put("".join(f"{name}: added to {into}\n" for name in servers))
    return 0


def _ask(servers: Servers, into: str) -> None:
    """Every one of them is a program that will run here, or an address that is told what agents ask."""
    for name, each in servers.items():
        tell(visible(f"{name}: {_shown(each)}") + "\n")
    confirm(f"add them to {into}, to be run from its next start on?", f"this adds {len(servers)} servers to {into}")


def _shown(server: Mapping[str, Any]) -> str:
    """All that decides what runs and where; of headers the names, for their values are sent and not run."""
    words = [server.get("command") or server.get("url") or "(of the registry)", *server.get("args", ())]
    said = [" ".join(map(_line, words))]
    said += [f"in {_line(server['cwd'])}"] if "cwd" in server else []
    said += [f"{_line(name)}={_line(text)}" for name, text in server.get("env", {}).items()]
    said += [f"header {_line(name)}" for name in server.get("headers", {})]
    said += ["disabled"] if server.get("disabled") else []
    return "\n    ".join(said)


def _line(text: object) -> str:
    return re.sub(r"\s+", " ", str(text))


def _say(notes: list[str]) -> None:
    for note in notes:
        tell(f"note: {safe(note)}\n")


def _read(file: str) -> Mapping[str, Any]:
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise Failure(f"{file} has more than {MAX_BYTES:,} bytes")
    whole = _decoded(data, file)
    for section in SECTIONS:
        found = whole
        for key in section:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return found
    raise Failure(f"{file} has no 'mcpServers'", "give the JSON in which another program keeps its MCP servers")


def _decoded(data: bytes, file: str) -> Any:
    """JSON, or that with comments and trailing commas, as editors allow it. Raises: Failure."""
    try:
        return decode_json(data)
    except ValueError as error:
        try:
            return decode_json(plain_json(data.decode("utf-8-sig")).encode())
        except ValueError:
            raise Failure(f"{file}: {error}") from error

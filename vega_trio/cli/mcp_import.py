"""What `vega mcp import` does: the `mcpServers` JSON of other programs, as `settings.mcp.servers` of a document."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vega_trio._core.codec import decode_json
from vega_trio.cli.failure import Failure
from vega_trio.cli.output import render
from vega_trio.cli.terminal import put, safe
from vega_trio.dsl.words import SERVER_NAME

MAX_BYTES: Final = 1024 * 1024
SECTIONS: Final = ("mcpServers", "servers")  # the second is what VS Code says
TRANSPORTS: Final[Mapping[str, str]] = {
    "http": "http",
    "streamable-http": "http",
    "streamableHttp": "http",
    "sse": "sse",
}
_SECRET: Final = re.compile(r"key|token|secret|password|credential|authorization", re.IGNORECASE)
_HOLE: Final = re.compile(r"\$\{(?:(?:input|env):)?([A-Za-z0-9_-]+)\}")


def import_servers(file: str) -> int:
    """Prints the settings; what a person has to look at is said on stderr. Returns the exit code. Raises: Failure."""
    notes: list[str] = []
    servers = converted(_read(file), notes)
    put(render({"settings": {"mcp": {"servers": servers}}}, "yaml"))
    for note in notes:
        sys.stderr.write(f"note: {safe(note)}\n")
    return 0


def converted(given: Mapping[str, Any], notes: list[str]) -> dict[str, dict[str, Any]]:
    """The servers in our words. A secret that stands there is not taken along but named, to be set as a variable."""
    found: dict[str, dict[str, Any]] = {}
    for name, described in given.items():
        fit = re.sub(r"_{2,}", "_", re.sub(r"[^A-Za-z0-9_.-]", "-", name)).strip("_-.")[:63]
        if not isinstance(described, dict) or not SERVER_NAME.fullmatch(fit) or fit in found:
            notes.append(f"the server {name!r} is left out: it needs a name of its own and a description")
            continue
        if fit != name:
            notes.append(f"the server {name!r} is called {fit!r} here")
        found[fit] = _server(fit, described, notes)
    return found


def _server(name: str, given: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {key: given[key] for key in ("command", "args", "cwd", "url") if given.get(key)}
    made |= {"transport": TRANSPORTS[given["type"]]} if given.get("type") in TRANSPORTS else {}
    for key in ("env", "headers"):
        if isinstance(given.get(key), dict) and given[key]:
            made[key] = {each: _value(name, each, str(text), notes) for each, text in given[key].items()}
    if given.get("disabled") is True:
        made["disabled"] = True
    known = {*made, "type", "env", "headers", "disabled"}
    notes += [f"{name}: {key!r} has no counterpart and is left out" for key in given if key not in known]
    return made


def _value(server: str, key: str, text: str, notes: list[str]) -> str:
    """A variable where the text names one, or where it looks like a secret; else the text as it is."""
    if _HOLE.search(text):
        return _HOLE.sub(lambda hole: f"${{{hole[1].replace('-', '_').upper()}}}", text)
    if not text or not _SECRET.search(key):
        return text.replace("${", "$${")
    variable = re.sub(r"\W", "_", key if key.lower() != "authorization" else f"{server}_authorization").upper()
    notes.append(f"{server}: set {variable} in the environment; its value stays where it was")
    return f"${{{variable}}}"


def _read(file: str) -> Mapping[str, Any]:
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise Failure(f"{file} has more than {MAX_BYTES:,} bytes")
    try:
        whole = decode_json(data)
    except ValueError as error:
        raise Failure(f"{file}: {error}") from error
    for section in SECTIONS:
        if isinstance(whole, dict) and isinstance(whole.get(section), dict):
            found: Mapping[str, Any] = whole[section]
            return found
    raise Failure(f"{file} has no 'mcpServers'", "give the JSON in which another program keeps its MCP servers")

"""Adds MCP servers to the text of a document and leaves every other character as it is.

The new lines go behind what stands in `settings.mcp.servers`, in the form that it has: a list or a mapping, in lines or
in brackets; what is missing of the three keys is made. Whatever YAML may do besides (anchors, tags, merged keys), the
text that comes out is read again and has to mean what it meant before, plus the servers: else nothing comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vega_trio.dsl.quoting import block, flow, item
from vega_trio.dsl.source import Report, Source
from vega_trio.dsl.yaml_nodes import YamlError, YamlList, YamlMap, YamlNode, YamlScalar, data, scalars
from vega_trio.dsl.yaml_text import load
from vega_trio.errors import ConfigError

PLACE: Final = ("settings", "mcp", "servers")
STEP: Final = 2  # of the indentation where nothing shows another

Servers = Mapping[str, Mapping[str, Any]]


def with_servers(source: Source, servers: Servers) -> str:
    """The text with the servers, by name, none of which it has. `source` is the text of a valid document.

    Raises: ConfigError where it cannot be added to.
    """
    root = load(source, Report())
    try:
        text = _added(source.text, root, servers)
        made = None if text is None else _meaning(Source(source.file, text))
    except YamlError:
        made = None
    if text is None or made != _expected(None if root is None else data(root), servers):
        raise ConfigError(
            f"{source.file}: settings.mcp.servers is written in a way that nothing can be added to by itself; "
            "nothing was written: add it by hand"
        )
    return text


def _meaning(source: Source) -> object:
    report = Report()
    node = load(source, report)
    return None if node is None or report.errors else data(node)


def _expected(meant: Any, servers: Servers) -> object:
    """The document as data, with the servers. Shares nothing that it changes."""
    whole = dict(meant or {})
    settings = whole["settings"] = dict(whole.get("settings") or {})
    mcp = settings["mcp"] = dict(settings.get("mcp") or {})
    found = mcp.get("servers")
    mcp["servers"] = {**found, **servers} if isinstance(found, dict) else [*(found or []), *_items(servers)]
    return whole


def _items(servers: Servers) -> list[Any]:
    """As items of a list, where a bare name is a server of the registry."""
    return [{"name": name, **each} if each else name for name, each in servers.items()]


def _added(text: str, root: YamlNode | None, servers: Servers) -> str | None:
    """The text with the servers at the deepest of the three places that there is; None where it is no place for any."""
    at, rest = root, list(PLACE)
    key: YamlScalar | None = None
    while isinstance(at, YamlMap) and rest:
        found = next((entry for entry in at.entries if entry[0].text == rest[0]), None)
        if found is None:
            break
        key, at = found
        rest.pop(0)
    match at:
        case None:
            return _lines_at(text, len(text), _block(rest, servers), 0)
        case YamlScalar(value=None):
            indent = 0 if key is None else _column(text, key.span.start) + STEP
            without = text[: at.span.start] + text[at.span.end :]
            # By its key: an empty value has its place where the next thing begins.
            line = at.span.start if key is None else key.span.end
            return _lines_at(without, _line_end(without, line), _block(rest, servers), indent)
        case YamlMap() if rest:
            return _into(text, at, _block(rest, servers), _flow_entries(_nested(rest, servers)), whole=at is root)
        case YamlMap():
            return _into(text, at, list(block(servers)), _flow_entries(servers))
        case YamlList():
            return _into(text, at, _block([], servers), ", ".join(map(flow, _items(servers))))
        case _:
            return None


def _nested(rest: list[str], servers: Servers) -> dict[str, Any]:
    """The keys that are missing, with the servers as a list below them."""
    made: Any = _items(servers)
    for key in reversed(rest):
        made = {key: made}
    found: dict[str, Any] = made
    return found


def _block(rest: list[str], servers: Servers) -> list[str]:
    """The same as lines; below no keys, the list alone."""
    keys = [f"{' ' * STEP * depth}{key}:" for depth, key in enumerate(rest)]
    indent = " " * STEP * len(rest)
    return [*keys, *(indent + line for each in _items(servers) for line in item(each))]


def _flow_entries(entries: Mapping[str, Any]) -> str:
    return ", ".join(f"{flow(key)}: {flow(value)}" for key, value in entries.items())


# -- places in the text


def _into(text: str, node: YamlMap | YamlList, lines: list[str], inline: str, *, whole: bool = False) -> str:
    """Behind the last entry of a collection: as lines, or inside of its brackets."""
    if text[node.span.start] in "[{":
        close = node.span.end - 1
        filled = node.entries if isinstance(node, YamlMap) else node.items
        return f"{text[:close].rstrip()}{', ' if filled else ''}{inline}{text[close:]}"
    where = len(text) if whole else _end(text, node)
    return _lines_at(text, where, lines, _column(text, node.span.start))


def _end(text: str, node: YamlNode) -> int:
    """Where the line behind the last one of a block begins; comments below it belong to what follows."""
    written = (each.span for each in scalars(node) if each.span.end > each.span.start)  # nothing is told of further on
    inside = (span.end for span in written if span.start >= node.span.start)
    floor = max((end for end in inside if end <= node.span.end), default=node.span.start)
    end = node.span.end
    while end > floor:
        start = max(text.rfind("\n", 0, end - 1) + 1, floor)
        if start == floor and text[start - 1 : start] != "\n":  # what remains of the last line
            break
        if text[start:end].strip() and not text[start:end].lstrip().startswith("#"):
            break
        end = start
    return end if text[end - 1 : end] == "\n" else _line_end(text, end)


def _line_end(text: str, index: int) -> int:
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _column(text: str, index: int) -> int:
    return index - (text.rfind("\n", 0, index) + 1)


def _lines_at(text: str, index: int, lines: list[str], indent: int) -> str:
    """The lines, with the line ends of the text, before the line that begins at `index`."""
    newline = "\r\n" if "\r\n" in text else "\n"
    before = text[:index]
    if before and not before.endswith("\n"):
        before += newline
    return before + "".join(f"{' ' * indent}{line}{newline}" for line in lines) + text[index:]

"""Definitions by name: a mapping of names to definitions, or a list of definitions that say their name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from vega_trio.checks import LONGEST_NAME, is_unreadable
from vega_trio.dsl.reading import Reading, shape
from vega_trio.dsl.yaml_nodes import YamlList, YamlMap, YamlNode, YamlScalar

_EXAMPLES = {
    "agent": "helper: {system: You are helpful.}",
    "workflow": "greet: {steps: [{helper: Say hello.}]}",
    "tool": "today: {run: date}",
    "server": "files: {command: npx, args: [...]}",
}
_INNER_KEYS = frozenset({"system", "model", "description", "steps", "inputs", "output", "params", "implementation"})


@attrs.frozen
class Named:
    """A definition: its name, where the name stands, and what it says."""

    name: str
    name_node: YamlScalar
    node: YamlMap
    path: str


def definitions(reading: Reading, nodes: Iterable[YamlNode], path: str, what: str, most: int = 1000) -> Iterator[Named]:
    """The definitions of mappings name -> definition and of lists of definitions with `name`.

    Several nodes are one section that stands in several files. Reports V005, V015, V003, V006.
    """
    found: dict[str, Named] = {}
    for named in (each for node in nodes for each in _pairs(reading, node, path, what)):
        if problem := bad_name(named.name):
            reading.error("V015", named.name_node, f"the {what} name '{named.name[:40]}' {problem}", path=named.path)
        elif named.name in found:
            hint = f"it is there already: {found[named.name].name_node.span.place}"
            reading.error("V003", named.name_node, f"the {what} '{named.name}' is defined twice", hint, named.path)
        else:
            found[named.name] = named
    if len(found) > most:
        beyond = list(found.values())[most]
        reading.error("V006", beyond.name_node, f"more than {most:,} {what}s", path=path)
    yield from found.values()


def entries(
    reading: Reading, node: YamlNode | None, path: str, what: str, nameless: str, *, bare: bool = False
) -> Iterator[tuple[YamlScalar, YamlNode]]:
    """The entries of a mapping name -> value, or the items of a list by their `name`.

    With `bare` an item may be a text, which is name and value. Reports V005, and `nameless` for an item without a name.
    """
    match node:
        case None:
            return
        case YamlMap():
            yield from node.entries
        case YamlList():
            for i, item in enumerate(node.items):
                name = item.get("name") if isinstance(item, YamlMap) else item if bare else None
                if isinstance(name, YamlScalar) and isinstance(name.value, str):
                    yield name, item
                else:
                    reading.error(nameless, item, f"{_one(what)} in a list needs a 'name'", path=f"{path}[{i}]")
        case _:
            message = f"'{path.rpartition('.')[2]}' must be a mapping or a list, not {shape(node)}"
            reading.error("V005", node, message, path=path)


def bad_name(name: str) -> str:
    """What is wrong with a name, or nothing."""
    if not 1 <= len(name) <= LONGEST_NAME:
        return f"must have 1 to {LONGEST_NAME} characters"
    if is_unreadable(name):
        return "may not contain / : { } or control characters"
    return "may not begin or end with a space" if name != name.strip() else ""


def _pairs(reading: Reading, node: YamlNode, path: str, what: str) -> Iterator[Named]:
    match node:
        case YamlScalar(value=None):
            return
        case YamlMap():
            for key, value in node.entries:
                inner = _definition(reading, value, f"{path}.{key.text}", what)
                if inner is not None:
                    _check_inner_name(reading, inner, key, path)
                    yield Named(key.text, key, inner, f"{path}.{key.text}")
        case YamlList():
            for i, item in enumerate(node.items):
                inner = _definition(reading, item, f"{path}[{i}]", what)
                name = inner.get("name") if inner is not None else None
                if inner is not None and isinstance(name, YamlScalar) and isinstance(name.value, str):
                    yield Named(name.value, name, inner, f"{path}[{i}]")
                elif inner is not None:
                    reading.error("V015", item, f"{_one(what)} in a list needs a 'name'", path=f"{path}[{i}]")
        case _:
            message = f"'{path}' must be a mapping of names to {what}s, or a list of {what}s, not {shape(node)}"
            reading.error("V005", node, message, f"write for example: {path}: {{{_EXAMPLES[what]}}}", path)


def _definition(reading: Reading, node: YamlNode, path: str, what: str) -> YamlMap | None:
    if isinstance(node, YamlMap):
        return node
    if isinstance(node, YamlScalar) and node.value is None:
        return YamlMap((), node.span)
    key = path.rpartition(".")[2]
    example = f"write for example: {_EXAMPLES[what]}"
    hint = f"indent '{key}' below the {what} it belongs to" if key in _INNER_KEYS else example
    reading.error("V005", node, f"{_one(what)} must be a mapping, not {shape(node)}", hint, path)
    return None


def _one(what: str) -> str:
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"


def _check_inner_name(reading: Reading, inner: YamlMap, key: YamlScalar, path: str) -> None:
    name = inner.get("name")
    if isinstance(name, YamlScalar) and name.value is not None and name.text != key.text:
        message = f"the name '{name.text[:40]}' differs from its key '{key.text}'"
        reading.error("V015", name, message, "remove the 'name'", f"{path}.{key.text}.name")

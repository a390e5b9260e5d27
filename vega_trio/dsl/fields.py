"""Reads the fields of a mapping into plain values, and reports what does not fit, with its place."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import attrs

from vega_trio.dsl.reading import Reading, shape
from vega_trio.dsl.units import parse_duration, parse_money
from vega_trio.dsl.yaml_core import resolve
from vega_trio.dsl.yaml_nodes import YamlList, YamlMap, YamlNode, YamlScalar
from vega_trio.suggest import remedy

_T = TypeVar("_T")


@attrs.define
class Fields:
    """The fields of one mapping.

    Every reading method takes the key and the default for when it is absent or null. `finish` reports the keys
    that nobody read. `owner` is the mapping's own key, to point at for what is not there.
    """

    reading: Reading
    node: YamlMap
    path: str
    entries: dict[str, tuple[YamlScalar, YamlNode]] = attrs.field(init=False)
    known: set[str] = attrs.field(factory=set)
    owner: YamlNode | None = None

    def __attrs_post_init__(self) -> None:
        self.entries = {key.text: (key, value) for key, value in self.node.entries}

    def _error(self, code: str, node: YamlNode, message: str, key: str = "", hint: str = "") -> None:
        self.reading.error(code, node, message, hint, f"{self.path}.{key}" if key else self.path)

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def take(self, key: str) -> YamlNode | None:
        """The value's node, None when it is absent or null."""
        self.known.add(key)
        entry = self.entries.get(key)
        if entry is None or (isinstance(entry[1], YamlScalar) and entry[1].value is None):
            return None
        return entry[1]

    def key(self, key: str) -> YamlScalar | None:
        entry = self.entries.get(key)
        return entry[0] if entry else None

    def wrong(self, code: str, key: str, message: str, hint: str = "") -> None:
        """Reports something about the value of a key."""
        entry = self.entries.get(key)
        self._error(code, entry[1] if entry else self.owner or self.node, message, key, hint)

    def wrong_key(self, code: str, key: str, message: str, hint: str = "") -> None:
        """Reports something about a key itself."""
        entry = self.entries.get(key)
        self._error(code, entry[0] if entry else self.owner or self.node, message, key, hint)

    def finish(self) -> None:
        for text, (key, _) in self.entries.items():
            if text not in self.known:
                hint = remedy(text, self.known, "the keys are")
                self._error("V004", key, f"unknown key '{text}'", text, hint)

    # -- kinds of fields

    def _needs(self, key: str, what: str, node: YamlNode) -> None:
        hint = ""
        if what == "a text" and isinstance(node, YamlScalar):
            hint = "put quotes round it"
        self.wrong("V005", key, f"'{key}' must be {what}, not {shape(node)}", hint)

    def text(self, key: str, default: str = "") -> str:
        node = self.take(key)
        if node is None:
            return default
        if isinstance(node, YamlScalar) and isinstance(node.value, str):
            return node.value
        self._needs(key, "a text", node)
        return default

    def maybe_text(self, key: str) -> str | None:
        return self.text(key) or None

    def _scalar(self, key: str) -> YamlScalar | None:
        """The scalar of a number or boolean field; a text that a variable went into is what it says."""
        node = self.take(key)
        if node is None or (isinstance(node, YamlScalar) and node.unset):
            return None
        if isinstance(node, YamlScalar) and node.substituted:
            return attrs.evolve(node, value=resolve(node.text.strip()))
        if isinstance(node, YamlScalar):
            return node
        self._needs(key, "a single value", node)
        return None

    def flag(self, key: str, default: bool) -> bool:
        node = self._scalar(key)
        if node is None:
            return default
        if isinstance(node.value, bool):
            return node.value
        hint = "write true or false" if str(node.value).lower() in ("yes", "no", "on", "off") else ""
        self.wrong("V005", key, f"'{key}' must be true or false, not {_shown(node)}", hint)
        return default

    def number(self, key: str, default: float, least: float, most: float = math.inf) -> float:
        found = self.maybe_number(key, least, most)
        return default if found is None else found

    def maybe_number(self, key: str, least: float, most: float = math.inf) -> float | None:
        node = self._scalar(key)
        if node is None:
            return None
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong("V005", key, f"'{key}' must be a number, not {_shown(node)}")
            return None
        if not least <= value <= most or not math.isfinite(value):
            self.wrong("V016", key, f"'{key}' must be {_range(least, most)}, not {node.text}")
            return None
        return value

    def whole(self, key: str, default: int, least: int, most: float = math.inf) -> int:
        found = self.maybe_whole(key, least, most)
        return default if found is None else found

    def maybe_whole(self, key: str, least: int, most: float = math.inf) -> int | None:
        found = self.maybe_number(key, least, most)
        if found is None or found == int(found):
            return None if found is None else int(found)
        self.wrong("V005", key, f"'{key}' must be a whole number, not {found:g}")
        return None

    def duration(self, key: str, default: float, *, above_zero: bool = True) -> float:
        found = self.maybe_duration(key, above_zero=above_zero)
        return default if found is None else found

    def maybe_duration(self, key: str, *, above_zero: bool = True) -> float | None:
        found = self._parsed(key, parse_duration)
        if found == 0 and above_zero:
            self.wrong("V016", key, f"'{key}' must be longer than 0")
            return None
        return found

    def money(self, key: str) -> int | None:
        return self._parsed(key, parse_money)

    def _parsed(self, key: str, parse: Callable[[str], _T]) -> _T | None:
        node = self.take(key)
        if node is None or (isinstance(node, YamlScalar) and node.unset):
            return None
        if not isinstance(node, YamlScalar) or isinstance(node.value, bool):
            self._needs(key, "a single value", node)
            return None
        try:
            return parse(node.text)
        except ValueError as error:
            self.wrong("V016", key, f"'{key}': {error}")
            return None

    def choice(self, key: str, default: _T, choices: Mapping[str, _T]) -> _T:
        node = self.take(key)
        if node is None or (isinstance(node, YamlScalar) and node.unset):
            return default
        if isinstance(node, YamlScalar) and isinstance(node.value, str):
            if node.value in choices:
                return choices[node.value]
            hint = remedy(node.value, choices, "choose one of")
            self.wrong("V016", key, f"'{key}' cannot be '{node.value}'", hint)
            return default
        self._needs(key, "one of " + ", ".join(choices), node)
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or one text."""
        node = self.take(key)
        if node is None:
            return ()
        if isinstance(node, YamlScalar) and isinstance(node.value, str):
            return (node.value,) if node.value else ()
        if not isinstance(node, YamlList):
            self._needs(key, "a list of texts", node)
            return ()
        found = []
        for i, item in enumerate(node.items):
            if isinstance(item, YamlScalar) and isinstance(item.value, str):
                found.append(item.value)
            else:
                message = f"a text is needed here, not {shape(item)}"
                self.reading.error("V005", item, message, path=f"{self.at(key)}[{i}]")
        return tuple(found)

    def mapping(self, key: str) -> YamlMap | None:
        node = self.take(key)
        if node is None or isinstance(node, YamlMap):
            return node
        self._needs(key, "a mapping", node)
        return None

    def items(self, key: str) -> YamlList | None:
        node = self.take(key)
        if node is None or isinstance(node, YamlList):
            return node
        self._needs(key, "a list", node)
        return None

    def inner(self, key: str) -> Fields | None:
        node = self.mapping(key)
        return None if node is None else Fields(self.reading, node, self.at(key), owner=self.entries[key][0])

    def lacking(self, code: str, message: str, hint: str = "") -> None:
        """Reports something that is missing from the mapping."""
        self._error(code, self.owner or self.node, message, "", hint)


def _shown(node: YamlScalar) -> str:
    return f"'{node.text[:40]}'" if isinstance(node.value, str) else shape(node)


def _range(least: float, most: float) -> str:
    if most == math.inf:
        return f"at least {least:,.15g}"
    return f"from {least:,.15g} to {most:,.15g}"

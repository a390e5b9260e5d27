"""Arguments for a tool, made up from its JSON Schema and what a message says: how the demo model calls tools."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import attrs

_QUOTED = re.compile(r'"([^"]+)"|“([^“”]+)”|`([^`]+)`|(?<!\w)\'([^\']+)\'(?!\w)')
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?!\w)", re.ASCII)
_FILLER = re.compile(r"^(?:\W|\b(?:tool|please|on|for|of|in|with|to|from|about|the|this|text|and|now)\b)+", re.I)
_DEEPEST = 6
"""Schemas may refer to themselves."""

_HINTS: Mapping[str, re.Pattern[str]] = {
    "url": re.compile(r"https?://[^\s\"'`”>)]+"),
    "uri": re.compile(r"[a-z][a-z0-9+.-]*:[^\s\"'`”>)]+"),
    "path": re.compile(r"(?<![\w/:.])(?:[\w.-]*/[\w./-]*|[\w-]+\.\w+)"),
    "file": re.compile(r"(?<![\w/:.])(?:[\w.-]*/[\w./-]*|[\w-]+\.\w+)"),
}
"""What the value of a text parameter whose name ends so looks like."""


@attrs.define
class _Material:
    """What the message offers, used up from the front."""

    text: str
    quoted: list[str]
    numbers: list[float]
    rest: str


def quoted_texts(text: str) -> list[str]:
    """What stands between quotation marks or backticks, in order."""
    return [next(part for part in match.groups() if part) for match in _QUOTED.finditer(text)]


def without_quotes(text: str) -> str:
    """The text with every quotation taken out."""
    return _QUOTED.sub(" ", text)


def _numbers(text: str) -> list[float]:
    return [value for value in map(float, _NUMBER.findall(text)) if math.isfinite(value)]


def synthesise(schema: Mapping[str, Any], text: str) -> dict[str, Any]:
    """An object that fits `schema`: every required property, and those optional ones the text gives as `name=value`.

    A value is, in this order: named in the text, a constant, the first choice, the default, the next quotation or
    number, what is left of the text. Deterministic; never raises, whatever the schema.
    """
    rest = _FILLER.sub("", text).strip().rstrip(".!?")
    return _object(schema, _Material(text, quoted_texts(text), _numbers(without_quotes(text)), rest), schema, 0)


def _object(schema: Mapping[str, Any], material: _Material, root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or depth > _DEEPEST:
        return {}
    required = schema.get("required")
    wanted = required if isinstance(required, list | tuple) else ()
    found: dict[str, Any] = {}
    for name, given in properties.items():
        part = _resolve(given, root)
        named = _named(name, material.text)
        if named is not None:
            found[name] = _convert(part, named, material, root, depth)
        elif name in wanted:
            found[name] = _value(name, part, material, root, depth)
    return found


def _resolve(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a local `$ref`, or the first choice of a union that is not null."""
    for _ in range(_DEEPEST):
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref")
        choices = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(reference, str) and reference.startswith("#/"):
            schema = _follow(reference, root)
        elif isinstance(choices, list) and choices:
            schema = next((each for each in choices if _type_of(each) != "null"), {})
        else:
            return schema
    return {}


def _follow(reference: str, root: Mapping[str, Any]) -> Any:
    node: Any = root
    for key in reference[2:].split("/"):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _type_of(schema: Any) -> str:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), None)
    return kind if isinstance(kind, str) else "object" if isinstance(schema, Mapping) and "properties" in schema else ""


def _named(name: str, text: str) -> str | None:
    """`name=value`, `name: value` or `name="a value"` in the text."""
    match = re.search(rf"(?<!\w){re.escape(name)}\s*[=:]\s*(?:\"([^\"]*)\"|'([^']*)'|(\S+))", text)
    if match is None:
        return None
    quoted = match.group(1) if match.group(1) is not None else match.group(2)
    return quoted if quoted is not None else match.group(3).rstrip(",;.")


def _convert(schema: Mapping[str, Any], text: str, material: _Material, root: Mapping[str, Any], depth: int) -> Any:
    own = _Material(text, quoted_texts(text), _numbers(text), text)
    if text in material.quoted:
        material.quoted.remove(text)
    choices = schema.get("enum")
    if isinstance(choices, list) and text in [str(each) for each in choices]:
        return next(each for each in choices if str(each) == text)
    if _type_of(schema) == "boolean":
        return text.lower() in ("true", "yes", "1", "on")
    bare = {key: value for key, value in schema.items() if key not in ("default", "enum", "const")}
    return _value("", bare, own, root, depth)


def _value(name: str, schema: Mapping[str, Any], material: _Material, root: Mapping[str, Any], depth: int) -> Any:
    choices = schema.get("enum")
    if "const" in schema:
        return schema["const"]
    if isinstance(choices, list) and choices:
        return next((each for each in choices if _mentions(material.text, str(each))), choices[0])
    if "default" in schema:
        return schema["default"]
    match _type_of(schema):
        case "integer" | "number" as kind:
            return _number(schema, material, whole=kind == "integer")
        case "boolean":
            return True
        case "array":
            return _array(schema, material, root, depth)
        case "object":
            return _object(schema, material, root, depth + 1)
        case "null":
            return None
        case _:
            return _text(name, schema, material)


def _mentions(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def _number(schema: Mapping[str, Any], material: _Material, *, whole: bool) -> float | int:
    low, high = schema.get("minimum"), schema.get("maximum")
    value = material.numbers.pop(0) if material.numbers else 1.0
    if isinstance(low, int | float):
        value = max(value, low)
    if isinstance(high, int | float):
        value = min(value, high)
    return int(value) if whole or float(value).is_integer() else value


def _text(name: str, schema: Mapping[str, Any], material: _Material) -> str:
    value = _hinted(name, material.text)
    if value is None:
        value = material.quoted.pop(0) if material.quoted else material.rest or material.text
    longest = schema.get("maxLength")
    return value[:longest] if isinstance(longest, int) and longest >= 0 else value


def _hinted(name: str, text: str) -> str | None:
    for ending, pattern in _HINTS.items():
        if name.lower().endswith(ending) and (match := pattern.search(text)):
            return match.group().rstrip(".,;")
    return None


def _array(schema: Mapping[str, Any], material: _Material, root: Mapping[str, Any], depth: int) -> list[Any]:
    items = _resolve(schema.get("items"), root)
    if depth > _DEEPEST:
        return []
    if _type_of(items) in ("integer", "number"):
        count = max(1, len(material.numbers))
    else:
        count = max(1, len(material.quoted)) if _type_of(items) in ("string", "") else 1
    return [_value("", items, material, root, depth + 1) for _ in range(count)]

"""What a server says of its tools: kept apart from other tools, made safe to show to a model, and pinned.

A definition is text by a stranger that a model obeys. So its characters are all visible, its schema is bounded, it
can take nobody's name, and once seen it is pinned: another text under the same name is not offered until somebody has
approved it.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

MAX_TOOLS: Final = 1000
MAX_NAME: Final = 128
MAX_DESCRIPTION: Final = 8 * 1024  # characters; the longest of the well-known servers has 3,000
MAX_SCHEMA: Final = 64 * 1024  # characters of JSON
MAX_DEPTH: Final = 40
MAX_TOOL_NAME: Final = 64  # as `model_call.TOOL_NAME` has it

_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
# At the top of a schema these say what `type: object` and `properties` cannot, and providers refuse them there.
_TOP_ONLY: Final = frozenset({"anyOf", "oneOf", "allOf", "not", "if", "then", "else", "enum", "$schema", "$id"})


@attrs.frozen(kw_only=True)
class Definition:
    """A tool as its server defines it. `name` is the server's own, `tool_name` the one that models see.

    `schema` is what models are shown. `digest` is of everything a model could be moved by.
    """

    name: str
    tool_name: str
    description: str
    schema: Mapping[str, Any] = attrs.field(repr=False)
    digest: str
    idempotent: bool = False


class Unfit(Exception):
    """A definition that cannot be offered; the text says why."""


def define(server: str, raw: Mapping[str, Any]) -> Definition:
    """A definition from `tools/list`, as JSON. Raises: Unfit."""
    name = raw.get("name")
    if not isinstance(name, str) or not name or len(name) > MAX_NAME:
        raise Unfit(f"a tool without a usable name ({name!r:.80})")
    description = raw.get("description") or raw.get("title") or ""
    if not isinstance(description, str) or len(description) > MAX_DESCRIPTION:
        raise Unfit(f"tool {name!r}: its description is longer than {MAX_DESCRIPTION:,} characters")
    schema = raw.get("inputSchema")
    if not isinstance(schema, dict):
        raise Unfit(f"tool {name!r}: it has no input schema")
    hints = raw.get("annotations") or {}
    return Definition(
        name=name,
        tool_name=model_name(server, name),
        description=visible(description),
        schema=_shown(name, schema),
        digest=digest_of(name, description, schema),
        idempotent=bool(hints.get("idempotentHint") or hints.get("readOnlyHint")),
    )


def define_all(server: str, listed: Iterable[Mapping[str, Any]]) -> tuple[list[Definition], list[str]]:
    """The definitions that can be offered, and what is wrong with the others. No tool takes another's name."""
    found: dict[str, Definition] = {}
    wrong: list[str] = []
    for raw in listed:
        try:
            definition = define(server, raw)
        except Unfit as error:
            wrong.append(str(error))
            continue
        if definition.tool_name in found:
            wrong.append(f"tool {definition.name!r}: there is another of the name {definition.tool_name!r}")
        elif len(found) >= MAX_TOOLS:
            wrong.append(f"tool {definition.name!r}: the server has more than {MAX_TOOLS} tools")
        else:
            found[definition.tool_name] = definition
    return list(found.values()), wrong


def model_name(server: str, tool: str) -> str:
    """`server__tool` in the characters that providers take; one too long keeps its beginning and gets a mark."""
    whole = f"{server}__{tool}"
    fit = _UNFIT.sub("_", whole)
    if len(fit) <= MAX_TOOL_NAME:
        return fit
    mark = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{fit[: MAX_TOOL_NAME - 9]}_{mark}"


def digest_of(name: str, description: str, schema: Mapping[str, Any]) -> str:
    """The pin: SHA-256 over the definition, whatever the order of its keys."""
    whole = json.dumps([name, description, schema], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(whole.encode()).hexdigest()


def visible(text: str) -> str:
    """The text with every character that nobody sees written out, as `<U+200B>`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in _HIDDEN else f"<U+{ord(char):04X}>" for char in text
    )


def _shown(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Raises: Unfit for a schema that is too large, too deep, or not of an object."""
    if schema.get("type", "object") != "object":
        raise Unfit(f"tool {name!r}: its arguments are {schema.get('type')!r:.40}, not an object")
    clean = _clean(schema, 0, name)
    assert isinstance(clean, dict)
    if len(json.dumps(clean)) > MAX_SCHEMA:
        raise Unfit(f"tool {name!r}: its schema has more than {MAX_SCHEMA:,} characters")
    shown = {key: value for key, value in clean.items() if key not in _TOP_ONLY}
    properties = shown.get("properties")
    return {**shown, "type": "object", "properties": properties if isinstance(properties, dict) else {}}


def _clean(value: Any, depth: int, name: str) -> Any:
    if depth > MAX_DEPTH:
        raise Unfit(f"tool {name!r}: its schema is nested deeper than {MAX_DEPTH}")
    match value:
        case str():
            return visible(value)
        case dict():
            return {visible(str(key)): _clean(each, depth + 1, name) for key, each in value.items()}
        case list():
            return [_clean(each, depth + 1, name) for each in value]
        case _:
            return value


_NAMES: Final = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})
"""Keywords under which keys are names, not keywords."""


def checkable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without what only its server can judge: other documents, and patterns of other dialects."""
    return {
        key: {name: _checkable(each) for name, each in value.items()}
        if key in _NAMES and isinstance(value, dict)
        else _checkable(value)
        for key, value in schema.items()
        if key not in ("pattern", "patternProperties")
        and not (key == "$ref" and not (isinstance(value, str) and value.startswith("#")))
    }


def _checkable(value: Any) -> Any:
    match value:
        case dict():
            return checkable(value)
        case list():
            return [_checkable(each) for each in value]
        case _:
            return value

"""Fills the templates of a document's tool: what is literal is the author's, what a hole gives may be hostile.

Every value goes in encoded for its place, so that it stays what it is: one argument, one part of an address, one
JSON value, one line of a header.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

import msgspec

from vega_trio.dsl.template import Constant, Hole, ListTemplate, MapTemplate, Template, ValueTemplate
from vega_trio.dsl.values import UNDEFINED, Scope, plain, print_value
from vega_trio.errors import ToolError, ToolRetry

EncodeAfter = Callable[[str, object], str]


def fill(template: Template, scope: Scope, encode: EncodeAfter) -> str:
    """The text; `encode(before, value)` gets all that stands before the hole, already encoded."""
    if "\0" in template.text:
        raise ToolError("the text of a tool may not hold a NUL character")
    values: list[object] = []

    def mark(value: object) -> str:
        values.append(value)
        return f"\0{len(values) - 1}\0"

    done = ""
    for index, piece in enumerate(template.render_text(scope, mark).split("\0")):
        done += encode(done, values[int(piece)]) if index % 2 else piece
    return done


def only_hole(template: Template) -> Hole | None:
    """The hole, when there is nothing else but empty text around it."""
    parts = [part for part in template.parts if part != ""]
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Hole) else None


def is_absent(template: Template, scope: Scope) -> bool:
    """Whether this is one hole for an optional parameter that was not given, so that its entry is left out.

    Such a parameter is in the scope, as UNDEFINED; a tool value that is not set is not there at all, and an error.
    """
    hole = only_hole(template)
    return hole is not None and hole.name is not None and scope.get(hole.name) is UNDEFINED


def opens_with_value(template: Template) -> bool:
    """Whether a value may give the text its first character."""
    first = next((part for part in template.parts if part != ""), "")
    return not isinstance(first, str)


# -- addresses


def fill_url(template: Template, scope: Scope) -> str:
    """Values are percent-encoded; only an address that is one hole is taken as the value gives it."""
    if only_hole(template) is not None:
        return template.render_text(scope)
    url = fill(template, scope, lambda _, value: quote(print_value(value), safe=""))
    if {".", ".."} & {unquote(part) for part in urlsplit(url).path.split("/")}:
        raise ToolRetry("a value of '.' or '..' cannot be a part of the address")
    return url


def fill_query(query: Mapping[str, ValueTemplate], scope: Scope) -> str:
    """`a=1&b=2`: a list repeats its name, null and what is absent are left out."""
    pairs: list[tuple[str, str]] = []
    for name, template in query.items():
        value = fill_value(template, scope)
        members = value if isinstance(value, list) else [value]
        pairs += [(name, print_value(each)) for each in members if each is not UNDEFINED and each is not None]
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)


# -- values and bodies


def fill_value(template: ValueTemplate, scope: Scope) -> Any:
    """The value, without the entries that are absent; UNDEFINED when it is absent itself."""
    match template:
        case Template():
            return UNDEFINED if is_absent(template, scope) else template.render(scope)
        case Constant(value):
            return value
        case ListTemplate(items):
            return [value for item in items if (value := fill_value(item, scope)) is not UNDEFINED]
        case MapTemplate(entries):
            filled = {key: fill_value(item, scope) for key, item in entries.items()}
            return {key: value for key, value in filled.items() if value is not UNDEFINED}


def fill_body(template: ValueTemplate, scope: Scope, content_type: str) -> bytes | None:
    """The body: JSON, unless it is a text for which the author named another type; None when it is absent."""
    kind = content_type.partition(";")[0].strip().lower()
    if not isinstance(template, Template):
        return _json(fill_value(template, scope)).encode()
    if is_absent(template, scope):
        return None
    if kind == "application/x-www-form-urlencoded":
        return fill(template, scope, lambda _, value: quote_plus(print_value(value))).encode()
    if kind and not kind.endswith("json"):
        return template.render_text(scope).encode()
    return fill(template, scope, _json_at).encode()


def _json_at(before: str, value: object) -> str:
    """Inside the quotes of a JSON text the value is what stands between them; anywhere else it is a whole value."""
    return _json(print_value(value))[1:-1] if _in_quotes(before) else _json(value)


def _in_quotes(text: str) -> bool:
    inside = escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif char == "\\" and inside:
            escaped = True
        elif char == '"':
            inside = not inside
    return inside


def _json(value: object) -> str:
    return msgspec.json.encode(plain(value)).decode()

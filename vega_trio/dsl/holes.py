"""Finds the `{{ }}` of a text and parses what is in them."""

from __future__ import annotations

import re

import attrs

from vega_trio.dsl.cursor import Cursor
from vega_trio.dsl.expr import Parser, Warn
from vega_trio.dsl.nodes import Literal, Node


@attrs.frozen
class HolePart:
    """A `{{ }}` of a template; `word` is "", or `if`, `else`, `else if`, `end` of a tool's conditional text."""

    node: Node
    start: int
    end: int
    word: str = ""


def parse_holes(text: str, warn: Warn, *, tool: bool = False) -> list[str | HolePart]:
    """The literal pieces and the holes of a template, in order. `\\{{` is literal.

    Raises: ExpressionError V050-V054, V006.
    """
    parts: list[str | HolePart] = []
    literal, at = "", 0
    while (opening := text.find("{{", at)) >= 0:
        if opening > 0 and text[opening - 1] == "\\":
            literal += text[at : opening - 1] + "{{"
            at = opening + 2
            continue
        literal += text[at:opening]
        if literal:
            parts.append(literal)
        part = _hole(text, opening, warn, tool)
        parts.append(part)
        literal, at = "", part.end
    literal += text[at:]
    return [*parts, literal] if literal else parts


_BLOCK = re.compile(r"\s*(if|else\s+if|else|end)\b")


def _hole(text: str, opening: int, warn: Warn, tool: bool) -> HolePart:
    cursor = Cursor(text, opening + 2, len(text), holes=False, brackets=["{{"])
    found = _BLOCK.match(text, opening + 2) if tool else None
    word = " ".join(found[1].split()) if found else ""
    if found:
        cursor.at = found.end()
    cursor.skip()
    if cursor.closes_hole():
        if word in ("", "if", "else if"):
            hint = "write \\{{ for the characters"
            raise cursor.error("V053", f"'{{{{{word}}}}}' is empty", opening, cursor.at + 2, hint)
        node: Node = Literal(None, opening, cursor.at)
    elif text.find("}}", cursor.at) < 0:
        raise cursor.error("V053", "'{{' is not closed", opening, opening + 2, "end it with '}}', or write \\{{")
    else:
        node = Parser(cursor, warn, dotted=tool).whole()
    if not cursor.closes_hole():
        raise cursor.error("V053", "'{{' is not closed", opening, opening + 2, "end it with '}}', or write \\{{")
    return HolePart(node, opening, cursor.at + 2, word)


def quoted_parts(text: str, warn: Warn) -> tuple[Node, ...]:
    """The pieces of quoted text with holes in it. Raises: ExpressionError, its offsets within that text."""
    parts = parse_holes(text, warn)
    return tuple(Literal(each, 0, len(text)) if isinstance(each, str) else each.node for each in parts)

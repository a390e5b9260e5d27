"""From a place in a scalar's value back to the place in the file it was written at.

The value and the source are walked side by side: indentation, line folding and escapes are what the value lacks.
Only errors pay for it.
"""

from __future__ import annotations

import attrs

from vega_trio.dsl.source import Span
from vega_trio.dsl.yaml_nodes import YamlScalar

_BREAKS = "\r\n"


@attrs.define
class Places:
    """Looks places up. The scalar asked for last is kept: findings come scalar by scalar, thousands in a long one."""

    _node: YamlScalar | None = None
    _found: list[int] = attrs.field(factory=list)

    def span(self, node: YamlScalar, start: int, end: int) -> Span:
        """Where characters `start` to `end` of the value stand; the whole scalar when that cannot be told."""
        if node.substituted or not isinstance(node.value, str):
            return node.span
        if node is not self._node:
            self._node, self._found = node, _places(node)
        places = self._found
        if not places or start >= len(places):
            return node.span if not places else Span(node.span.source, places[-1], places[-1] + 1)
        last = places[min(max(end, start + 1), len(places)) - 1]
        return Span(node.span.source, places[start], max(last, places[start]) + 1)


def _places(node: YamlScalar) -> list[int]:
    """The index in the file of each character of the value; empty when value and source do not match."""
    raw = node.span.source.text[node.span.start : node.span.end]
    base = node.span.start
    match node.style:
        case "|" | ">":
            found = _block(raw, node.text)
        case '"':
            found = _double(raw, node.text)
        case _:
            found = _flow(raw, node.text, "'" if node.style == "'" else "")
    return [base + index for index in found]


def _block(raw: str, value: str) -> list[int]:
    header = raw.find("\n") + 1
    body = raw[header:]
    indent = _indent(body, value)
    at = _next_line(body, 0, indent) if not value.startswith("\n") else 0
    places: list[int] = []
    while len(places) < len(value):
        char = value[len(places)]
        if at >= len(body):
            places.append(header + max(len(body) - 1, 0))
        elif body[at] in _BREAKS or (not places and char == "\n"):
            # A run of breaks is as many in the value, or one less where lines are folded, or a space for one.
            count = max(_run(value, len(places)), 1)
            places.extend([header + at] * count)
            at = _next_line(body, at, indent)
        elif body[at] == char:
            places.append(header + at)
            at += 1
        else:
            return []
    return places


def _next_line(body: str, at: int, indent: int) -> int:
    """Where the text of the next line begins that is not empty, its indentation taken off."""
    while True:
        at = _past_break(body, at)
        start = at + _spaces(body, at, indent)
        if start >= len(body) or body[start] not in _BREAKS:
            return start
        at = start


def _indent(body: str, value: str) -> int:
    """The columns taken off every line: what the first line that is not blank has lost."""
    return _first_indent(body) - _first_indent(value)


def _first_indent(text: str) -> int:
    line = next((line for line in text.split("\n") if line.strip()), "")
    return len(line) - len(line.lstrip(" "))


def _spaces(text: str, at: int, most: int) -> int:
    """How many spaces stand there, at most so many."""
    here = text[at : at + most]
    return len(here) - len(here.lstrip(" "))


def _run(text: str, at: int) -> int:
    """How many line breaks stand there."""
    end = at
    while text[end : end + 1] == "\n":
        end += 1
    return end - at


def _past_break(text: str, at: int) -> int:
    if text[at : at + 2] == "\r\n":
        return at + 2
    return at + 1 if at < len(text) and text[at] in _BREAKS else at


def _flow(raw: str, value: str, quote: str) -> list[int]:
    """A plain or single-quoted scalar; a line break and the blanks round it are one space or line breaks."""
    places: list[int] = []
    at = 1 if quote else 0
    folded = 0
    for char in value:
        at, folded = _folded(raw, at, folded)
        if folded:
            places.append(at - 1)
            folded -= 1
        elif raw[at : at + 1] == char:
            places.append(at)
            at += 2 if char == quote and raw[at + 1 : at + 2] == quote else 1
        else:
            return []
    return places


def _folded(raw: str, at: int, left: int) -> tuple[int, int]:
    """Behind the blanks that begin here, and for how many characters of the value they stand.

    `left` of those of the last fold are still to come. Blanks without a line break stand for themselves.
    """
    if left or not raw[at : at + 1].isspace():
        return at, left
    end = at
    while end < len(raw) and raw[end].isspace():
        end += 1
    breaks = raw[at:end].replace("\r\n", "\n").count("\n")
    return (end, max(breaks - 1, 1)) if breaks else (at, 0)


_WIDTHS = {"x": 4, "u": 6, "U": 10}


def _double(raw: str, value: str) -> list[int]:
    """A double-quoted scalar: as `_flow`, with escapes."""
    places: list[int] = []
    at, folded = 1, 0
    for char in value:
        while raw[at : at + 2] in ("\\\n", "\\\r"):  # an escaped line break is nothing
            at += 1
            while raw[at : at + 1].isspace():
                at += 1
        at, folded = _folded(raw, at, folded)
        if folded:
            places.append(at - 1)
            folded -= 1
        elif raw[at : at + 1] == "\\":
            places.append(at)
            at += _WIDTHS.get(raw[at + 1 : at + 2], 2)
        elif raw[at : at + 1] == char:
            places.append(at)
            at += 1
        else:
            return []
    return places

"""From a place in a scalar's value back to the place in the file it was written at.

The value and the source are walked side by side: indentation, line folding and escapes are what the value lacks.
Only errors pay for it.
"""

from __future__ import annotations

from vega_trio.dsl.source import Span
from vega_trio.dsl.yaml_text import YamlScalar

_BREAKS = "\r\n"


def span_within(node: YamlScalar, start: int, end: int) -> Span:
    """Where characters `start` to `end` of the value stand; the whole scalar when that cannot be told."""
    if node.substituted or not isinstance(node.value, str):
        return node.span
    places = _places(node)
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
    indent = _indent(body, raw[:header])
    places: list[int] = []
    at, line_start = 0, True
    for char in value:
        if line_start:
            blanks = len(body[at : at + indent]) - len(body[at : at + indent].lstrip(" "))
            at += blanks
            line_start = False
        if at >= len(body):
            places.append(header + max(len(body) - 1, 0))
        elif char == "\n" or body[at] in _BREAKS:
            places.append(header + at)
            at = _past_break(body, at)
            line_start = True
            if char == " ":  # folded: the break was read as one space
                continue
        elif body[at] == char:
            places.append(header + at)
            at += 1
        else:
            return []
    return places


def _indent(body: str, header: str) -> int:
    """The columns taken off every line: those of the first line that is not blank."""
    explicit = next((int(char) for char in header if char.isdigit() and char != "0"), None)
    lines = [line for line in body.split("\n") if line.strip()]
    first = len(lines[0]) - len(lines[0].lstrip(" ")) if lines else 0
    return first if explicit is None else min(first, max(first, explicit))


def _past_break(text: str, at: int) -> int:
    if text[at : at + 2] == "\r\n":
        return at + 2
    return at + 1 if at < len(text) and text[at] in _BREAKS else at


def _flow(raw: str, value: str, quote: str) -> list[int]:
    """A plain or single-quoted scalar; a line break and the blanks round it are one space or line breaks."""
    places: list[int] = []
    at = 1 if quote else 0
    for char in value:
        if char in " \n" and raw[at : at + 1] != char:
            at = _skip_blank(raw, at)
            places.append(max(at - 1, 0))
        elif raw[at : at + 1] == char:
            places.append(at)
            at += 2 if char == quote and raw[at + 1 : at + 2] == quote else 1
            if char in " " and raw[at : at + 1].isspace():
                at = _skip_blank(raw, at) if "\n" in raw[at:] and not raw[at:].lstrip(" ")[:1].strip() else at
        else:
            return []
    return places


def _skip_blank(raw: str, at: int) -> int:
    while at < len(raw) and raw[at].isspace():
        at += 1
    return at


_WIDTHS = {"x": 4, "u": 6, "U": 10}


def _double(raw: str, value: str) -> list[int]:
    """A double-quoted scalar: as `_flow`, with escapes."""
    places: list[int] = []
    at = 1
    for char in value:
        while raw[at : at + 2] in ("\\\n", "\\\r"):  # an escaped line break is nothing
            at = _skip_blank(raw, at + 1)
        places.append(min(at, len(raw) - 1))
        if raw[at : at + 1] == "\\":
            at += _WIDTHS.get(raw[at + 1 : at + 2], 2)
        elif raw[at : at + 1] == char:
            at += 1
        elif char in " \n":
            at = _skip_blank(raw, at)
        else:
            return []
    return places

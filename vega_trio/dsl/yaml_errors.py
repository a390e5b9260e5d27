"""What is wrong with a text that is no YAML, said to somebody who does not know YAML.

ruamel's words name its tokens; `RULES` give for each of them what a writer sees: which line, and what to change.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs
from ruamel.yaml.error import MarkedYAMLError

from vega_trio.dsl.source import Finding, Source, Span


@attrs.frozen
class Slip:
    """What ruamel said about a text: `at` is where it stopped, `opened` where what it was reading begins.

    `last` is the scalar that it had read before.
    """

    source: Source
    problem: str
    context: str
    at: int
    opened: int
    last: Span

    @property
    def line(self) -> str:
        return self.source.line_text(self.source.position(self.at)[0])

    @property
    def before(self) -> str:
        """The line up to the place."""
        return self.line[: self.source.position(self.at)[1] - 1]

    @property
    def opening(self) -> str:
        """The character there, nothing at the end of the text."""
        return self.source.text[self.opened : self.opened + 1]

    @property
    def opened_line(self) -> int:
        return self.source.position(self.opened)[0]

    def found(self, message: str, hint: str, start: int | None = None, end: int | None = None) -> Finding:
        """At the place, or from `start` to `end`; a span stays on its line."""
        first = self.at if start is None else start
        line, column = self.source.position(first)
        rest = first + len(self.source.line_text(line)) - column + 1
        last = min(first + 1 if end is None else end, max(rest, first + 1))
        return Finding("V002", Span(self.source, first, last), message, hint)


def syntax_finding(source: Source, error: MarkedYAMLError, last: Span) -> Finding:
    """V002, in words of the document rather than of its grammar."""
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark is not None]
    places = [min(mark.index, len(source.text)) for mark in marks] or [0]
    slip = Slip(source, (error.problem or "").strip(), (error.context or "").strip(), places[0], places[-1], last)
    for tell in RULES:
        found = tell(slip)
        if found is not None:
            return found
    said = f"{slip.problem} {slip.context}".strip() or "this is not YAML"
    return slip.found(said, "")


# -- one kind of slip each; the first that fits speaks

# Possessive, for a reply of a model is read with it too: a line of blanks would be walked again from each of them.
_HOLE_FIRST = re.compile(r"\s*+(?:- ++)*+(?:[^:#'\"]++: ++)?(?=\{\{)")


def _hole_without_quotes(slip: Slip) -> Finding | None:
    number = slip.source.position(slip.at)[0]
    for line in (number, number - 1):
        text = slip.source.line_text(line) if line else ""
        found = _HOLE_FIRST.match(text)
        if found and (line == number or slip.problem.startswith("expected")):
            start = slip.source.starts[line - 1] + found.end()
            hint = 'put quotes round the whole text: "{{...}} ..."'
            return slip.found("a text that begins with {{ needs quotes", hint, start, start + len(text) - found.end())
    return None


def _tab(slip: Slip) -> Finding | None:
    if "\t" not in slip.before and slip.source.text[slip.at : slip.at + 1] != "\t":
        return None
    return slip.found("a tab cannot indent a line", "indent with spaces, not tabs")


def _open_quotation(slip: Slip) -> Finding | None:
    if "quoted scalar" not in slip.context or ("stream" not in slip.problem and "separator" not in slip.problem):
        return None
    return slip.found("a quotation is not closed", f"end it with {slip.opening}", slip.opened, len(slip.source.text))


def _text_behind_quotation(slip: Slip) -> Finding | None:
    quoted = slip.source.text[slip.last.start : slip.last.end]
    if "found '<scalar>'" not in slip.problem or quoted[:1] not in ("'", '"'):
        return None
    if "\n" in quoted:
        hint = f"end it with {quoted[0]} on its own line"
        return slip.found("a quotation goes on over several lines; is it closed?", hint, slip.last.start, slip.at)
    other = "'" if quoted[0] == '"' else '"'
    hint = f"put {other} round all of it, or no quotes at all"
    return slip.found("text stands behind the end of a quotation", hint, slip.last.start, len(slip.source.text))


def _escape(slip: Slip) -> Finding | None:
    if "escape" not in slip.problem:
        return None
    start = slip.source.text.rfind("\\", 0, slip.at + 1)
    two = slip.source.text[start : start + 2]
    hint = "write \\\\ for a backslash, or use single quotes round the text"
    return slip.found(f"'{two}' means nothing in double quotes", hint, start, start + 2)


def _second_colon(slip: Slip) -> Finding | None:
    if "mapping values are not allowed" not in slip.problem:
        return None
    line = slip.source.position(slip.at)[0]
    above = slip.source.line_text(line - 1).strip() if line > 1 else ""
    if above and ": " not in slip.before.strip():
        return _indented_below(slip, line - 1, above)
    return slip.found("a second ': ' in one line", "put quotes round a text that contains ': '")


def _indented_below(slip: Slip, line: int, above: str) -> Finding:
    indent = slip.source.line_text(line).index(above)
    if ":" in above or indent >= len(slip.line) - len(slip.line.lstrip()):
        return slip.found("this line cannot be indented below the one above, which has a value already", _LINE_UP)
    start = slip.source.starts[line - 1] + indent
    hint = f"write: {above.removeprefix('- ')}:"
    return slip.found("a line is indented below this one, which has no ':' at its end", hint, start, start + len(above))


_LINE_UP = "line it up with its neighbours, or write | above for a text of several lines"


def _first_character(slip: Slip) -> Finding | None:
    char = slip.source.text[slip.at : slip.at + 1]
    if "found character" in slip.problem and slip.source.text.startswith("```", slip.at):
        return slip.found("``` belongs to the page that this was copied from", "remove the lines that hold ```")
    if "found character" in slip.problem and char in ("@", "`", "%"):
        return slip.found(f"a text cannot begin with {char}", "put quotes round it")
    if "scanning an alias" in slip.context or "scanning an anchor" in slip.context:
        return slip.found(f"a text cannot begin with {slip.opening}", "put quotes round it", slip.opened, slip.at + 1)
    return None


def _block_text(slip: Slip) -> Finding | None:
    if "scanning a block scalar" not in slip.context:
        return None
    hint = f"write the text below, indented; or remove the {slip.opening}"
    return slip.found(f"nothing may stand behind {slip.opening} on its line", hint)


def _no_colon(slip: Slip) -> Finding | None:
    if "could not find expected ':'" not in slip.problem:
        return None
    hint = "write key: value; or indent it, if it belongs to the text above"
    return slip.found("this line has no ':'", hint, slip.opened, len(slip.source.text))


def _list_in_line(slip: Slip) -> Finding | None:
    if "sequence entries are not allowed" not in slip.problem:
        return None
    return slip.found("a list cannot begin behind a key", "begin it on the next line, indented")


def _bracket(slip: Slip) -> Finding | None:
    if "flow node" in slip.context and "stream end" in slip.problem:
        return slip.found("a bracket is open at the end", "end each [ with ] and each { with }")
    if "flow" not in slip.context or slip.opening not in ("[", "{"):
        return None
    opening = slip.opening
    closing = "]" if opening == "[" else "}"
    if "':'" in slip.problem and slip.opened_line == slip.source.position(slip.at)[0]:
        return slip.found("a second ': ' in one entry", "put quotes round a text that contains ': '")
    hint = f"end it with {closing}, or put quotes round a text that begins with {opening}"
    return slip.found(f"what begins with {opening} does not end as it should", hint, slip.opened, slip.opened + 1)


def _out_of_line(slip: Slip) -> Finding | None:
    if not slip.problem.startswith("expected <block end>"):
        return None
    column = slip.source.position(slip.opened)[1]
    if "block collection" in slip.context:
        hint = f"put '- ' before it, in column {column} as in line {slip.opened_line}"
        if "found '-'" in slip.problem or "sequence start" in slip.problem:
            hint = f"begin it in column {column}, like line {slip.opened_line}"
        return slip.found("this line does not go on with the list above it", hint)
    if "found '-'" in slip.problem or "sequence start" in slip.problem:
        message = "a list entry cannot stand among lines of the form key: value"
        return slip.found(message, "indent it below the key it belongs to")
    hint = f"begin it in column {column}, like line {slip.opened_line}, or indent it below the key it belongs to"
    return slip.found("this line does not line up with those it belongs to", hint)


def _second_root(slip: Slip) -> Finding | None:
    if "<document start>" not in slip.problem:
        return None
    hint = "begin the keys of the document, such as agents:, in column 1, and the rest indented below them"
    return slip.found("this line belongs to nothing above it", hint)


RULES: tuple[Callable[[Slip], Finding | None], ...] = (
    _tab,
    _hole_without_quotes,
    _open_quotation,
    _text_behind_quotation,
    _escape,
    _second_colon,
    _first_character,
    _block_text,
    _no_colon,
    _list_in_line,
    _bracket,
    _out_of_line,
    _second_root,
)

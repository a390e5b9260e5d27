"""Files as text with places: where in a file something stands, and the findings about it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

import attrs

from vega_trio.diagnostics import Diagnostic
from vega_trio.dsl.policy import Place

MAX_ERRORS = 50


_BREAK = re.compile(r"\n|\r(?!\n)")


def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in _BREAK.finditer(text))]


@attrs.frozen(eq=False)
class Source:
    """One file. `order` is its rank among the files of a document, for sorting findings."""

    file: str
    text: str = attrs.field(repr=False)
    order: int = 0
    starts: list[int] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "starts", _line_starts(self.text))

    def position(self, index: int) -> tuple[int, int]:
        """1-based line and column of a character."""
        line = bisect_right(self.starts, index)
        return line, index - self.starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return self.text[self.starts[line - 1] : end].rstrip("\r\n")


@attrs.frozen
class Span:
    """Characters `start` to `end` (excluded) of a file."""

    source: Source
    start: int
    end: int

    @property
    def place(self) -> Place:
        return Place(self.source.file, *self.source.position(self.start))

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]


@attrs.frozen
class Finding:
    """A diagnostic before its place has been looked up."""

    code: str
    span: Span
    message: str
    hint: str = ""
    path: str = attrs.field(default="", eq=False)

    def diagnostic(self) -> Diagnostic:
        source = self.span.source
        line, column = source.position(self.span.start)
        end_line, end_column = source.position(max(self.span.end, self.span.start))
        return Diagnostic(
            code=self.code,
            message=self.message,
            file=source.file,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            severity="warning" if self.code.startswith("W") else "error",
            hint=self.hint,
            path=self.path,
            source=source.line_text(line),
        )


@attrs.define
class Report:
    """Collects findings while a document is read. One per parse."""

    errors: list[Finding] = attrs.field(factory=list)
    warnings: list[Finding] = attrs.field(factory=list)

    def add(self, code: str, span: Span, message: str, hint: str = "", path: str = "") -> None:
        found = Finding(code, span, message, hint, path)
        findings = self.warnings if code.startswith("W") else self.errors
        findings.append(found)


def in_file_order(findings: Iterable[Finding], most: int | None = None) -> tuple[Diagnostic, ...]:
    """The first `most` findings, by file and place; the same one is said once."""
    unique = dict.fromkeys(findings)
    ordered = sorted(unique, key=lambda each: (each.span.source.order, each.span.start, each.code))
    return tuple(each.diagnostic() for each in ordered[:most])

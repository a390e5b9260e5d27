"""One finding about a document: what, how bad, where, and what to do."""

from __future__ import annotations

from typing import Literal

import attrs

Severity = Literal["error", "warning"]

SHOWN = ("code", "severity", "message", "file", "line", "column", "end_line", "end_column", "hint", "path")
EXCERPT = 120  # columns of a line that are shown, the dots for what is left out not counted


@attrs.frozen
class Diagnostic:
    """A finding with its place. Lines and columns are 1-based; `end_column` is just past the last character.

    `hint` is the remedy (`did you mean 'Reviewer' (line 9)?`). `path` is where in the document, such as
    `workflows.review.steps[1]`. `source` is the text of line `line`, for the excerpt: `str` shows of a long one what
    stands around the place.
    """

    code: str
    message: str
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    severity: Severity = "error"
    hint: str = ""
    path: str = ""
    source: str = ""

    def __str__(self) -> str:
        gutter = f"{self.line}: "
        head = f"{self.severity}[{self.code}]: {self.message}\n  --> {self.file}:{self.line}:{self.column}"
        if not self.source:
            return f"{head}\n   = {self.hint}" if self.hint else head
        text, start, width = self._excerpt()
        lead = "".join("\t" if char == "\t" else " " for char in text[:start])
        note = f" {self.hint}" if self.hint else ""
        more = "   vega explain " + self.code
        return f"{head}\n{gutter}{text}\n{' ' * len(gutter)}{lead:<{start}}{'^' * width}{note}{more}"

    def shown(self) -> dict[str, str | int]:
        """What programs are told of it, in this order."""
        return {name: getattr(self, name) for name in SHOWN}

    def _excerpt(self) -> tuple[str, int, int]:
        """(the line, or its part around the place; where in it the caret begins; how many characters it marks)."""
        start = self.column - 1
        width = max(1, self.end_column - self.column) if self.end_line == self.line else 1
        if len(self.source) <= EXCERPT:
            return self.source, start, width
        left = max(0, min(start - EXCERPT // 3, len(self.source) - EXCERPT))
        before = "..." if left else ""
        after = "..." if left + EXCERPT < len(self.source) else ""
        shown = min(width, max(1, left + EXCERPT - start))
        return before + self.source[left : left + EXCERPT] + after, len(before) + start - left, shown

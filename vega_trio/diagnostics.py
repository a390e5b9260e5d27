"""One finding about a document: what, how bad, where, and what to do."""

from __future__ import annotations

from typing import Literal

import attrs

Severity = Literal["error", "warning"]


@attrs.frozen
class Diagnostic:
    """A finding with its place. Lines and columns are 1-based; `end_column` is just past the last character.

    `hint` is the remedy (`did you mean 'Reviewer' (line 9)?`). `path` is where in the document, such as
    `workflows.review.steps[1]`. `source` is the text of line `line`, for the excerpt.
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
        width = max(1, self.end_column - self.column) if self.end_line == self.line else 1
        lead = "".join("\t" if char == "\t" else " " for char in self.source[: self.column - 1])
        note = f" {self.hint}" if self.hint else ""
        more = "   vega explain " + self.code
        return f"{head}\n{gutter}{self.source}\n{' ' * len(gutter)}{lead}{'^' * width}{note}{more}"

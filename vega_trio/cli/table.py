"""Rows in columns, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vega_trio.cli.asking import visible

WIDEST = 60


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns as wide as their content, within reason; empty columns are left out."""
    cells = [[_cell(value) for value in row] for row in rows]
    kept = [at for at in range(len(heads)) if any(row[at] for row in cells)] or [0]
    lines = [[head.upper() for head in heads], *cells]
    widths = {at: max(len(line[at]) for line in lines) for at in kept}
    return "".join("  ".join(line[at].ljust(widths[at]) for at in kept).rstrip() + "\n" for line in lines)


def _cell(value: object) -> str:
    text = visible(" ".join(str("" if value is None else value).split()))
    return text if len(text) <= WIDEST else text[: WIDEST - 3] + "..."


def dollars(amount: float) -> str:
    return f"${amount:.4f}"

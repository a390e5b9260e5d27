"""A figure of a benchmark beside its limit, its target and its peers; and the one table they are shown in."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs

RESULTS = Path("build/bench")


@attrs.frozen
class Target:
    """`times`: of the limit; else in the row's own unit."""

    bound: Literal["at most", "at least"]
    value: float
    times: bool = False

    def met(self, figure: float) -> bool:
        return figure <= self.value if self.bound == "at most" else figure >= self.value

    def __str__(self) -> str:
        sign = "≤" if self.bound == "at most" else "≥"
        return f"{sign} {compact(self.value)}{'x' if self.times else ''}"


@attrs.frozen
class Row:
    """`limit` is the least that does the same thing, called `limit_name`; `peers` are other libraries' figures.

    None is the figure of one that failed; `failures` tells why, by the name of a peer, the limit's name, or "ours".
    """

    case: str
    unit: str
    ours: float | None
    limit: float | None = None
    limit_name: str = ""
    target: Target | None = None
    peers: dict[str, float | None] = attrs.field(factory=dict)
    failures: dict[str, str] = attrs.field(factory=dict)

    @property
    def ratio(self) -> float | None:
        return self.ours / self.limit if self.ours is not None and self.limit else None

    @property
    def met(self) -> bool | None:
        """None without a target, or where there is nothing to hold ours against. Ours that failed has missed it."""
        if self.target is None:
            return None
        if self.ours is None:
            return False
        figure = self.ratio if self.target.times else self.ours
        return None if figure is None else self.target.met(figure)

    @property
    def share(self) -> float | None:
        """How ours stands to its target, above 1 where it misses; None without one."""
        if self.target is None:
            return None
        figure = self.ratio if self.target.times else self.ours
        if not figure:
            return None
        return figure / self.target.value if self.target.bound == "at most" else self.target.value / figure


def at_most(value: float, *, times: bool = False) -> Target:
    return Target("at most", value, times)


def at_least(value: float, *, times: bool = False) -> Target:
    return Target("at least", value, times)


def compact(figure: float) -> str:
    """Three digits, which is more than is known."""
    if figure == 0 or not math.isfinite(figure):
        return str(figure)
    digits = max(0, 2 - math.floor(math.log10(abs(figure))))
    return f"{round(figure, digits):,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{figure:,.0f}"


def table(rows: Sequence[Row]) -> str:
    """In markdown, which is read in a terminal too."""
    peers = list(dict.fromkeys(name for row in rows for name in row.peers))
    heads = ["", "limit", "ours", "ratio", "target", "met", *peers]
    lines = [heads, ["---"] * len(heads), *([*_cells(row), *_figures(row, peers)] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    lines[1] = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def _cells(row: Row) -> list[str]:
    limit = f"{_shown(row.limit)} ({row.limit_name})" if row.limit_name else ""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    return [f"{row.case}, {row.unit}", limit, _shown(row.ours), ratio, str(row.target or ""), met]


def _figures(row: Row, peers: list[str]) -> list[str]:
    return ["" if name not in row.peers else _shown(row.peers[name]) for name in peers]


def _shown(figure: float | None) -> str:
    return "failed" if figure is None else compact(figure)


def reasons(rows: Sequence[Row]) -> str:
    """Why cells have no figure, a line each, in markdown; empty when all have."""
    return "\n".join(f"- {row.case}: {who} failed: {why}" for row in rows for who, why in row.failures.items())


def explained(rows: Sequence[Row]) -> str:
    """The table, and under it why cells have no figure."""
    return "\n\n".join(filter(None, (table(rows), reasons(rows))))


def options(description: str, name: str) -> argparse.ArgumentParser:
    """What every benchmark can be told."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a part of the work, for a first look")
    parser.add_argument("--json", type=Path, default=RESULTS / f"{name}.json", help="default: %(default)s")
    return parser


def publish(rows: Iterable[Row], path: Path, **facts: Any) -> None:
    """Writes each row with `facts` about the run as soon as it is known, and prints the table at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept: list[Row] = []
    _write(kept, path, facts)
    for row in rows:
        kept.append(row)
        _write(kept, path, facts)
        sys.stderr.write(f"{row.case}: {_shown(row.ours)} {row.unit}\n")
    sys.stdout.write(explained(kept) + "\n")


def _write(rows: list[Row], path: Path, facts: dict[str, Any]) -> None:
    result = {"python": sys.version.split()[0], **facts, "rows": [attrs.asdict(row) for row in rows]}
    path.write_text(json.dumps(result, indent=2) + "\n")


def read(path: Path) -> list[Row]:
    """The rows that `publish` wrote."""
    found = json.loads(path.read_text())["rows"]
    return [Row(**{**row, "target": row["target"] and Target(**row["target"])}) for row in found]

"""The results as one SVG: what a turn costs in each library, and how each figure stands to its target.

Written by hand: it is bars and words, for which a plotting library would bring ten distributions along.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from rows import Row, compact

WIDTH, LABEL, LINE, BAR = 860, 250, 20, 13
GOOD, BAD, OURS, THEIRS = "#2b8a3e", "#c92a2a", "#1971c2", "#868e96"
COSTS = ("plain turn", "100-delta stream", "five-tool loop")
FURTHEST = 8.0
"""Times above or below its target, where the bar ends."""


def picture(found: Mapping[str, Sequence[Row]]) -> str:
    """The whole file."""
    body, top = [], 0
    for panel in (_costs(found.get("turn", ())), _targets([row for each in found.values() for row in each])):
        for piece, height in panel:
            body.append(f'<g transform="translate(0 {top})">{piece}</g>')
            top += height
    style = "text{font:12px system-ui,sans-serif;fill:#343a40}.h{font-weight:600;font-size:14px}.v{font-size:11px}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 10}" role="img">'
    ground = f'<rect width="{WIDTH}" height="{top + 10}" fill="#fff"/>'
    named = "<title>Costs of a turn by library, and each figure beside its target</title>"
    return f"{head}{named}<style>{style}</style>{ground}{''.join(body)}</svg>\n"


def _costs(rows: Sequence[Row]) -> Iterator[tuple[str, int]]:
    """A group of bars for each kind of turn, from the cheapest up."""
    for row in rows:
        if row.case not in COSTS or row.ours is None or row.limit is None:
            continue
        peers = {name: figure for name, figure in row.peers.items() if figure is not None}
        figures = {"vega_trio": row.ours, "Anthropic SDK alone": row.limit, **peers}
        yield _heading(f"{row.case}: CPU milliseconds, less is better"), 30
        most = max(figures.values())
        for name, figure in sorted(figures.items(), key=lambda each: each[1]):
            colour = OURS if name == "vega_trio" else THEIRS
            yield _bar(name, LABEL, figure / most * (WIDTH - LABEL - 80), colour, compact(figure)), LINE


def _targets(rows: Sequence[Row]) -> Iterator[tuple[str, int]]:
    """A bar for each row with a target: to the left of the middle where it is met, on a logarithmic scale."""
    judged = [row for row in rows if row.share is not None]
    if not judged:
        return
    yield _heading("Beside the targets: green is within, red is beyond (logarithmic, the line is the target)"), 34
    reach = (WIDTH - LABEL - 190) / 2
    middle = LABEL + reach
    for row in judged:
        assert row.share is not None
        assert row.ours is not None
        length = max(-1.0, min(1.0, math.log(row.share) / math.log(FURTHEST))) * reach
        colour = GOOD if row.met else BAD
        value = f"{compact(row.ours)} {row.unit}" if row.target and not row.target.times else f"{row.ratio:.2f}x"
        text = f"{value}, {row.target}"
        line = f'<line x1="{middle}" x2="{middle}" y1="-4" y2="{LINE - 4}" stroke="#adb5bd"/>'
        yield (
            _bar(row.case, min(middle, middle + length), abs(length), colour, text, at=middle + reach + 6) + line,
            LINE,
        )


def _heading(text: str) -> str:
    return f'<text class="h" x="10" y="20">{escape(text)}</text>'


def _bar(name: str, x: float, width: float, colour: str, value: str, *, at: float | None = None) -> str:
    shown = name if len(name) <= 46 else f"{name[:45]}…"
    return (
        f'<text x="{LABEL - 8}" y="{BAR - 2}" text-anchor="end">{escape(shown)}</text>'
        f'<rect x="{x:.1f}" width="{max(width, 1):.1f}" height="{BAR}" fill="{colour}"/>'
        f'<text class="v" x="{(at if at is not None else x + width + 6):.1f}" y="{BAR - 2}">{escape(value)}</text>'
    )

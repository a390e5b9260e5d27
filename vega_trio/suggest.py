"""Did you mean: the one name that a wrong one is a slip of, else the names there are."""

from __future__ import annotations

from collections.abc import Collection


def closest(wrong: str, names: Collection[str]) -> str | None:
    """The nearest name within 2 edits and a third of the length, letter case aside; else None."""
    most = min(2, max(len(wrong), 1) // 3)
    best: tuple[int, str] | None = None
    for name in names:
        if name.lower() == wrong.lower():
            return name
        steps = distance(wrong, name, most)
        if steps <= most and (best is None or (steps, name) < best):
            best = (steps, name)
    return best[1] if best else None


def remedy(wrong: str, names: Collection[str], what: str = "") -> str:
    """`did you mean 'Reviewer'?`, or up to eight candidates, or nothing when there are none."""
    near = closest(wrong, names)
    if near is not None:
        return f"did you mean '{near}'?"
    if not names:
        return ""
    shown = ", ".join(sorted(names)[:8])
    return f"{what or 'there are'}: {shown}{', ...' if len(names) > 8 else ''}"


def distance(one: str, other: str, most: int) -> int:
    """Edits from one to the other, a swap of neighbours being one; `most + 1` stands for anything above."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before_last, last = last, row
    return last[-1]

"""What was spent, on what, and what of it came to nothing. Folded from the turns on record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import attrs

from vega_trio._core.budget import Account

By = Literal["agent", "model", "process", "day"]
TABLE = "turn"

_KEYS: Mapping[By, Callable[[Mapping[str, Any]], str]] = {
    "agent": lambda row: str(row["agent"]),
    "model": lambda row: str(row["model"]),
    "process": lambda row: str(row["process"]),
    "day": lambda row: datetime.fromtimestamp(row["at"], UTC).date().isoformat(),
}


@attrs.define(kw_only=True)
class CostRow:
    """What one agent, model, process or day (UTC) has cost. `calls` are those of models."""

    key: str
    cost_microusd: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    calls: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        self.cost_microusd += row["cost_microusd"] or 0
        self.input_tokens += row["input_tokens"]
        self.output_tokens += row["output_tokens"]
        self.calls += row["calls"]


@attrs.frozen(kw_only=True)
class Costs:
    """`wasted_microusd` is what failed turns have cost. `rows`: the dearest first, days the newest first."""

    total_microusd: int
    wasted_microusd: int
    rows: tuple[CostRow, ...]


def costs(turns: Iterable[Mapping[str, Any]], by: By) -> Costs:
    """Folds turns, which are rows of the table `turn`."""
    found: dict[str, CostRow] = {}
    total = wasted = 0
    for turn in turns:
        key = _KEYS[by](turn)
        found.setdefault(key, CostRow(key=key)).add(turn)
        total += turn["cost_microusd"] or 0
        wasted += (turn["cost_microusd"] or 0) if turn["status"] == "failed" else 0
    ordered = sorted(found.values(), key=lambda row: row.key, reverse=by == "day")
    if by != "day":
        ordered.sort(key=lambda row: row.cost_microusd, reverse=True)
    return Costs(total_microusd=total, wasted_microusd=wasted, rows=tuple(ordered))


@attrs.frozen
class Spending:
    """The application's budget; without one all that is on record counts as spent."""

    account: Account | None

    def of(self, found: Costs) -> tuple[float | None, float]:
        """The limit, if there is one, and what is spent, in dollars."""
        if self.account is None:
            return None, found.total_microusd / 1_000_000
        return self.account.limit, self.account.used

"""What was spent, on what, and what of it came to nothing: sums over the turns on record, made by the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from vega_trio._core.budget import Account
from vega_trio.protocols import Records

By = Literal["agent", "model", "process", "day"]
TABLE = "turn"
SUMS = ("cost_microusd", "input_tokens", "output_tokens", "calls")


@attrs.define(kw_only=True)
class CostRow:
    """What one agent, model, process or day (UTC) has cost. `calls` are those of models."""

    key: str
    cost_microusd: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    calls: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        self.cost_microusd += row["cost_microusd"]
        self.input_tokens += row["input_tokens"]
        self.output_tokens += row["output_tokens"]
        self.calls += row["calls"]


@attrs.frozen(kw_only=True)
class Costs:
    """`wasted_microusd` is what failed turns have cost. `rows`: the dearest first, days the newest first."""

    total_microusd: int
    wasted_microusd: int
    rows: tuple[CostRow, ...]


async def costs(records: Records, by: By, *, since: float, user: str | None) -> Costs:
    """What the turns that ended at `since` (Unix seconds) or later have cost; with `user` that user's.

    Raises: StoreError.
    """
    wanted = {} if user is None else {"user": user}
    found: dict[str, CostRow] = {}
    total = wasted = 0
    for row in await records.totals(TABLE, (by, "status"), SUMS, since=since, **wanted):
        key = str(row[by])
        found.setdefault(key, CostRow(key=key)).add(row)
        total += row["cost_microusd"]
        wasted += row["cost_microusd"] if row["status"] == "failed" else 0
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

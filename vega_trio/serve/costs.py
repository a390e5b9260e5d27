"""What was spent, by agent, model, process or day."""

from __future__ import annotations

from quart import Request, Response

from vega_trio.app.costs import By, Costs
from vega_trio.serve.desk import Desk, Route, exchange_of, json_answer, time_of
from vega_trio.serve.models.common import BudgetEntry
from vega_trio.serve.models.figures import CostEntry, CostsEntry
from vega_trio.serve.problems import bad_value


async def read(desk: Desk, request: Request) -> Response:
    """Costs of the turns on record that ended at `since` or later; those of the caller, an operator's all."""
    identity = exchange_of(request).identity
    since = time_of(request, "since", float("-inf"))
    found = await desk.app.costs(_by(request), since=since, user=None if identity.sees_all() else identity.user)
    limit, spent = desk.app.spending.of(found)
    return json_answer(desk, _entry(found, BudgetEntry(limit_usd=limit, spent_usd=spent)))


def _by(request: Request) -> By:
    match request.args.get("by", "agent"):
        case "agent" | "model" | "process" | "day" as by:
            return by
        case other:
            raise bad_value("by", f"'by' must be agent, model, process or day, not {other[:40]!r}")


def _entry(found: Costs, budget: BudgetEntry) -> CostsEntry:
    rows = tuple(
        CostEntry(
            key=row.key,
            cost_usd=row.cost_microusd / 1_000_000,
            input_tokens=row.input_tokens,
            output_tokens=row.output_tokens,
            calls=row.calls,
        )
        for row in found.rows
    )
    total, wasted = found.total_microusd / 1_000_000, found.wasted_microusd / 1_000_000
    return CostsEntry(total_usd=total, wasted_usd=wasted, budget=budget, rows=rows)


ROUTES = (Route("GET", "/api/costs", read, answer=CostsEntry, query=("by", "since")),)

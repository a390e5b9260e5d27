"""Costs and stored events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.serve.models.common import BudgetEntry


@attrs.frozen(kw_only=True)
class CostEntry:
    """What one agent, model, process or day has cost; `calls` are those of models."""

    key: str
    cost_usd: float
    input_tokens: int
    output_tokens: int
    calls: int


@attrs.frozen(kw_only=True)
class CostsEntry:
    """`wasted_usd` is what failed turns have cost."""

    total_usd: float
    wasted_usd: float
    budget: BudgetEntry
    rows: tuple[CostEntry, ...]


@attrs.frozen(kw_only=True)
class EventEntry:
    """A stored event, as on the event stream."""

    id: int
    type: str
    process_id: str | None = None
    agent: str | None = None
    data: Mapping[str, Any]
    timestamp: str

"""Shapes that several resources share."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Status:
    """What was done, in one word."""

    status: str
    turn_id: str | None = None


@attrs.frozen(kw_only=True)
class BudgetEntry:
    """`limit_usd` is left out where there is none."""

    limit_usd: float | None = None
    spent_usd: float

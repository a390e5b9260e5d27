"""Shapes that several resources share."""

from __future__ import annotations

from typing import Annotated

import attrs
from msgspec import Meta

from vega_trio.app.statuses import APPROVAL_STATUSES, PROCESS_STATUSES, RUN_STATUSES


def _one_of(*words: str) -> Meta:
    """What a text of an answer may be, for the description alone."""
    return Meta(extra_json_schema={"enum": list(words)})


ProcessStatus = Annotated[str, _one_of(*PROCESS_STATUSES)]
RunStatus = Annotated[str, _one_of(*RUN_STATUSES)]
ApprovalStatus = Annotated[str, _one_of(*APPROVAL_STATUSES)]
Speaker = Annotated[str, _one_of("user", "assistant")]
Source = Annotated[str, _one_of("composed", "builtin")]


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

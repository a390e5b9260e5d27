"""Places and policies that agents, tools, steps and settings share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from vega_trio.agent import BackoffConfig, CircuitBreaker, RetryPolicy


@attrs.frozen
class Place:
    """Where something stands. Printed as people click on it: `team.vega.yaml:24:9`."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@attrs.frozen
class BudgetDefinition:
    """`per` is the period over which recorded spending counts; only the whole document's budget has one."""

    limit_microusd: int
    on_exceed: Literal["block", "warn", "allow"] = "block"
    per: Literal["total", "month", "day"] = "total"


@attrs.frozen
class RetryDefinition:
    """`max_attempts` is the total, the first one included. `retry_on` are failure classes."""

    max_attempts: int = RetryPolicy().max_attempts
    backoff: BackoffConfig = RetryPolicy().backoff
    retry_on: tuple[str, ...] = tuple(map(str, RetryPolicy().retry_on))


@attrs.frozen
class RateLimitDefinition:
    """None is no limit. `models` holds the limits of single models, by name."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    strategy: Literal["queue", "reject", "backpressure"] = "queue"
    models: Mapping[str, RateLimitDefinition] = attrs.field(factory=dict)


@attrs.frozen
class BreakerDefinition:
    """As `vega.CircuitBreaker`."""

    threshold: int = CircuitBreaker().threshold
    reset_after_s: float = CircuitBreaker().reset_after
    half_open_max: int = CircuitBreaker().half_open_max

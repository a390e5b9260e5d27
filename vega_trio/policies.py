"""What holds an agent's model calls: retries, breaker, rate limits, budgets, and how much of the history is shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import ROUND_FLOOR, Decimal
from typing import Literal, get_args

import attrs

from vega_trio.checks import check_count, check_hook, check_kind, check_number, check_word, member
from vega_trio.session import ErrorClass
from vega_trio.supervision import BackoffConfig


def _as_classes(classes: Iterable[str]) -> tuple[ErrorClass, ...]:
    if isinstance(classes, str):
        raise ValueError(f"RetryPolicy.retry_on must be a list of classes, not the text {classes!r}")
    return tuple(member(ErrorClass, "RetryPolicy.retry_on", each) for each in classes)


RETRYABLE = (ErrorClass.RATE_LIMIT, ErrorClass.OVERLOADED, ErrorClass.TIMEOUT, ErrorClass.TEMPORARY)


@attrs.frozen
class RetryPolicy:
    """How often a failed model call is made again: `max_attempts` in all, for failures of the classes `retry_on`.

    The pause before attempt n+1 is the backoff's n-th, or what the provider asked for if that is longer (a minute
    at most). Five attempts get past most of a provider's bad moments within seconds.
    """

    max_attempts: int = 5
    backoff: BackoffConfig = attrs.field(factory=lambda: BackoffConfig(jitter=0.1))
    retry_on: tuple[ErrorClass, ...] = attrs.field(default=RETRYABLE, converter=_as_classes)

    def __attrs_post_init__(self) -> None:
        check_count("RetryPolicy", "max_attempts", self.max_attempts)
        check_kind("RetryPolicy", "backoff", self.backoff, BackoffConfig)


@attrs.frozen
class CircuitBreaker:
    """Stops calling a model that keeps failing: after `threshold` failures in a row it opens, and calls fail at once.

    `reset_after` seconds later it lets `half_open_max` calls through at a time: a success closes it, a failure opens
    it again. There is one per model in an application; `on_change(model, state)` hears "open", "half_open", "closed".
    """

    threshold: int = 5
    reset_after: float = 60.0
    half_open_max: int = 1
    on_change: Callable[[str, str], None] | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_count("CircuitBreaker", "threshold", self.threshold)
        check_number("CircuitBreaker", "reset_after", self.reset_after, above=True)
        check_count("CircuitBreaker", "half_open_max", self.half_open_max)
        check_hook("CircuitBreaker", "on_change", self.on_change)


RateStrategy = Literal["queue", "reject", "backpressure"]
OnExceed = Literal["block", "warn", "allow"]


@attrs.frozen
class RateLimit:
    """At most so many requests and tokens a minute; None is no limit. A minute's allowance may be used at once.

    What is beyond it waits its turn ("queue"), fails at once with class rate_limit ("reject"), or waits while the
    queue is no longer than a minute and fails beyond that, so that callers slow down ("backpressure").
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    strategy: RateStrategy = "queue"

    def __attrs_post_init__(self) -> None:
        check_word("RateLimit", "strategy", self.strategy, get_args(RateStrategy))
        for field in ("requests_per_minute", "tokens_per_minute"):
            if getattr(self, field) is not None:
                check_count("RateLimit", field, getattr(self, field))


@attrs.frozen
class Budget:
    """What may be spent, in dollars.

    A call that could pass the limit fails ("block"), is made and reported ("warn"), or is just counted ("allow").
    """

    limit_usd: float | Decimal
    on_exceed: OnExceed = "block"

    def __attrs_post_init__(self) -> None:
        check_word("Budget", "on_exceed", self.on_exceed, get_args(OnExceed))
        limit = float(self.limit_usd) if isinstance(self.limit_usd, Decimal) else self.limit_usd
        check_number("Budget", "limit_usd", limit)
        if math.isinf(limit):
            raise ValueError("Budget.limit_usd must be finite; leave the budget out for no limit")

    @property
    def limit_microusd(self) -> int:
        """Rounded down, so that what is spent never passes what was said."""
        return int((Decimal(str(self.limit_usd)) * 1_000_000).to_integral_value(ROUND_FLOOR))


@attrs.frozen
class TokenBudget:
    """Shows the model the newest turns that come to about `max_tokens`, the prompt and the tools included."""

    max_tokens: int = 100_000

    def __attrs_post_init__(self) -> None:
        check_count("TokenBudget", "max_tokens", self.max_tokens)


@attrs.frozen
class SlidingWindow:
    """Once the messages come to about `compact_at_tokens`, all but the last `keep` give way to the model's summary."""

    keep: int = 20
    compact_at_tokens: int = 50_000

    def __attrs_post_init__(self) -> None:
        check_count("SlidingWindow", "keep", self.keep)
        check_count("SlidingWindow", "compact_at_tokens", self.compact_at_tokens)


Money = Budget | float | Decimal


def as_budget(value: Money | None) -> Budget | None:
    """A budget, also from bare dollars."""
    return value if value is None or isinstance(value, Budget) else Budget(value)

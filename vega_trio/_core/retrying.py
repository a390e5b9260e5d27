"""Whether a failed model call is made again, and when."""

from __future__ import annotations

from vega_trio._core.backoff import delay
from vega_trio.agent import RetryPolicy
from vega_trio.errors import BudgetExceeded, CircuitOpen, ModelError, RateLimited

RETRY_AFTER_CAP_S = 60.0
"""A provider that asks for more is not waited for longer: a person may be waiting behind the call."""

SPREAD = 0.25
"""How far those that were told to wait are spread, as a share of the wait, so that they do not come back together."""


def is_refusal_of_ours(error: ModelError) -> bool:
    """A breaker, a rate limit or a budget of ours said no: asking again at once gets the same answer."""
    return isinstance(error, CircuitOpen | RateLimited | BudgetExceeded)


def pause_before_retry(policy: RetryPolicy, attempt: int, error: ModelError, rand: float) -> float | None:
    """Seconds to wait after attempt number `attempt` (1, 2, ...) failed with `error`; None: do not try again.

    At least what the provider asked for, up to `RETRY_AFTER_CAP_S`; jitter only ever adds to that. `rand` in [0, 1].
    """
    if attempt >= policy.max_attempts or error.error_class not in policy.retry_on or is_refusal_of_ours(error):
        return None
    backoff = delay(policy.backoff, attempt, rand)
    return backoff if error.retry_after_s is None else max(backoff, spread_out(error.retry_after_s, rand))


def spread_out(retry_after_s: float, rand: float) -> float:
    """The capped wait with positive jitter."""
    return min(retry_after_s, RETRY_AFTER_CAP_S) * (1 + SPREAD * rand)


def may_fall_back(policy: RetryPolicy, error: ModelError) -> bool:
    """Whether another model may be asked: this one is down or busy, and what was asked is not to blame.

    A budget is refused for every model alike.
    """
    if isinstance(error, BudgetExceeded):
        return False
    return isinstance(error, CircuitOpen | RateLimited) or error.error_class in policy.retry_on

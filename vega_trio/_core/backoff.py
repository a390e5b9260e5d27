"""How long to wait before restart or attempt n."""

from __future__ import annotations

from vega_trio.agent import BackoffConfig, BackoffType

UNBOUNDED_RETRY_S = 0.01  # leaves the program nearly all of its time, and is soon enough for what is awaited


def delay(config: BackoffConfig, attempt: int, rand: float) -> float:
    """Seconds before attempt `attempt` (1, 2, ...). `rand` in [0, 1] places it within the jitter.

    The jitter is applied to the capped delay, so at most `max * (1 + jitter)` is returned.
    """
    if attempt < 1:
        raise ValueError(f"attempt must be at least 1, not {attempt!r}")
    capped = min(_uncapped(config, attempt), config.max)
    return capped * (1 + config.jitter * (2 * rand - 1)) if config.jitter else capped


def restart_delay(
    config: BackoffConfig | None, attempt: int, rand: float, *, failed_start: bool, unlimited: bool
) -> float:
    """Seconds before restart `attempt`, 0 without a backoff.

    A start that failed is tried again at once, as in OTP, where the intensity bounds the tries. Where restarts are
    `unlimited` nothing would: the tries leave time to breathe, so that what they wait for can come.
    """
    wait = delay(config, attempt, rand) if config is not None else 0.0
    return max(wait, UNBOUNDED_RETRY_S) if failed_start and unlimited else wait


def _uncapped(config: BackoffConfig, attempt: int) -> float:
    match config.type:
        case BackoffType.EXPONENTIAL:
            return _exponential(config, attempt)
        case BackoffType.LINEAR:
            return config.initial * attempt
        case BackoffType.CONSTANT:
            return config.initial


def _exponential(config: BackoffConfig, attempt: int) -> float:
    if not config.initial:
        return 0.0
    try:
        return config.initial * config.multiplier ** (attempt - 1)
    except OverflowError:  # some hundred restarts on: far beyond any `max`
        return config.max

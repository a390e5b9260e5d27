"""How a process is supervised: the words, and the policy of one process. Frozen values, checked when made."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import attrs

from vega_trio.checks import check_hook, check_number, member
from vega_trio.exits import ExitReason


class SupervisorStrategy(StrEnum):
    """Who is restarted when one child is (OTP `strategy`)."""

    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"
    OneForOne = ONE_FOR_ONE
    OneForAll = ONE_FOR_ALL
    RestForOne = REST_FOR_ONE


class Restart(StrEnum):
    """When a child is restarted (OTP `restart`)."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"
    Permanent = PERMANENT
    Transient = TRANSIENT
    Temporary = TEMPORARY


class Strategy(StrEnum):
    """What a process's own policy does about a failure."""

    RESTART = "restart"
    STOP = "stop"
    ESCALATE = "escalate"
    RESTART_ALL = "restart_all"


class AutoShutdown(StrEnum):
    """Whether a supervisor ends when its significant children have (OTP `auto_shutdown`)."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


class BackoffType(StrEnum):
    """How the delay before attempt n grows from `initial`: times `multiplier`**(n-1), times n, or not at all."""

    EXPONENTIAL = "exponential"
    LINEAR = "linear"
    CONSTANT = "constant"


def check_intensity(owner: str, max_restarts: int | None, window: float) -> None:
    if max_restarts is not None:
        check_number(owner, "max_restarts", max_restarts)
        if not isinstance(max_restarts, int):
            raise ValueError(f"{owner}.max_restarts must be a whole number or None, not {max_restarts!r}")
    check_number(owner, "window", window, above=True)


def check_backoff(owner: str, value: Any) -> None:
    if value is not None and not isinstance(value, BackoffConfig):
        raise ValueError(f"{owner}.backoff must be a BackoffConfig or None, not {value!r}")


def _as_backoff_type(value: str) -> BackoffType:
    return member(BackoffType, "BackoffConfig.type", value)


def _as_strategy(value: str) -> Strategy:
    return member(Strategy, "Supervision.strategy", value)


@attrs.frozen
class BackoffConfig:
    """Delay before restart or attempt n: exponential `initial * multiplier**(n-1)`, linear `initial * n`, or constant.

    Seconds; at most `max`, then spread by `jitter` (0.1 is plus or minus 10 %).
    """

    initial: float = 0.1
    multiplier: float = 2.0
    max: float = 30.0
    jitter: float = 0.0
    type: BackoffType = attrs.field(default=BackoffType.EXPONENTIAL, converter=_as_backoff_type)

    def __attrs_post_init__(self) -> None:
        check_number("BackoffConfig", "initial", self.initial)
        check_number("BackoffConfig", "multiplier", self.multiplier)
        check_number("BackoffConfig", "max", self.max)
        check_number("BackoffConfig", "jitter", self.jitter)
        if self.jitter > 1:
            raise ValueError(f"BackoffConfig.jitter must be at most 1, not {self.jitter!r}")


@attrs.frozen
class Supervision:
    """The policy of one process: sugar for a one_for_one supervisor around it.

    `max_restarts` within `window` seconds, then it gives up; 0 is none, None unlimited. Hooks are synchronous:
    `on_failure(reason)` may return another Strategy, `on_restart(process, attempt)` runs before the delay,
    `on_give_up(process, reason)` at the end.
    """

    strategy: Strategy = attrs.field(default=Strategy.RESTART, converter=_as_strategy)
    max_restarts: int | None = attrs.field(default=3, kw_only=True)
    window: float = attrs.field(default=300.0, kw_only=True)
    backoff: BackoffConfig | None = attrs.field(factory=BackoffConfig, kw_only=True)
    on_failure: Callable[[ExitReason], Strategy | None] | None = attrs.field(default=None, kw_only=True)
    on_restart: Callable[[Any, int], None] | None = attrs.field(default=None, kw_only=True)
    on_give_up: Callable[[Any, ExitReason], None] | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_intensity("Supervision", self.max_restarts, self.window)
        check_backoff("Supervision", self.backoff)
        for hook in ("on_failure", "on_restart", "on_give_up"):
            check_hook("Supervision", hook, getattr(self, hook))

"""A circuit breaker as a value machine with one owner.

    closed     calls pass; `threshold` failures in a row open it
    open       calls are refused; `reset_after` seconds later the next one makes it half open
    half_open  at most `half_open_max` calls at a time pass; a success closes it, a failure opens it again

A call that was admitted ends in one of `succeeded`, `failed` and `abandoned`, with the period it was admitted in: what
was admitted in an earlier one says nothing about now.
"""

from __future__ import annotations

from typing import Literal

import attrs

from vega_trio.agent import CircuitBreaker

State = Literal["closed", "open", "half_open"]
PROBING_S = 1.0
"""What a caller is told to wait while others find out whether the model works again."""


@attrs.define
class Breaker:
    """`now` is any clock that only goes forward, in seconds. `period` counts the changes of state."""

    config: CircuitBreaker
    state: State = attrs.field(default="closed", init=False)
    period: int = attrs.field(default=0, init=False)
    failures: int = attrs.field(default=0, init=False)
    probes: int = attrs.field(default=0, init=False)
    opened_at: float = attrs.field(default=0.0, init=False)

    def refuses_for(self, now: float) -> float:
        """Seconds until it is worth asking again; 0: a call may pass now."""
        match self.state:
            case "open":
                return max(0.0, self.opened_at + self.config.reset_after - now)
            case "half_open" if self.probes >= self.config.half_open_max:
                return PROBING_S
            case _:
                return 0.0

    def admit(self) -> bool:
        """Lets a call through when `refuses_for` is 0. Whether that made it half open."""
        probing = self.state == "open"
        if probing:
            self._enter("half_open")
        if self.state == "half_open":
            self.probes += 1
        return probing

    def succeeded(self, period: int) -> bool:
        """Whether that closed it."""
        if period != self.period:
            return False
        if self.state == "closed":
            self.failures = 0
            return False
        self._enter("closed")
        return True

    def failed(self, period: int, now: float) -> bool:
        """Whether that opened it."""
        if period != self.period:
            return False
        self.failures += 1
        if self.state == "closed" and self.failures < self.config.threshold:
            return False
        self._enter("open")
        self.opened_at = now
        return True

    def abandoned(self, period: int) -> None:
        """The call was given up without an outcome; its place is free."""
        if period == self.period and self.state == "half_open":
            self.probes -= 1

    def _enter(self, state: State) -> None:
        self.state, self.failures, self.probes = state, 0, 0
        self.period += 1

"""A token bucket: a minute's allowance to begin with, refilled steadily.

Taking may leave it below zero; the taker then waits until it would be back at zero. Who takes first waits least, so
that waiting is in order without a queue, and a cost known only afterwards is simply charged then.
"""

from __future__ import annotations

import attrs

MINUTE_S = 60.0


@attrs.define
class Bucket:
    """`per_minute` is the capacity and the refill; `level` what was there at `at`, in seconds of a forward clock."""

    per_minute: float
    level: float
    at: float

    @classmethod
    def full(cls, per_minute: float, now: float) -> Bucket:
        return cls(per_minute, per_minute, now)

    def refill(self, now: float) -> None:
        passed = max(0.0, now - self.at)
        self.level = min(self.per_minute, self.level + passed * self.per_minute / MINUTE_S)
        self.at = max(self.at, now)

    def wait_for(self, amount: float, now: float) -> float:
        """Seconds until `amount` is there. More than the capacity is there when the bucket is full."""
        self.refill(now)
        missing = min(amount, self.per_minute) - self.level
        return max(0.0, missing) * MINUTE_S / self.per_minute

    def take(self, amount: float, now: float) -> None:
        """Takes it, there or not."""
        self.refill(now)
        self.level -= amount

    def give_back(self, amount: float, now: float) -> None:
        self.refill(now)
        self.level = min(self.per_minute, self.level + amount)

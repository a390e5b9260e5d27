"""How often one address or user may ask. Pure: the generic cell rate algorithm (ITU-T I.371), one number a key."""

from __future__ import annotations

import attrs

MOST_KEYS = 10_000  # remembered at once; those that have had their rest are forgotten first


@attrs.define
class Rate:
    """`burst` at once, `per_s` in the long run. Times are seconds of a forward clock."""

    per_s: float
    burst: float
    _free_at: dict[str, float] = attrs.field(factory=dict, init=False, repr=False)

    def take(self, key: str, now: float) -> float:
        """0.0 when it may go on, which counts; else the seconds until it might."""
        step = 1 / self.per_s
        free_at = max(self._free_at.get(key, now), now)
        wait = free_at + step - now - self.burst * step
        if wait > 1e-9:
            return wait
        if len(self._free_at) >= MOST_KEYS:
            self._forget(now)
        self._free_at[key] = free_at + step
        return 0.0

    def _forget(self, now: float) -> None:
        self._free_at = {key: at for key, at in self._free_at.items() if at > now}

"""How fast a model may be called after it said that it was called too fast.

    refused     nobody calls before the pause is over, and then with a gap between two calls: 0.1 s the first
                time, doubled each time it was still too fast
    went well   the gap shrinks by a fifth, until it is gone

A burst of fifty calls that are all refused says once that it was too fast, not fifty times: only a refusal of a call
that was made since the last slowing down counts.
"""

from __future__ import annotations

import attrs

FIRST_GAP_S = 0.1
LONGEST_GAP_S = 5.0
SHRINK = 0.8


@attrs.define
class Pace:
    """One model's. Times are seconds of a forward clock; `pause_s` is the length of the pause that ends at `until`."""

    gap_s: float = 0.0
    until: float = 0.0
    pause_s: float = 0.0
    _free_at: float = attrs.field(default=0.0, init=False)
    _slowed_at: float = attrs.field(default=-1.0, init=False)

    def pause_left(self, now: float) -> float:
        return max(0.0, self.until - now)

    def take_turn(self, now: float) -> float:
        """Seconds to wait until it is this call's turn, which is then taken."""
        start = max(now, self._free_at)
        self._free_at = start + self.gap_s
        return start - now

    def refused(self, called_at: float, now: float, pause_s: float) -> None:
        """The call made at `called_at` was too much; the provider asked for a pause of `pause_s`, or for none (0)."""
        if now + pause_s > self.until:
            self.until, self.pause_s = now + pause_s, pause_s
        self._free_at = max(self._free_at, self.until)
        if called_at >= self._slowed_at:
            self._slowed_at = now
            self.gap_s = min(LONGEST_GAP_S, max(FIRST_GAP_S, self.gap_s * 2))

    def went_well(self) -> None:
        self.gap_s *= SHRINK
        if self.gap_s < FIRST_GAP_S / 10:
            self.gap_s = 0.0

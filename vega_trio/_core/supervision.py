"""When a child is restarted, and when a supervisor has had enough. OTP's rules; `now` is monotonic seconds."""

from __future__ import annotations

import attrs

from vega_trio.agent import Restart, Strategy
from vega_trio.exits import ExitReason


@attrs.define
class Intensity:
    """At most `max_restarts` restarts within `window` seconds (supervisor.erl, add_restart/3).

    0 is none. None is unlimited, and nothing is remembered then.
    """

    max_restarts: int | None
    window: float
    log: list[float] = attrs.field(factory=list)

    def admit(self, now: float) -> bool:
        """Counts a restart at `now`; False when it is one too many. The window's edge is within it."""
        if self.max_restarts is None:
            return True
        self.log = [at for at in self.log if at >= now - self.window]
        self.log.append(now)
        return len(self.log) <= self.max_restarts

    def has_room(self, now: float) -> bool:
        """Whether a restart at `now` would be admitted."""
        return self.max_restarts is None or sum(at >= now - self.window for at in self.log) < self.max_restarts

    @property
    def used(self) -> int:
        """Restarts that still count, as of the last one."""
        return len(self.log)


@attrs.define
class Attempts:
    """The number of the next restart, for the backoff: it starts over once a child has stayed up for `window`."""

    window: float
    count: int = 0

    def next(self, up_for: float | None) -> int:
        """Counts one. `up_for`: how long the child had been up, in seconds; None when it did not come up."""
        if up_for is not None and up_for >= self.window:
            self.count = 0
        self.count += 1
        return self.count


def wants_restart(restart: Restart, reason: ExitReason) -> bool:
    """Whether a child of this type is restarted after this exit."""
    return restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and reason.abnormal)


def allowed(restart: Restart, answer: object) -> bool:
    """Whether an `on_failure` hook may answer this. A temporary child is never started again."""
    if answer is None:
        return True
    if not isinstance(answer, Strategy):
        return False
    return restart is not Restart.TEMPORARY or answer in (Strategy.STOP, Strategy.ESCALATE)


RESTART_TYPE = {
    Strategy.RESTART: Restart.TRANSIENT,
    Strategy.RESTART_ALL: Restart.TRANSIENT,
    Strategy.ESCALATE: Restart.TRANSIENT,
    Strategy.STOP: Restart.TEMPORARY,
}
"""What a process's own policy makes of it as a child."""

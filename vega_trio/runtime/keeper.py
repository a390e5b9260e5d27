"""Who answers for a process: decides at its exit, starts it again, and ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import trio

from vega_trio.agent import ShutdownTime
from vega_trio.exits import ExitReason

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation


@attrs.frozen
class Restarting:
    """A restart to come: number `attempt` of at most `max_restarts` (None: unlimited), after `delay_s` seconds."""

    attempt: int
    max_restarts: int | None
    delay_s: float

    def fields(self) -> dict[str, Any]:
        """As `ProcessRestarting` has them."""
        return {"attempt": self.attempt, "max": self.max_restarts, "delay_ms": round(self.delay_s * 1000)}


@attrs.frozen
class Verdict:
    """What follows an exit. `then` sets it going, once everybody knows of the exit.

    Not final without `restart`: the process is down because its group restarts.
    """

    final: bool
    restart: Restarting | None = None
    then: Callable[[], None] | None = None


FINAL = Verdict(final=True)
ORDERED = "a restart was asked for"
"""The detail of the Shutdown with which an incarnation leaves for the next one."""


class Keeper(Protocol):
    """A spawned process's own policy, or a supervisor's place for a child."""

    @property
    def owner(self) -> Incarnation | None:
        """The incarnation with which it ends; None: the orchestrator."""
        ...

    @property
    def shutdown(self) -> ShutdownTime:
        """Seconds it may take to leave, or "brutal_kill"."""
        ...

    def started(self, incarnation: Incarnation) -> None:
        """An incarnation has started."""
        ...

    def decide(self, incarnation: Incarnation) -> Verdict:
        """Whether a restart follows this exit. Synchronous, in the step of the death."""
        ...

    def expire(self, reason: ExitReason) -> None:
        """Its deadline has passed: it dies of `reason`, trapping or not, and no restart follows."""
        ...

    def dismiss(self) -> None:
        """Its owner has ended: it gets Shutdown now, and is killed after its shutdown time."""
        ...

    @property
    def used(self) -> int:
        """Restarts that still count, as of the last one."""
        ...

    @property
    def next_at(self) -> float | None:
        """When the restart that it waits for comes, in `trio.current_time()` seconds."""
        ...

    def order_restart(self) -> bool:
        """Begins to end the incarnation in order and to start the next, by the supervisor's strategy; not counted.

        False when nobody would start it again.
        """
        ...

    async def stop(self) -> None:
        """Ends the process for good, in order; returns when it has ended."""
        ...

    async def kill(self) -> None:
        """Ends the process for good, at once; returns when it has ended."""
        ...


@attrs.frozen
class Gone:
    """The keeper of a process that has ended for good: there is nothing left to do.

    It takes the last keeper's place, which holds the process: a dead process is to be freed at once, not by the
    cycle collector.
    """

    owner: None = None
    shutdown: ShutdownTime = 0.0
    used: int = 0
    next_at: None = None

    def started(self, incarnation: Incarnation) -> None:
        """Never called: no incarnation follows."""

    def decide(self, incarnation: Incarnation) -> Verdict:
        return FINAL

    def expire(self, reason: ExitReason) -> None:
        """It has ended already."""

    def dismiss(self) -> None:
        """It has ended already."""

    def order_restart(self) -> bool:
        return False

    async def stop(self) -> None:
        await trio.lowlevel.checkpoint()

    async def kill(self) -> None:
        await trio.lowlevel.checkpoint()


GONE = Gone()

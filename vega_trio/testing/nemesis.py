"""What goes wrong in a simulation, by chance: starts that fail or drag, crashes, hangs, cleanups that fail."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import trio

from vega_trio.exits import Crashed, Shutdown

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process

ProcessBody = Callable[[Any], Awaitable[object]]


class InjectedFault(Exception):
    """A failure that the simulation made; no fault of the program's."""


def _chance(_: object, field: attrs.Attribute[float], value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"Faults.{field.name} must be a chance between 0 and 1, not {value!r}")


@attrs.frozen(kw_only=True)
class Faults:
    """Chances, 0 to 1, drawn anew for each incarnation of a haunted body.

    `fail_start`: raises before it has started. `slow_start`: sleeps first. `crash`: raises some time later.
    `hang`: some time later does nothing any more and traps exits, so that only a kill ends it. `fail_cleanup`:
    raises while it is being stopped. `slow_cleanup`: takes its time in a `cleanup()` block. Times are spread evenly
    over `within` seconds.
    """

    fail_start: float = attrs.field(default=0.0, validator=_chance)
    slow_start: float = attrs.field(default=0.0, validator=_chance)
    crash: float = attrs.field(default=0.2, validator=_chance)
    hang: float = attrs.field(default=0.0, validator=_chance)
    fail_cleanup: float = attrs.field(default=0.0, validator=_chance)
    slow_cleanup: float = attrs.field(default=0.0, validator=_chance)
    within: float = 10.0


@attrs.frozen
class Nemesis:
    """Draws everything from `rand`; `note` writes down what it does."""

    rand: random.Random
    note: Callable[[str], None]

    def haunt(self, body: ProcessBody, faults: Faults | None = None) -> ProcessBody:
        """The same body, with faults."""
        chances = Faults() if faults is None else faults

        async def haunted(me: Process) -> object:
            await self._start(me, chances)
            try:
                return await self._live(me, body, chances)
            finally:
                await self._clean_up(me, chances)

        return haunted

    async def storm(
        self,
        seconds: float,
        targets: Callable[[], Sequence[Process]],
        *,
        every: float = 1.0,
        strikes: Sequence[str] = ("kill", "shutdown", "crash"),
    ) -> None:
        """For so long, strikes one of `targets()` every so often: kills it, or sends an exit signal."""
        with trio.move_on_after(seconds):
            while True:
                await trio.sleep(self.rand.expovariate(1 / every))
                living = targets()
                if living:
                    self.strike(self.rand.choice(living), self.rand.choice(strikes))

    def strike(self, process: Process, how: str) -> None:
        """`how` is kill, shutdown or crash: the latter two are exit signals, which a process may trap."""
        self.note(f"nemesis: {how} {process.id}")
        match how:
            case "kill":
                process.kill()
            case "shutdown":
                process.exit(Shutdown("nemesis"))
            case "crash":
                process.exit(Crashed(InjectedFault("signal")))
            case _:
                raise ValueError(f"a strike is kill, shutdown or crash, not {how!r}")

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self.rand.random() < chance

    async def _start(self, me: Process, faults: Faults) -> None:
        if self._happens(faults.fail_start):
            self.note(f"nemesis: {me.id} fails to start")
            raise InjectedFault("start")
        if self._happens(faults.slow_start):
            await trio.sleep(self.rand.uniform(0, faults.within))

    async def _live(self, me: Process, body: ProcessBody, faults: Faults) -> object:
        crashes, hangs = self._happens(faults.crash), self._happens(faults.hang)
        limit = self.rand.uniform(0, faults.within) if crashes or hangs else float("inf")
        result: object = None
        with trio.move_on_after(limit) as scope:
            result = await body(me)
        if not scope.cancelled_caught:
            return result
        if crashes:
            self.note(f"nemesis: {me.id} crashes")
            raise InjectedFault("crash")
        self.note(f"nemesis: {me.id} hangs")
        me.trap_exit = True
        return await trio.sleep_forever()

    async def _clean_up(self, me: Process, faults: Faults) -> None:
        if self._happens(faults.slow_cleanup):
            async with me.cleanup(faults.within):
                await trio.sleep(self.rand.uniform(0, 2 * faults.within))
        if self._happens(faults.fail_cleanup):
            self.note(f"nemesis: the cleanup of {me.id} fails")
            raise InjectedFault("cleanup")

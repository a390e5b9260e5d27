"""Those that were killed and are not dead yet. Of who lives on for too long somebody is told."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs
import trio

from vega_trio.runtime.timers import Timers

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation


@attrs.define(eq=False)
class Doomed:
    """`limit`: seconds that one may live on; None: nobody is told.

    Nearly all die at once, so one timer serves them all. They are in the order in which they were killed, each with
    the time at which it is told of.
    """

    _limit: float | None
    _timers: Timers
    _dying: dict[Incarnation, float] = attrs.field(factory=dict, repr=False)
    _waiting: bool = False

    def add(self, incarnation: Incarnation) -> None:
        if self._limit is not None:
            self._dying[incarnation] = trio.current_time() + self._limit
            self._wait(self._limit)

    def discard(self, incarnation: Incarnation) -> None:
        """It is dead."""
        self._dying.pop(incarnation, None)

    def _wait(self, seconds: float) -> None:
        if not self._waiting:
            self._waiting = True
            self._timers.after(seconds, self._look)

    def _look(self) -> None:
        """A loop that is behind may not have let them die yet: who lives on is told of when all have had their turn."""
        self._timers.after(0.0, partial(self._tell, trio.current_time()))

    def _tell(self, now: float) -> None:
        self._waiting = False
        for incarnation, due in tuple(self._dying.items()):
            if due > now:
                self._wait(due - trio.current_time())
                return
            self.discard(incarnation)
            incarnation.lives_on()

"""Timers: synchronous calls at a time, all served by one task."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from itertools import count

import attrs
import trio
from trio.lowlevel import enable_ki_protection


@attrs.define(eq=False)
class Timer:
    """One call to come. `cancel()` may be called at any time, also after it has fired."""

    at: float
    call: Callable[[], None] | None

    def cancel(self) -> None:
        self.call = None


@attrs.define(eq=False)
class Timers:
    """A heap of calls and the task that makes them. Times are `trio.current_time()` seconds."""

    _heap: list[tuple[float, int, Timer]] = attrs.field(factory=list, init=False)
    _order: count[int] = attrs.field(factory=count, init=False)
    _scope: trio.CancelScope | None = attrs.field(default=None, init=False)
    _stopped: bool = attrs.field(default=False, init=False)

    def after(self, delay: float, call: Callable[[], None]) -> Timer:
        """Calls in `delay` seconds; infinity is never."""
        timer = Timer(trio.current_time() + delay, call)
        if timer.at < math.inf:
            heapq.heappush(self._heap, (timer.at, next(self._order), timer))
            self._adjust()
        return timer

    def _adjust(self) -> None:
        """Sees to it that the sleeping task wakes in time for the first call that still stands."""
        heap = self._heap
        while heap and heap[0][2].call is None:
            heapq.heappop(heap)
        # Never put off: to set a deadline is dear, most calls are cancelled, and waking for none of them is cheap.
        if heap and self._scope is not None and heap[0][0] < self._scope.deadline:
            self._scope.deadline = heap[0][0]

    def stop(self) -> None:
        """Ends the task; what has not been called never is."""
        self._stopped = True
        if self._scope is not None:
            self._scope.cancel()

    @enable_ki_protection
    async def run(self) -> None:
        """The task. Cancellation from outside does not reach it: processes being stopped need their timers."""
        while not self._stopped:
            with trio.CancelScope(shield=True) as self._scope:
                self._adjust()
                await trio.sleep_forever()
            self._scope = None
            self._fire()

    def _fire(self) -> None:
        now = trio.current_time()
        heap = self._heap
        while heap and heap[0][0] <= now and not self._stopped:
            timer = heapq.heappop(heap)[2]
            call, timer.call = timer.call, None
            if call is not None:
                call()

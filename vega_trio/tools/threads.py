"""Worker threads for tools that are plain functions, and the ones a cancelled call had to leave behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import trio

MAX_THREADS = 40  # its own limit: threads left behind by tools must not starve Trio's other work of threads


@attrs.frozen
class AbandonedThread:
    """A thread whose call was cancelled and which still runs. `abandoned_at` is `trio.current_time()` in seconds."""

    tool: str
    abandoned_at: float


@attrs.define
class _Run:
    """Three flags, each set once and by one side: `started` and `finished` by the worker, `withdrawn` by Trio's thread.

    The worker sets `started` before it reads `withdrawn`, Trio's thread `withdrawn` before it reads `started`: so
    either the worker sees that it is not wanted and does nothing, or the thread is seen to be left behind.
    """

    started: bool = False
    finished: bool = False
    withdrawn: bool = False

    def work(self, function: Callable[[], Any]) -> tuple[Any, ...]:
        """The result in a tuple: Trio refuses a result that is a coroutine, which our caller awaits."""
        self.started = True
        try:
            return () if self.withdrawn else (function(),)
        finally:
            self.finished = True


@attrs.define
class Threads:
    """Runs functions in worker threads. A thread cannot be stopped: a cancelled call returns at once and leaves it.

    Such threads are listed until they end by themselves; while they run they count against `MAX_THREADS`.
    """

    _limiter: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(MAX_THREADS), init=False)
    _abandoned: list[tuple[_Run, AbandonedThread]] = attrs.field(factory=list, init=False)

    async def run(self, tool: str, function: Callable[[], Any]) -> Any:
        """The function's result. Context variables are carried into the thread."""
        run = _Run()
        try:
            (result,) = await trio.to_thread.run_sync(
                run.work, function, thread_name=f"vega tool {tool}", abandon_on_cancel=True, limiter=self._limiter
            )
        except trio.Cancelled:
            run.withdrawn = True
            if run.started:
                self._abandoned = [*self._running(), (run, AbandonedThread(tool, trio.current_time()))]
            raise
        return result

    def abandoned(self) -> tuple[AbandonedThread, ...]:
        """Those still running, the oldest first."""
        return tuple(thread for _, thread in self._running())

    def _running(self) -> list[tuple[_Run, AbandonedThread]]:
        return [(run, thread) for run, thread in self._abandoned if not run.finished]

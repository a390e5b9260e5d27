"""What a running tool call reports of itself, as events: few enough that nobody who listens is cut for being slow."""

from __future__ import annotations

import math
from typing import Final

import attrs
import trio

from vega_trio.engine.turn_state import Turn
from vega_trio.events import ToolProgress
from vega_trio.messages import ToolCall

INTERVAL_S: Final = 0.5
MAX_MESSAGE: Final = 500


@attrs.define
class Reporter:
    """A call's `ToolContext.progress`. Told are the first report, one each half second, the end of a known total."""

    turn: Turn
    call: ToolCall
    _next_at: float = -math.inf
    _ended: bool = False

    def __call__(self, done: float, total: float | None = None, message: str = "") -> None:
        """From any thread that Trio started. Raises: trio.RunFinishedError, trio.Cancelled from such a thread."""
        if trio.lowlevel.in_trio_task():
            self._report(done, total, message)
        else:
            trio.from_thread.run_sync(self._report, done, total, message)

    def end(self) -> None:
        """The call is over: what a thread left behind reports is no news."""
        self._ended = True

    def _report(self, done: float, total: float | None, message: str) -> None:
        if self._ended or not math.isfinite(done):
            return
        known = total if total is not None and math.isfinite(total) else None
        now, complete = trio.current_time(), known is not None and done >= known
        if now < self._next_at and not complete:
            return
        self._next_at, self._ended = now + INTERVAL_S, complete
        said = self.turn.equipment.redact(message)[:MAX_MESSAGE]  # in this order: half a secret is not recognised
        self.turn.emit(
            ToolProgress,
            tool_call_id=self.call.id,
            tool_name=self.call.name,
            progress=float(done),
            total=known,
            message=said,
        )

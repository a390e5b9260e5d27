"""How long a process may live: counted over all its incarnations, those of earlier programs too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vega_trio.changes import SetTimer, TimerRow
from vega_trio.errors import ProcessTimeout
from vega_trio.exits import Crashed, ExitReason
from vega_trio.runtime.health import watch_deadline

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process


def limit_life(process: Process, seconds: float) -> None:
    """It ends in `seconds`, and no restart follows. An agent's deadline outlives the program."""
    _limit(process, process.kernel.wall_clock() + seconds, seconds, seconds)
    if process.agent is not None:
        assert process.deadline_at is not None
        row = TimerRow(process_id=process.id, kind="deadline", due_at=process.deadline_at)
        process.kernel.store.submit(SetTimer(row))


def resume_limit(process: Process) -> bool:
    """Takes up the deadline that a recovered process had; one that has passed meanwhile ends it at once."""
    due_at = process.kernel.recovered.deadlines.pop(process.id, None)
    if due_at is not None:
        left = max(0.0, due_at - process.kernel.wall_clock())
        _limit(process, due_at, left, due_at - process.started_at)
    return due_at is not None


def _limit(process: Process, due_at: float, left: float, whole: float) -> None:
    process.deadline_at = due_at
    reason = Crashed(ProcessTimeout(whole))
    end = process.kernel.timers.after(left, lambda: process.keeper.expire(reason))
    warning = watch_deadline(process, process.kernel.health, left)

    def ended(_: ExitReason) -> None:
        end.cancel()
        if warning is not None:
            warning.cancel()

    process.on_end(ended)

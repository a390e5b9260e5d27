"""The health monitor: alerts about processes that live but do not do well. Nothing is polled.

An alert is given once per episode, which ends when what it was about does: a turn, a row of errors, a silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import trio

from vega_trio.events import Event, HealthAlert, ToolEnd, TurnFailure, TurnFinished, TurnStopped

if TYPE_CHECKING:
    from vega_trio.runtime.keeper import Restarting
    from vega_trio.runtime.process import Process
    from vega_trio.runtime.timers import Timer


@attrs.frozen(kw_only=True)
class HealthConfig:
    """Limits; None turns an alert off.

    `stale`: seconds without a sign from a process that is at work. `high_iterations`: model calls in one turn.
    `high_cost`, `deadline`, `restarts`: the used share of the process's budget, deadline and restart intensity.
    `error_loop`: failed tool calls and turns in a row. `mailbox_full`: seconds without room in the mailbox.
    `unkillable`: seconds a process lives on after a kill.
    """

    stale: float | None = 300.0
    high_iterations: int | None = 40
    high_cost: float | None = 0.8
    error_loop: int | None = 5
    deadline: float | None = 0.8
    restarts: float | None = 0.8
    mailbox_full: float | None = 10.0
    unkillable: float | None = 1.0

    def __attrs_post_init__(self) -> None:
        for field in attrs.fields(HealthConfig):
            value = getattr(self, field.name)
            if value is not None and not value > 0:
                raise ValueError(f"HealthConfig.{field.name} must be greater than 0 or None, not {value!r}")


@attrs.define(eq=False)
class Vitals:
    """What is observed of one process. Belongs to it over all its incarnations."""

    _process: Process
    _limits: HealthConfig
    _last_sign: float = attrs.field(default=0.0, init=False)
    _at_work: bool = attrs.field(default=False, init=False)
    _iterations_before: int = attrs.field(default=0, init=False)
    _errors_in_a_row: int = attrs.field(default=0, init=False)
    _alerted: set[str] = attrs.field(factory=set, init=False)
    _silence: Timer | None = attrs.field(default=None, init=False)

    # -- turns

    def work_begins(self) -> None:
        """It takes a mail, or a task."""
        self._at_work = True
        self._iterations_before = self._process.metrics.iterations
        self._alerted -= {"high_iterations", "stale"}
        self._sign()

    def work_ends(self) -> None:
        self._at_work = False
        self._cancel_silence()

    def sign(self) -> None:
        """It speaks: a sign of life, and no more than that."""
        if self._at_work:
            self._sign()

    def observe(self, event: Event) -> None:
        """It has said something."""
        if not self._at_work:
            return
        self._sign()
        match event:
            case ToolEnd(error=True) | TurnFailure():
                self._errors_in_a_row += 1
            case ToolEnd() | TurnFinished() | TurnStopped():
                self._errors_in_a_row = 0
                self._alerted.discard("error_loop")
        self._check("error_loop", self._errors_in_a_row, self._limits.error_loop, "failures in a row")
        done = self._process.metrics.iterations - self._iterations_before
        self._check("high_iterations", done, self._limits.high_iterations, "model calls in one turn")
        self._check_cost()

    def _check_cost(self) -> None:
        budget, share = self._process.budget, self._limits.high_cost
        if budget is not None and share is not None:
            self._check("high_cost", budget.used, budget.limit * share, "dollars spent")

    def _check(self, kind: str, value: float, threshold: float | None, what: str) -> None:
        if threshold is not None and value >= threshold:
            self._alert(kind, f"{value:g} {what}", value, threshold)

    def _alert(self, kind: str, what: str, value: float, threshold: float) -> None:
        if kind not in self._alerted:
            self._alerted.add(kind)
            alert(self._process, kind, what, value, threshold)

    # -- silence

    def _sign(self) -> None:
        self._last_sign = trio.current_time()
        self._alerted.discard("stale")
        if self._silence is None and self._limits.stale is not None:
            self._listen_until(self._last_sign + self._limits.stale)

    def _listen_until(self, at: float) -> None:
        self._silence = self._process.kernel.timers.after(at - trio.current_time(), self._check_silence)

    def _check_silence(self) -> None:
        # Signs do not move the timer, which would cost one per event; it moves itself when it fires.
        self._silence = None
        limit = self._limits.stale
        assert limit is not None
        due = self._last_sign + limit
        if trio.current_time() < due:
            self._listen_until(due)
        else:
            silent = trio.current_time() - self._last_sign
            self._alert("stale", f"no sign for {silent:.0f} s", silent, limit)

    def _cancel_silence(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def end(self) -> None:
        """The process has ended."""
        self.work_ends()


def alert(process: Process, kind: str, what: str, value: float, threshold: float) -> None:
    message = f"process {process.id} ({process.label}): {what}"
    process.emit(HealthAlert(kind=kind, message=message, value=float(value), threshold=float(threshold)))


def watch_deadline(process: Process, limits: HealthConfig, seconds: float) -> Timer | None:
    """An alert when the used share of a deadline has passed."""
    if limits.deadline is None:
        return None
    at = seconds * limits.deadline
    what = f"{at:g} s of {seconds:g} s used"
    return process.kernel.timers.after(at, lambda: alert(process, "deadline", what, at, at))


def watch_mailbox(process: Process) -> Timer | None:
    """An alert when the mailbox, which is full now, has been so for too long; unless cancelled when there is room."""
    limit = process.kernel.health.mailbox_full
    if limit is None:
        return None
    what = f"the mailbox has been full for {limit:g} s"
    return process.kernel.timers.after(limit, lambda: alert(process, "mailbox_full", what, limit, limit))


def watch_restarts(process: Process, limits: HealthConfig, restarting: Restarting) -> None:
    """An alert when a restart takes the intensity over its limit."""
    if limits.restarts is None or restarting.max_restarts is None:
        return
    threshold = restarting.max_restarts * limits.restarts
    if restarting.attempt - 1 < threshold <= restarting.attempt:
        what = f"restart {restarting.attempt} of {restarting.max_restarts} in the window"
        alert(process, "restarts", what, restarting.attempt, threshold)

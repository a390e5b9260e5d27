"""One life of a process: a task, its cancel scope, and what ends with it.

Why it ended, first match (supervision spec, "reason"):
1. it was killed: `Killed`, even if the body had returned; if that was because its start took too long: the timeout
2. its scope caught the cancel: the signal's reason, unchanged
3. the body returned v: `Normal(v)`, also when a stop had just come or was swallowed
4. `ProcessExit(r)`, alone or anywhere in a group: r
5. an Exception: `Crashed` of it, a group of one unwrapped. One raised out of the cancel itself (a cleanup that
   failed) is an error while dying: the signal's reason stands
6. anything else (Ctrl-C, SystemExit) ends the orchestrator, is raised by its block, and restarts nothing
"""

from __future__ import annotations

import contextvars
import math
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
import trio
from trio.lowlevel import disable_ki_protection, enable_ki_protection

from vega_trio.agent import ShutdownTime
from vega_trio.errors import Ignore, NoProcessError, StartTimeout
from vega_trio.events import ShutdownError
from vega_trio.exits import Crashed, Down, ExitReason, ExitSignal, Killed, Normal, told
from vega_trio.runtime.deaths import bury
from vega_trio.runtime.health import alert
from vega_trio.runtime.reasons import bare, holds_cancelled, reason_of
from vega_trio.runtime.signals import deliver
from vega_trio.runtime.voice import say_started

if TYPE_CHECKING:
    from vega_trio.runtime.mail import Mail
    from vega_trio.runtime.process import Process
    from vega_trio.runtime.ties import Monitor
    from vega_trio.runtime.timers import Timer

_running: contextvars.ContextVar[Incarnation | None] = contextvars.ContextVar("vega_trio_running", default=None)


def running() -> Incarnation | None:
    """The incarnation whose body (or a task it started) is calling; None outside of any process."""
    return _running.get()


@attrs.define(eq=False)
class Incarnation:
    """Owned by its own task and the synchronous steps of the kernel; nothing here is touched from a thread."""

    process: Process
    number: int
    scope: trio.CancelScope
    started: bool = False
    reason: ExitReason | None = None
    pending: ExitReason | None = None
    killed: bool = False
    ignored: bool = False
    fatal: bool = False
    asked_to_leave: bool = False
    trapping: bool = False
    timed_out: bool = False
    up_since: float = 0.0
    current: Mail | None = None
    taken: dict[Mail, None] = attrs.field(factory=dict)
    monitors: dict[Monitor, None] | None = None
    owned: dict[Process, None] | None = None
    task: trio.lowlevel.Task | None = None
    _signals: tuple[trio.MemorySendChannel[ExitSignal], trio.MemoryReceiveChannel[ExitSignal]] | None = None
    _cleanups: dict[trio.CancelScope, None] | None = None
    _start_waiter: trio.lowlevel.Task | None = None
    _gone: trio.Event | None = None
    _start_limit: Timer | None = None
    _leave_limit: Timer | None = None

    # -- the task

    @enable_ki_protection
    async def run(self, body: Any) -> None:
        """The whole task. Whatever the body does, the bookkeeping of its death is done in this task's last step."""
        _running.set(self)
        self.task = trio.lowlevel.current_task()
        # Trio clears this when the task is rescheduled: while it stands, the body has not been suspended yet.
        self.task.custom_sleep_data = self
        self.up_since = trio.current_time()
        if not self.process.must_say_ready and not self.started:
            self._note_start_after_this_step()
        value: object = None
        error: BaseException | None = None
        returned = False
        try:
            with self.scope:
                value = await _call(body, self.process)
                returned = True
        except BaseException as raised:  # noqa: BLE001 - the one guard: what a body raises is a fact to be judged
            # Without this frame, which holds all that the error's reason is kept in: a cycle for the collector.
            error = raised.with_traceback(raised.__traceback__ and raised.__traceback__.tb_next)
        self._end(value, error, returned=returned)

    def _end(self, value: object, error: BaseException | None, *, returned: bool) -> None:
        if not self.process.must_say_ready and (returned or not self.in_first_step()):
            self.has_started()
        if error is not None and not isinstance(error, Exception):
            self.fatal = True
            self.process.kernel.fail(error)
        dying = error is not None and (self.killed or self._died_of_cancel(error))
        if self.timed_out:  # also when it had to be killed because of that
            self.reason = self._start_timeout()
        elif self.killed:
            self.reason = Killed()
        elif returned:
            self.reason = Normal(value)
        elif error is None or dying:
            assert self.pending is not None
            self.reason = self.pending
        else:
            self.ignored = self.process.declined = isinstance(error, Ignore) and not self.started
            self.reason = Normal() if self.ignored else reason_of(error)
        if dying and error is not None:
            self.process.emit(ShutdownError(error=told(bare(error))))
        if self._start_limit is not None:
            self._start_limit.cancel()
        if self._leave_limit is not None:
            self._leave_limit.cancel()
        if self.killed:
            self.process.kernel.doomed.discard(self)
        bury(self)
        self._let_go_of_task()

    def _let_go_of_task(self) -> None:
        """Its context holds this incarnation: a dead process is to be freed at once, not by the cycle collector."""
        if self.task is not None:
            self.task.custom_sleep_data = None
            self.task = None

    def _died_of_cancel(self, error: BaseException) -> bool:
        """Whether the error came out of the cancel that ended us, and not in its place."""
        return self.pending is not None and (self.scope.cancelled_caught or holds_cancelled(error))

    # -- starting

    def in_first_step(self) -> bool:
        return self.task is None or self.task.custom_sleep_data is self

    def has_started(self) -> None:
        if not self.started and not self.timed_out and self.reason is None:
            self.started = True
            if self._start_limit is not None:
                self._start_limit.cancel()
            self.process.keeper.started(self)
            say_started(self.process)
            self.wake_starter()

    @property
    def is_up(self) -> bool:
        """Started, seen from another task: whoever else runs, a first step it has begun is over."""
        if self.started or self.process.must_say_ready or self.task is None:
            return self.started
        return trio.lowlevel.current_task() is not self.task

    def _note_start_after_this_step(self) -> None:
        if self._start_waiter is not None:
            self.wake_starter()
        else:  # restarted by a timer: nobody waits
            self._start_limit = self.process.kernel.timers.after(0, self.has_started)

    def limit_start(self, seconds: float) -> None:
        """It is stopped unless it says `ready()` in time."""
        self._start_limit = self.process.kernel.timers.after(seconds, self._start_took_too_long)

    def _start_took_too_long(self) -> None:
        self.timed_out = True
        self.ask_to_leave(self._start_timeout(), self.process.keeper.shutdown, None)

    def _start_timeout(self) -> ExitReason:
        seconds = self.process.start_timeout
        return Crashed(StartTimeout(f"process {self.process.id} did not call ready() within {seconds:g} s"))

    async def wait_started(self) -> bool:
        """Waits until started or dead, and says whether it has started; also when `wake_starter` is called.

        Not cancellable without a start timeout, as it takes one step of the body.
        """
        if self.started or self.reason is not None:
            return self.started
        self._start_waiter = trio.lowlevel.current_task()

        def abort(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            if not self.process.must_say_ready:
                return trio.lowlevel.Abort.FAILED
            self._start_waiter = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)
        if not self.process.must_say_ready and self.reason is None:
            self.has_started()  # the body woke us in its first step, which is over: it was suspended
        return self.started

    def wake_starter(self) -> None:
        """Whoever waits for the start looks again, after the current step."""
        if self._start_waiter is not None:
            trio.lowlevel.reschedule(self._start_waiter)
            self._start_waiter = None

    # -- ending

    @property
    def alive(self) -> bool:
        return self.reason is None

    def condemn(self, reason: ExitReason) -> None:
        """It dies of `reason` at its next checkpoint; the first reason wins."""
        if self.reason is None and self.pending is None:
            self.pending = reason
            self.scope.cancel()

    def ask_to_leave(self, reason: ExitReason, shutdown: ShutdownTime, sender: Incarnation | None) -> None:
        """An order from who answers for it: it leaves within `shutdown`, or is killed. The first order counts."""
        if shutdown == "brutal_kill":
            self.process.kill()
        if self.reason is not None or self.killed or self.asked_to_leave:
            return
        self.asked_to_leave = True
        if self.process.supervisor is not None:
            self.process.supervisor.begin_stop(reason)
        elif self.trapping:
            deliver(self, reason, sender, linked=False)
        else:
            self.condemn(reason)
        self._limit_stay(float(shutdown), self._stayed_too_long)

    def _stayed_too_long(self) -> None:
        self.process.killed_for_staying = not self.killed
        self.process.kill()

    def expire(self, reason: ExitReason, shutdown: ShutdownTime) -> None:
        """Dies of `reason`, trapping or not; cleanup is waited for at most `shutdown` seconds."""
        if self.killed:
            return
        self.condemn(reason)
        seconds = 0.0 if shutdown == "brutal_kill" else float(shutdown)
        self._limit_stay(seconds, self.force)

    def _limit_stay(self, seconds: float, then: Callable[[], None]) -> None:
        if self._leave_limit is not None:
            self._leave_limit.cancel()
        self._leave_limit = self.process.kernel.timers.after(seconds, then)

    def force(self) -> None:
        """Cleanup blocks are no longer waited for."""
        for scope in self._cleanups or ():
            scope.shield = False

    def kill(self) -> None:
        if self.reason is not None or self.killed:
            return
        self.killed = True
        self.pending = Killed()
        self.force()
        self.scope.cancel()
        if self._leave_limit is not None:
            self._leave_limit.cancel()
        if self.process.supervisor is None:
            self.process.kernel.doomed.add(self)

    def lives_on(self) -> None:
        """It was killed a while ago, and is not dead yet."""
        limit = self.process.kernel.health.unkillable or 0.0
        alert(self.process, "unkillable", f"lives on after a kill, at\n{self.stack()}", limit, limit)

    def stack(self) -> str:
        """Where the body is waiting, innermost call last."""
        lines = traceback.StackSummary.extract(self.task.iter_await_frames() if self.task is not None else ())
        return "".join(lines.format())

    def own(self, child: Process) -> None:
        """The child ends with this incarnation."""
        if self.owned is None:
            self.owned = {}
        self.owned[child] = None

    def add_monitor(self, monitor: Monitor) -> None:
        if self.monitors is None:
            self.monitors = {}
        self.monitors[monitor] = None

    def drop_monitor(self, monitor: Monitor) -> None:
        if self.monitors is not None:
            self.monitors.pop(monitor, None)

    def signals(self) -> tuple[trio.MemorySendChannel[ExitSignal], trio.MemoryReceiveChannel[ExitSignal]]:
        if self._signals is None:
            # The kernel's one unbounded queue: at most one entry per link or monitor and death.
            self._signals = trio.open_memory_channel[ExitSignal](math.inf)
        return self._signals

    @property
    def unread_signals(self) -> int:
        return self._signals[1].statistics().current_buffer_used if self._signals is not None else 0

    def gone(self) -> trio.Event:
        """Set when this incarnation has ended."""
        if self._gone is None:
            self._gone = trio.Event()
            if self.reason is not None:
                self._gone.set()
        return self._gone

    def tell_waiters(self) -> None:
        """The bookkeeping is done: wakes who waits for the start or the end."""
        self.wake_starter()
        if self._gone is not None:
            self._gone.set()
        if self._signals is not None:
            self._signals[0].close()

    # -- what belongs to it

    @asynccontextmanager
    async def cleanup(self, timeout: float) -> AsyncIterator[None]:
        if self.reason is not None:
            raise NoProcessError(f"process {self.process.id} has ended; only a living body can clean up")
        with trio.move_on_after(timeout, shield=not self.killed) as scope:
            if self._cleanups is None:
                self._cleanups = {}
            self._cleanups[scope] = None
            try:
                yield
            finally:
                del self._cleanups[scope]

    def pick_up(self, mail: Mail) -> None:
        """The body takes a mail."""
        mail.holder = self
        self.current = mail
        if mail.wants_reply or self.process.agent is not None:
            self.taken[mail] = None
        if self.process.vitals is not None:
            self.process.vitals.work_begins()

    def put_down(self, mail: Mail) -> None:
        """A mail is finished."""
        self.taken.pop(mail, None)
        if self.current is mail:
            self.current = None
            if self.process.vitals is not None:
                self.process.vitals.work_ends()

    def released(self, mail: Mail) -> None:
        """Its sender no longer waits; an agent still finishes it."""
        if self.process.agent is None:
            self.taken.pop(mail, None)

    def down(self) -> Down:
        assert self.reason is not None
        return Down(self.process.id, self.process.agent_name, self.number, self.reason, trio.current_time())


@disable_ki_protection
async def _call(body: Any, process: Process) -> object:
    # A frame of its own: Ctrl-C may strike in the body, but never in the bookkeeping around it.
    return await body(process)

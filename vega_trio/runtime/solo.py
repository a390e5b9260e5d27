"""The keeper of a spawned process: its own policy, a one_for_one supervisor of one child without a task.

Nothing here waits, so every step is synchronous: an exit decides, a timer starts again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import trio

from vega_trio._core.backoff import restart_delay
from vega_trio._core.supervision import RESTART_TYPE, Attempts, Intensity, wants_restart
from vega_trio.agent import ShutdownTime, Strategy, Supervision
from vega_trio.errors import Escalated
from vega_trio.events import EscalatedUp, GaveUp
from vega_trio.exits import Crashed, ExitReason, Shutdown, told
from vega_trio.runtime import hooks
from vega_trio.runtime.birth import launch
from vega_trio.runtime.deaths import finish
from vega_trio.runtime.keeper import FINAL, ORDERED, Restarting, Verdict
from vega_trio.runtime.reasons import exited
from vega_trio.runtime.signals import signal

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.kernel import Kernel
    from vega_trio.runtime.process import Process
    from vega_trio.runtime.timers import Timer


@attrs.define(eq=False)
class Solo:
    """`owner` is the incarnation that spawned it and with which it ends; None: the orchestrator."""

    process: Process
    policy: Supervision | None
    shutdown: ShutdownTime
    owner: Incarnation | None
    stopping: bool = False
    _ordered: bool = False
    _intensity: Intensity | None = None
    _attempts: Attempts | None = None
    _retry: Timer | None = None

    def expire(self, reason: ExitReason) -> None:
        self.stopping = True
        if self.process.live is not None:
            self.process.live.expire(reason, self.shutdown)
        else:
            self._give_it_up(reason)

    # -- at an exit

    def started(self, incarnation: Incarnation) -> None:
        """Nothing depends on it."""

    def decide(self, incarnation: Incarnation) -> Verdict:
        verdict = self._verdict(incarnation)
        if verdict.final:
            self._settle()
        return verdict

    def _verdict(self, incarnation: Incarnation) -> Verdict:
        reason, policy = incarnation.reason, self.policy
        assert reason is not None
        if self.stopping or policy is None or incarnation.ignored or incarnation.fatal:
            return FINAL
        if self._ordered:
            self._ordered = False
            return Verdict(False, Restarting(self.used, policy.max_restarts, 0.0), self._start_again)
        if not incarnation.started:
            # The first start failed for who spawned it; a restart that fails is tried again.
            return self._restart(policy, incarnation) if self.process.restarts else FINAL
        if not wants_restart(RESTART_TYPE[policy.strategy], reason) and not reason.abnormal:
            return FINAL
        match self._strategy(policy, reason):
            case Strategy.STOP:
                return FINAL
            case Strategy.ESCALATE:
                return Verdict(final=True, then=lambda: self._escalate(incarnation, reason))
            case _:
                return self._restart(policy, incarnation)

    def _strategy(self, policy: Supervision, reason: ExitReason) -> Strategy:
        answer = hooks.ask(self.process, policy.on_failure, RESTART_TYPE[policy.strategy], reason)
        return policy.strategy if answer is None else answer

    def _restart(self, policy: Supervision, incarnation: Incarnation) -> Verdict:
        now = trio.current_time()
        intensity = self._limit(policy)
        if self._attempts is None:
            self._attempts = Attempts(policy.window)
        up_for = now - incarnation.up_since if incarnation.started else None
        attempt = self._attempts.next(up_for)
        reason = incarnation.reason
        assert reason is not None
        admitted = intensity.admit(now)
        wall = self.process.kernel.wall_clock()
        self.process.restart_log = tuple(wall + at - now for at in intensity.log)
        if not admitted:
            return Verdict(final=True, then=lambda: self._gave_up(policy, reason))
        rand, unlimited = self.process.kernel.rand(), policy.max_restarts is None
        wait = restart_delay(policy.backoff, attempt, rand, failed_start=up_for is None, unlimited=unlimited)
        number = intensity.used or attempt
        return Verdict(
            final=False,
            restart=Restarting(number, policy.max_restarts, wait),
            then=lambda: self._start_later(policy, attempt, wait),
        )

    def _limit(self, policy: Supervision) -> Intensity:
        """Also counts the restarts of an earlier program, which are known by the wall clock."""
        if self._intensity is None:
            kernel = self.process.kernel
            earlier = [trio.current_time() + at - kernel.wall_clock() for at in self.process.restart_log]
            self._intensity = Intensity(policy.max_restarts, policy.window, earlier)
        return self._intensity

    def _start_later(self, policy: Supervision, attempt: int, wait: float) -> None:
        hooks.call(self.process, "on_restart", policy.on_restart, attempt)
        if self.process.final is None:
            self._retry = self.process.kernel.timers.after(wait, self._start_again) if wait > 0 else None
            if self._retry is None:
                self._start_again()

    def _start_again(self) -> None:
        self._retry = None
        self.process.restarts += 1
        launch(self.process)

    def _gave_up(self, policy: Supervision, reason: ExitReason) -> None:
        process = self.process
        process.emit(GaveUp(supervisor_id=process.id, child_id=process.id, restarts=policy.max_restarts or 0))
        hooks.call(process, "on_give_up", policy.on_give_up, reason)

    def _escalate(self, incarnation: Incarnation, reason: ExitReason) -> None:
        process = self.process
        cause = reason.error if isinstance(reason, Crashed) else exited(process.id, reason)
        error = Escalated(process.id, cause)
        process.emit(EscalatedUp(supervisor_id=process.id, child_id=process.id, error=told(cause)))
        hand_up(process.kernel, error, self.owner, incarnation)

    # -- a restart that was asked for

    def has_room(self, now: float) -> bool:
        """Whether one more restart would be within its policy."""
        assert self.policy is not None
        return self._intensity.has_room(now) if self._intensity is not None else self.policy.max_restarts != 0

    @property
    def used(self) -> int:
        return self._limit(self.policy).used if self.policy is not None else 0

    @property
    def next_at(self) -> float | None:
        return self._retry.at if self._retry is not None else None

    def order_restart(self) -> bool:
        if self.policy is None or self.stopping or self.process.final is not None:
            return False
        if self.process.live is not None:
            self._ordered = True
            self.process.live.ask_to_leave(Shutdown(ORDERED), self.shutdown, self.owner)
        elif self._retry is not None:
            self._retry.cancel()
            self._start_again()
        return True

    # -- ending it

    def dismiss(self) -> None:
        self.stopping = True
        if self.process.live is not None:
            self.process.live.ask_to_leave(Shutdown(), self.shutdown, self.owner)
        else:
            self._give_it_up(None)

    async def stop(self) -> None:
        if not self.stopping:
            self.dismiss()
        await self.process.wait()

    async def kill(self) -> None:
        self.stopping = True
        if self.process.live is not None:
            self.process.kill()
        else:
            self._give_it_up(None)
        await self.process.wait()

    def _give_it_up(self, reason: ExitReason | None) -> None:
        """It is between two incarnations, and there will be no next one."""
        self._settle()
        finish(self.process, reason)

    def _settle(self) -> None:
        if self._retry is not None:
            self._retry.cancel()


def hand_up(kernel: Kernel, error: Escalated, owner: Incarnation | None, sender: Incarnation) -> None:
    """An escalated failure reaches the owner: a process gets it as a signal, the orchestrator raises it."""
    if owner is None:
        kernel.fail(error)
    else:
        signal(owner, Crashed(error), sender, linked=False)

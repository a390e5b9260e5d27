"""A supervisor's place for one child: the child's keeper, over all its processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs
import trio

from vega_trio._core.supervision import RESTART_TYPE
from vega_trio._core.tree import Phase, Seat
from vega_trio.agent import ChildSpec, Restart, ShutdownTime, Strategy, Supervision, SupervisorSpec
from vega_trio.errors import NoProcessError
from vega_trio.exits import ExitReason, Shutdown
from vega_trio.runtime import hooks
from vega_trio.runtime.deaths import finish
from vega_trio.runtime.keeper import Verdict

if TYPE_CHECKING:
    from vega_trio.runtime.crew import Crew
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.process import Process

ChildState = Literal["running", "restarting", "stopped"]
ROOT = "root"
"""The orchestrator, as the supervisor of those that nobody else supervises."""


@attrs.frozen
class ChildInfo:
    """A child as `which_children` lists it. `process` is None when it is stopped."""

    id: str
    process: Process | None
    state: ChildState
    kind: Literal["worker", "supervisor"]
    restart: Restart
    restarts: int


@attrs.frozen(eq=False)
class Spawner:
    """Who spawned a process that a supervisor keeps: `owner` None is the orchestrator.

    `on_launch` is called in the step of the first launch.
    """

    owner: Incarnation | None
    on_launch: Callable[[Process], None]


@attrs.define(eq=False)
class Place:
    """`fields` are what a process of this child is made with, besides its body and name.

    `policy` is the process's own, with its hooks; it is the supervisor's to carry out, but for that of an agent
    that a spec names (`has_inner_policy`): that one decides first, and what it does not restart is the supervisor's.
    `spawner`, if any, is the owner instead of the supervisor.
    """

    crew: Crew
    spec: ChildSpec
    fields: Mapping[str, Any] = attrs.field(factory=dict)
    policy: Supervision | None = None
    has_inner_policy: bool = False
    spawner: Spawner | None = None
    process: Process | None = attrs.field(default=None, init=False)
    restarts: int = attrs.field(default=0, init=False)

    @property
    def id(self) -> str:
        return self.spec.id

    @property
    def seat(self) -> Seat:
        return self.crew.tree.seats[self.spec.id]

    @property
    def owner(self) -> Incarnation | None:
        return self.crew.incarnation if self.spawner is None else self.spawner.owner

    @property
    def is_supervisor(self) -> bool:
        return isinstance(self.spec.body, SupervisorSpec)

    @property
    def shutdown(self) -> ShutdownTime:
        if self.spec.shutdown is not None:
            return self.spec.shutdown
        return float("inf") if self.is_supervisor else 5.0

    def info(self) -> ChildInfo:
        phase = self.seat.phase
        state: ChildState = "running"
        if phase is Phase.WAITING or (phase is Phase.STARTING and self.seat.plan is not None):
            state = "restarting"
        elif phase in (Phase.NEW, Phase.STOPPED):
            state = "stopped"
        return ChildInfo(
            id=self.id,
            process=self.process if state != "stopped" and self.process is not None and self.process.alive else None,
            state=state,
            kind="supervisor" if self.is_supervisor else "worker",
            restart=self.spec.restart,
            restarts=self.restarts,
        )

    # -- as the keeper of its process

    def started(self, incarnation: Incarnation) -> None:
        self.crew.tree.started(self.id, trio.current_time())

    def decide(self, incarnation: Incarnation) -> Verdict:
        return self.crew.decide(self, incarnation)

    def answer(self, reason: ExitReason) -> Strategy | None:
        """What the spec's `on_failure` says to this exit; None: as the restart type says."""
        hook = self.spec.on_failure
        if hook is None or isinstance(hook, Strategy):
            return hook
        return hooks.ask(self.crew.process, hook, self.spec.restart, reason, name=f"on_failure of {self.id!r}")

    def policy_says(self, reason: ExitReason) -> Strategy:
        """What the process's own policy does about this exit, before the supervisor hears of it."""
        assert self.policy is not None
        assert self.process is not None
        own = self.policy.strategy
        return hooks.ask(self.process, self.policy.on_failure, RESTART_TYPE[own], reason) or own

    def tell_hook(self, name: Literal["on_restart", "on_give_up"], argument: object) -> None:
        if self.policy is not None and self.process is not None:
            hooks.call(self.process, name, getattr(self.policy, name), argument)

    def dismiss(self) -> None:
        """It leaves for good, in order."""
        if self._is_current():
            self.crew.tree.terminate(self.id)
            if self.process is not None and self.process.live is not None:
                self.process.live.ask_to_leave(Shutdown(), self.shutdown, self.owner)
            else:
                self.settle()

    def expire(self, reason: ExitReason) -> None:
        if self._is_current():
            self.crew.tree.terminate(self.id)
            if self.process is not None and self.process.live is not None:
                self.process.live.expire(reason, self.shutdown)
            else:
                self.settle(reason)

    @property
    def used(self) -> int:
        own = self.seat.own
        return own.intensity.used if own is not None else self.crew.tree.intensity.used

    @property
    def next_at(self) -> float | None:
        plan = self.seat.plan if self._is_current() else None
        return plan.starts_at if plan is not None and not plan.begun else None

    def order_restart(self) -> bool:
        ready = self._is_current() and self.seat.kept and not self.crew.tree.ending
        if ready:
            self.crew.order_restart(self)
        return ready

    async def stop(self) -> None:
        process = self.process
        try:
            await self.crew.supervisor.terminate_child(self.id)
        except NoProcessError:  # the supervisor is ending, and this one with it
            if process is not None:
                await process.wait()

    async def kill(self) -> None:
        process = self.process
        if self._is_current():
            self.crew.tree.terminate(self.id)
            if process is not None and process.live is not None:
                process.kill()
            else:
                self.settle()
        if process is not None:
            await process.wait()

    def _is_current(self) -> bool:
        return self.crew.places.get(self.id) is self

    def settle(self, reason: ExitReason | None = None) -> None:
        """It is down, and stays so: its last exit was final."""
        self.crew.tree.down(self.id)
        self.crew.forget_unless_kept(self)
        if self.process is not None:
            finish(self.process, reason)


def supervisor_of(process: Process) -> str | None:
    """The id of the living process's supervisor; None: the process that spawned it answers for it."""
    match process.keeper:
        case Place() as place:
            return place.crew.process.id
        case _:
            return ROOT if process.keeper.owner is None else None

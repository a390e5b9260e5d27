"""Supervisors that no supervisor supervises: how they are started, and who answers for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import trio

from vega_trio.agent import ShutdownTime, SupervisorSpec
from vega_trio.errors import Escalated, FailedToStart, SupervisorGaveUp
from vega_trio.exits import Crashed, ExitReason, Shutdown
from vega_trio.runtime.birth import launch
from vega_trio.runtime.keeper import FINAL, Verdict
from vega_trio.runtime.solo import hand_up
from vega_trio.runtime.supervisor import Supervisor, new_supervisor

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.kernel import Kernel
    from vega_trio.runtime.process import Process


@attrs.define(eq=False)
class Top:
    """The keeper of a supervisor that no supervisor supervises.

    `fatal`: its failure ends the orchestrator. `escalates`: what was escalated to it goes on to its owner.
    """

    process: Process
    fatal: bool
    escalates: bool = False
    owner: Incarnation | None = None
    shutdown: ShutdownTime = float("inf")

    def started(self, incarnation: Incarnation) -> None:
        """Nothing depends on it."""

    def decide(self, incarnation: Incarnation) -> Verdict:
        kernel = self.process.kernel
        match incarnation.reason:
            case Crashed(error=Escalated() as escalated) if self.escalates:
                return Verdict(final=True, then=lambda: hand_up(kernel, escalated, self.owner, incarnation))
            case Shutdown(detail=SupervisorGaveUp() as error) | Crashed(error=error) if self.fatal:
                return Verdict(final=True, then=lambda: kernel.fail(error))
        return FINAL

    @property
    def used(self) -> int:
        return 0

    @property
    def next_at(self) -> float | None:
        return None

    def order_restart(self) -> bool:
        return False

    def dismiss(self) -> None:
        if self.process.live is not None:
            self.process.live.ask_to_leave(Shutdown(), self.shutdown, self.owner)

    def expire(self, reason: ExitReason) -> None:
        if self.process.live is not None:
            self.process.live.ask_to_leave(reason, self.shutdown, self.owner)

    async def stop(self) -> None:
        self.dismiss()
        await self.process.wait()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


async def supervise(
    kernel: Kernel, spec: SupervisorSpec, *, name: str | None, fatal: bool, owner: Incarnation | None = None
) -> Supervisor:
    """Starts a supervisor that no supervisor supervises; returns when all its children have started."""
    if not isinstance(spec, SupervisorSpec):
        raise TypeError(f"supervise takes a SupervisorSpec, not {spec!r}")
    await trio.lowlevel.checkpoint_if_cancelled()
    if owner is None:
        kernel.refuse_if_closing()
    supervisor, incarnation = launch_supervisor(kernel, spec, fatal=fatal, owner=owner, name=name)
    try:
        if await incarnation.wait_started():
            return supervisor
    except trio.Cancelled:
        with trio.CancelScope(shield=True):
            await supervisor.process.keeper.stop()
        raise
    match incarnation.reason:
        case Shutdown(detail=FailedToStart() as failure):
            raise failure
        case reason:
            raise FailedToStart(supervisor.id, reason or Shutdown())


def launch_supervisor(
    kernel: Kernel,
    spec: SupervisorSpec,
    *,
    fatal: bool,
    owner: Incarnation | None,
    name: str | None = None,
    escalates: bool = False,
    transitory: bool = False,
) -> tuple[Supervisor, Incarnation]:
    """Raises: NameTaken."""
    supervisor = new_supervisor(kernel, spec, kernel.nursery, transitory=transitory, name=name)
    process = supervisor.process
    process.keeper = Top(process, fatal, escalates, owner)
    kernel.registry.add(process)
    if owner is not None:
        owner.own(process)
    return supervisor, launch(process)

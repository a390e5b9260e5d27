"""Supervisors: what their users hold of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import trio
from trio.lowlevel import enable_ki_protection

from vega_trio._core.tree import Tree
from vega_trio.agent import ChildSpec, SupervisorSpec
from vega_trio.errors import (
    ChildAlreadyPresent,
    ChildAlreadyStarted,
    ChildNotFound,
    ChildRestarting,
    ChildRunning,
    MaxChildren,
    NoProcessError,
    ProcessExit,
    WouldDeadlock,
    did_you_mean,
)
from vega_trio.exits import ExitReason, Shutdown, as_reason
from vega_trio.runtime import administration
from vega_trio.runtime.birth import new_process
from vega_trio.runtime.crew import Crew
from vega_trio.runtime.incarnation import running
from vega_trio.runtime.place import ChildInfo as ChildInfo
from vega_trio.runtime.place import Place

if TYPE_CHECKING:
    from vega_trio.runtime.kernel import Kernel
    from vega_trio.runtime.process import Process


@attrs.frozen
class ChildCount:
    """`specs` of children; `active` are those with a living process; `workers` and `supervisors` count specs."""

    specs: int
    active: int
    workers: int
    supervisors: int


@attrs.define(eq=False)
class Supervisor:
    """A supervisor over all its incarnations. Its children are started anew with each.

    A `transitory` one, the kernel's own, forgets children that are down and ends with the last.
    """

    spec: SupervisorSpec
    transitory: bool = attrs.field(default=False, repr=False)
    process: Process = attrs.field(init=False)
    _crew: Crew | None = attrs.field(default=None, init=False, repr=False)
    _ordered: ExitReason | None = attrs.field(default=None, init=False, repr=False)
    """The order to stop that came before the first step of its task."""

    @property
    def id(self) -> str:
        return self.process.id

    # -- snapshots

    def which_children(self) -> list[ChildInfo]:
        """In start order. Raises: NoProcessError."""
        return [place.info() for place in self._working().places.values()]

    def count_children(self) -> ChildCount:
        """Raises: NoProcessError."""
        places = self._working().places.values()
        supervisors = sum(place.is_supervisor for place in places)
        active = sum(place.process is not None and place.process.live is not None for place in places)
        return ChildCount(len(places), active, len(places) - supervisors, supervisors)

    def get_child(self, child_id: str) -> ChildInfo:
        """Raises: ChildNotFound, NoProcessError."""
        return self._place(child_id).info()

    @property
    def restarts_used(self) -> int:
        """Restarts that counted when the last one happened."""
        return self._crew.tree.intensity.used if self._crew is not None else 0

    @property
    def places(self) -> list[Place]:
        """The kernel's: its children's places, in start order; none between two incarnations."""
        return list(self._crew.places.values()) if self._crew is not None else []

    def _working(self) -> Crew:
        if self._crew is None:
            raise NoProcessError(f"supervisor {self.process.id} is not running")
        return self._crew

    def _place(self, child_id: str) -> Place:
        places = self._working().places
        if child_id not in places:
            raise ChildNotFound(
                f"supervisor {self.process.id} has no child {child_id!r}{did_you_mean(child_id, places)}"
            )
        return places[child_id]

    # -- calls, served one after the other

    async def start_child(self, spec: ChildSpec) -> Process | None:
        """Adds a child, last in the order, and starts it. None when its body raised Ignore.

        Raises: FailedToStart (no spec is left), ChildAlreadyStarted, ChildAlreadyPresent, ChildRestarting,
            MaxChildren, NoProcessError, OrchestratorClosed, WouldDeadlock, ValueError.
        """
        if not isinstance(spec, ChildSpec):
            raise TypeError(f"start_child takes a ChildSpec, not {spec!r}")
        self.process.kernel.refuse_if_closing()
        if spec.significant and self.spec.auto_shutdown == "never":
            raise ValueError(f"auto_shutdown must not be 'never' with the significant child {spec.id!r}")
        return await self.place(lambda crew: Place(crew, spec))

    async def place(self, make: Callable[[Crew], Place]) -> Process | None:
        """The kernel's `start_child`."""
        crew = self._callable()
        place = make(crew)

        async def operation() -> Process | None:
            self._refuse_present(place.id)
            self._refuse_full()
            return await administration.start_child(crew, place)

        process: Process | None = await crew.call(operation)
        return process

    def _refuse_present(self, child_id: str) -> None:
        if child_id not in self._working().places:
            return
        match self._place(child_id).info().state:
            case "running":
                raise ChildAlreadyStarted(f"the child {child_id!r} is running already")
            case "restarting":
                raise ChildRestarting(f"the child {child_id!r} waits for its restart")
            case "stopped":
                raise ChildAlreadyPresent(f"the child {child_id!r} is stopped; restart_child or delete_child it")

    def _refuse_full(self) -> None:
        most = self.spec.max_children
        if most is not None and len(self._working().places) >= most:
            raise MaxChildren(f"supervisor {self.process.id} has {most} children, as many as max_children allows")

    async def restart_child(self, child_id: str) -> Process | None:
        """Starts a stopped child, as a new process. None when its body raised Ignore.

        Raises: FailedToStart, ChildNotFound, ChildRunning, ChildRestarting, NoProcessError, OrchestratorClosed,
            WouldDeadlock.
        """
        self.process.kernel.refuse_if_closing()
        crew = self._callable()

        async def operation() -> Process | None:
            return await administration.restart_child(crew, self._stopped(child_id))

        process: Process | None = await crew.call(operation)
        return process

    async def terminate_child(self, child_id: str) -> None:
        """Stops a child, or cancels its restart. Its spec stays, a temporary one's goes. Not counted.

        Raises: ChildNotFound, NoProcessError, WouldDeadlock.
        """
        crew = self._callable()
        await crew.call(lambda: administration.terminate_child(self._place(child_id)))

    async def delete_child(self, child_id: str) -> None:
        """Forgets a stopped child.

        Raises: ChildNotFound, ChildRunning, ChildRestarting, NoProcessError, WouldDeadlock.
        """
        crew = self._callable()

        async def operation() -> None:
            administration.delete_child(crew, self._stopped(child_id))

        await crew.call(operation)

    def _stopped(self, child_id: str) -> Place:
        place = self._place(child_id)
        match place.info().state:
            case "running":
                raise ChildRunning(f"the child {child_id!r} is running; terminate_child it first")
            case "restarting":
                raise ChildRestarting(f"the child {child_id!r} waits for its restart; terminate_child it first")
            case "stopped":
                return place

    def _callable(self) -> Crew:
        crew = self._working()
        if crew.reason is not None:
            raise NoProcessError(f"supervisor {self.process.id} is stopping")
        self._refuse_deadlock(crew)
        return crew

    def _refuse_deadlock(self, crew: Crew) -> None:
        """A loop that waits for a start serves no call; one that depends on the caller's start never would."""
        caller = running()
        while caller is not None and not caller.started and caller.process.must_say_ready:
            keeper = caller.process.keeper
            if not isinstance(keeper, Place):
                return
            if keeper.crew is crew:
                raise WouldDeadlock(
                    f"supervisor {self.process.id} is starting process {caller.process.id}, on which this call depends;"
                    " call after ready()"
                )
            caller = keeper.crew.incarnation

    async def stop(self, reason: ExitReason | None = None) -> None:
        """Stops the children in reverse order and ends with `reason`, Shutdown unless told.

        Raises: TypeError when `reason` is none.
        """
        incarnation = self.process.live
        self.begin_stop(Shutdown() if reason is None else as_reason(reason))
        if incarnation is not None:
            await incarnation.gone().wait()
        else:
            await trio.lowlevel.checkpoint()

    def begin_stop(self, reason: ExitReason) -> None:
        if self._crew is not None:
            self._crew.order_stop(reason)
        elif self.process.live is not None:
            self._ordered = reason

    def kill_children(self) -> None:
        if self._crew is not None:
            self._crew.kill_all()

    # -- its process

    @enable_ki_protection
    async def run(self, process: Process) -> None:
        """The body of the supervisor's process."""
        assert process.live is not None
        crew = Crew(self, process, process.live, Tree.of(self.spec))
        self._crew = crew
        if self._ordered is not None:
            crew.order_stop(self._ordered)
            self._ordered = None
        try:
            async with trio.open_nursery() as crew.nursery:
                try:
                    reason = await crew.run(self.spec)
                finally:
                    crew.kill_all()  # whoever is left: a kill has struck here, and the nursery waits for all
        finally:
            crew.close()
            self._crew = None
        raise ProcessExit(reason)

    def nested(self, spec: SupervisorSpec, nursery: trio.Nursery, fields: Mapping[str, Any]) -> Process:
        """The process of a supervisor that is a child of this one."""
        return new_supervisor(self.process.kernel, spec, nursery, **fields).process


def new_supervisor(
    kernel: Kernel, spec: SupervisorSpec, nursery: trio.Nursery, *, transitory: bool = False, **fields: Any
) -> Supervisor:
    """A supervisor that has no task yet. Raises: as `new_process`."""
    supervisor = Supervisor(spec, transitory)
    process = new_process(kernel, supervisor.run, nursery=nursery, counted=False, **fields)
    process.supervisor = supervisor
    supervisor.process = process
    return supervisor

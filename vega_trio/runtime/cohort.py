"""Processes that restart together: the policy `restart_all`, shared by those with the same parent and policy.

It is a one_for_all supervisor that comes with the first of them and goes with the last.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import trio

from vega_trio.agent import Body, ChildSpec, Restart, ShutdownTime, Supervision, SupervisorSpec, SupervisorStrategy
from vega_trio.errors import FailedToStart, NoProcessError
from vega_trio.exits import Crashed
from vega_trio.runtime.place import Place, Spawner
from vega_trio.runtime.supervisor import Supervisor
from vega_trio.runtime.top import launch_supervisor

if TYPE_CHECKING:
    from vega_trio.runtime.crew import Crew
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.kernel import Kernel
    from vega_trio.runtime.process import Process

CohortKey = tuple[str | None, "Incarnation | None", Supervision]


@attrs.frozen(eq=False)
class Cohort:
    """`started` is set once its supervisor takes children."""

    supervisor: Supervisor
    started: trio.Event = attrs.field(factory=trio.Event)


async def spawn_in_cohort(
    kernel: Kernel,
    body: Body,
    policy: Supervision,
    *,
    owner: Incarnation | None,
    process_id: str,
    name: str | None,
    start_timeout: float | None,
    shutdown: ShutdownTime,
    on_launch: Callable[[Process], None],
    **fields: Any,
) -> Process | None:
    """Starts a process in its cohort, last in the order."""
    parent = fields.get("parent")
    key = (parent.id if parent is not None else None, owner, policy)
    spec = ChildSpec(
        process_id,
        body,
        restart=Restart.TRANSIENT,
        shutdown=shutdown,
        start_timeout=start_timeout,
        on_failure=policy.on_failure,
        name=name,
    )
    given = {"id": process_id, "context": contextvars.copy_context(), **fields}
    spawner = Spawner(owner, on_launch)
    made: list[Place] = []

    def make(crew: Crew) -> Place:
        made.append(Place(crew, spec, given, policy, spawner=spawner))
        return made[-1]

    while True:
        if owner is not None and not owner.alive:
            raise NoProcessError(f"process {owner.process.id} has ended and can spawn nothing")
        supervisor = await _supervisor_of(kernel, key)
        try:
            return await supervisor.place(make)
        except FailedToStart as failure:
            if made[-1].process is None and isinstance(failure.reason, Crashed):
                raise failure.reason.error from None  # it could not be made: no failure of its body
            raise
        except trio.Cancelled:
            await _take_back(kernel, process_id)
            raise
        except NoProcessError:
            # The last of them has just gone, or they gave up: once their supervisor has ended, found it anew.
            await supervisor.process.wait()


async def _take_back(kernel: Kernel, process_id: str) -> None:
    """The spawn was cancelled while the process was starting: nobody would hold it."""
    process = kernel.registry.find(process_id)
    if process is not None:
        with trio.CancelScope(shield=True):
            process.keeper.dismiss()
            await process.wait()


async def _supervisor_of(kernel: Kernel, key: CohortKey) -> Supervisor:
    cohort = kernel.cohorts.get(key)
    if cohort is not None:
        await cohort.started.wait()
        return cohort.supervisor
    _, owner, policy = key
    spec = SupervisorSpec(
        SupervisorStrategy.ONE_FOR_ALL,
        max_restarts=policy.max_restarts,
        window=policy.window,
        backoff=policy.backoff,
        revive=False,
    )
    supervisor, incarnation = launch_supervisor(kernel, spec, fatal=False, owner=owner, escalates=True, transitory=True)
    cohort = kernel.cohorts[key] = Cohort(supervisor)
    supervisor.process.on_end(lambda reason: _dissolve(kernel, key, cohort))
    with trio.CancelScope(shield=True):  # one step of its task; others wait for it too
        started = await incarnation.wait_started()
    cohort.started.set()
    if not started:
        raise FailedToStart(supervisor.id, incarnation.reason) if incarnation.reason else NoProcessError(supervisor.id)
    return supervisor


def _dissolve(kernel: Kernel, key: CohortKey, cohort: Cohort) -> None:
    if kernel.cohorts.get(key) is cohort:
        del kernel.cohorts[key]

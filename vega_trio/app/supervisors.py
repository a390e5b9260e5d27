"""Who answers for whom: the tree of supervisors, with the orchestrator itself at its root."""

from __future__ import annotations

import time

import attrs
import trio

from vega_trio._core.supervision import RESTART_TYPE
from vega_trio.errors import NoProcessError
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.place import ROOT, Place
from vega_trio.runtime.process import Process
from vega_trio.runtime.solo import Solo
from vega_trio.runtime.supervisor import Supervisor


@attrs.frozen(kw_only=True)
class Policy:
    """How often a process may be restarted: `used` of `most` (None: unlimited) within `window_s` seconds.

    `next_at` is when the restart that it waits for comes, in Unix seconds.
    """

    used: int
    most: int | None
    window_s: float
    next_at: float | None = None


@attrs.frozen(kw_only=True)
class Child:
    """What a supervisor answers for. `policy` is the process's own, `supervisor` what it is itself."""

    id: str
    restart: str
    status: str
    process_id: str | None = None
    policy: Policy | None = None
    supervisor: SupervisorNode | None = None


@attrs.frozen(kw_only=True)
class SupervisorNode:
    """A living supervisor and its children, in their order."""

    id: str
    strategy: str
    policy: Policy
    children: tuple[Child, ...]


def supervisor_tree(orch: Orchestrator) -> SupervisorNode:
    """The living supervisors. Under the root stand those that nobody supervises, and processes spawned alone."""
    tops = [_as_child(each) for each in orch.supervisors()]
    supervised = _supervised(tops)
    alone = [_alone(each) for each in orch.processes() if each.id not in supervised]
    unlimited = Policy(used=0, most=None, window_s=0.0)
    return SupervisorNode(id=ROOT, strategy="one_for_one", policy=unlimited, children=(*tops, *alone))


def policy_of(process: Process) -> Policy | None:
    """What bounds the restarts of a process: its own policy, else its supervisor's. None: it is never restarted."""
    match process.keeper:
        case Solo(policy=policy) as keeper if policy is not None:
            used = keeper.used if policy.max_restarts is not None else process.restarts
            return Policy(used=used, most=policy.max_restarts, window_s=policy.window, next_at=_wall(keeper.next_at))
        case Place() as place:
            own = place.seat.own
            limit = (place.crew.tree if own is None else own).intensity
            used = place.used if limit.max_restarts is not None else place.restarts
            return Policy(used=used, most=limit.max_restarts, window_s=limit.window, next_at=_wall(place.next_at))
        case _:
            return None


def _wall(monotonic: float | None) -> float | None:
    return None if monotonic is None else time.time() + monotonic - trio.current_time()


def _as_child(supervisor: Supervisor) -> Child:
    """A supervisor that nobody supervises is started once."""
    process = supervisor.process
    return Child(
        id=process.name or process.id,
        restart="temporary",
        status=process.status,
        process_id=process.id,
        supervisor=_node(supervisor),
    )


def _node(supervisor: Supervisor) -> SupervisorNode:
    spec = supervisor.spec
    try:
        children = supervisor.which_children()
    except NoProcessError:  # it is between two incarnations
        children = []
    return SupervisorNode(
        id=supervisor.id,
        strategy=spec.strategy.value,
        policy=Policy(used=supervisor.restarts_used, most=spec.max_restarts, window_s=spec.window),
        children=tuple(
            Child(
                id=child.id,
                restart=child.restart.value,
                status=child.state,
                process_id=child.process.id if child.process is not None else None,
                supervisor=_node(inner) if child.process is not None and (inner := child.process.supervisor) else None,
            )
            for child in children
        ),
    )


def _alone(process: Process) -> Child:
    supervision = process.agent.supervision if process.agent is not None else None
    return Child(
        id=process.label,
        restart=RESTART_TYPE[supervision.strategy].value if supervision is not None else "temporary",
        status=process.status,
        process_id=process.id,
        policy=policy_of(process),
    )


def _supervised(children: list[Child]) -> set[str]:
    found = {child.process_id for child in children if child.process_id is not None}
    for child in children:
        if child.supervisor is not None:
            found |= _supervised(list(child.supervisor.children))
    return found

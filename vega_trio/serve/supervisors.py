"""The supervision tree."""

from __future__ import annotations

from collections.abc import Callable

from quart import Request, Response

from vega_trio.app.supervisors import Child, SupervisorNode
from vega_trio.serve.desk import Desk, Route, exchange_of, json_answer
from vega_trio.serve.models.supervisors import SupervisorChild, SupervisorEntry


async def tree(desk: Desk, request: Request) -> Response:
    """The orchestrator, and under it every supervisor with its children. A child that is one has its own fields."""
    identity = exchange_of(request).identity
    owners = None if identity.sees_all() else await desk.app.owners()

    def shows(child: Child) -> bool:
        return owners is None or child.process_id is None or owners.of(child.process_id) == identity.user

    return json_answer(desk, [_supervisor(desk.app.supervisors(), shows)])


def _supervisor(node: SupervisorNode, shows: Callable[[Child], bool]) -> SupervisorEntry:
    return SupervisorEntry(
        id=node.id,
        strategy=node.strategy,
        restarts_used=node.policy.used,
        max_restarts=node.policy.most,
        window_s=node.policy.window_s,
        children=tuple(_child(child, shows) for child in node.children if shows(child)),
    )


def _child(child: Child, shows: Callable[[Child], bool]) -> SupervisorChild:
    policy = child.policy
    return SupervisorChild(
        id=child.id,
        restart=child.restart,
        status=child.status,
        process_id=child.process_id,
        restarts_used=None if policy is None else policy.used,
        max_restarts=None if policy is None else policy.most,
        window_s=None if policy is None else policy.window_s,
        supervisor=None if child.supervisor is None else _supervisor(child.supervisor, shows),
    )


ROUTES = (Route("GET", "/api/supervisors", tree, answer=list[SupervisorEntry]),)

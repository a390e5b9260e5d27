"""The supervision tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quart import Request, Response

from vega_trio.app.supervisors import Child, SupervisorNode
from vega_trio.serve.desk import Desk, Route, exchange_of, plain_answer
from vega_trio.serve.models.supervisors import SupervisorEntry


async def tree(desk: Desk, request: Request) -> Response:
    """The orchestrator, and under it every supervisor with its children. A child that is one has its own fields."""
    identity = exchange_of(request).identity
    owners = None if identity.sees_all() else await desk.app.owners()

    def shows(child: Child) -> bool:
        return owners is None or child.process_id is None or owners.of(child.process_id) == identity.user

    return plain_answer([_supervisor(desk.app.supervisors(), shows)])


def _supervisor(node: SupervisorNode, shows: Callable[[Child], bool]) -> dict[str, Any]:
    return {
        "id": node.id,
        "strategy": node.strategy,
        "restarts_used": node.policy.used,
        "max_restarts": node.policy.most,
        "window_s": node.policy.window_s,
        "children": [_child(child, shows) for child in node.children if shows(child)],
    }


def _child(child: Child, shows: Callable[[Child], bool]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": child.id, "restart": child.restart, "status": child.status}
    if child.process_id is not None:
        shown["process_id"] = child.process_id
    if child.policy is not None:
        shown |= {"restarts_used": child.policy.used, "window_s": child.policy.window_s}
        if child.policy.most is not None:
            shown["max_restarts"] = child.policy.most
    if child.supervisor is not None:
        shown["supervisor"] = _supervisor(child.supervisor, shows)
    return shown


ROUTES = (Route("GET", "/api/supervisors", tree, answer=list[SupervisorEntry]),)

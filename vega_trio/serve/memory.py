"""What agents remember of a user."""

from __future__ import annotations

from quart import Request, Response

from vega_trio.app.user_memory import UserMemory
from vega_trio.errors import UnknownAgent
from vega_trio.serve.chat import check_user, session_of
from vega_trio.serve.desk import Desk, Route, exchange_of, json_answer
from vega_trio.serve.models.common import Status
from vega_trio.serve.models.memory import MemoryEntry, MemoryLayer
from vega_trio.serve.problems import bad_value


async def read(desk: Desk, request: Request, name: str) -> Response:
    """What an agent remembers of the caller, or, for an owner, of another user."""
    memory = _memory(desk, request, name)
    layers = tuple(
        MemoryLayer(
            user_id=row["user_id"],
            agent=row["agent"],
            layer=row["layer"],
            content=row["content"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )
        for row in await memory.layers()
    )
    return json_answer(desk, MemoryEntry(user_id=memory.user, agent=memory.agent, layers=layers))


async def delete(desk: Desk, request: Request, name: str) -> Response:
    """Forgets it, and what the agent's tools remembered."""
    await _memory(desk, request, name).clear()
    return json_answer(desk, Status(status="deleted"))


def _memory(desk: Desk, request: Request, name: str) -> UserMemory:
    """The caller's own, or that of the user whom an owner names, as `AGENT:USER` or in the query.

    Raises: UnknownAgent, also for a user who is not the caller's to see; Refused.
    """
    caller = exchange_of(request).identity
    session = session_of(desk.app, caller, name, None)
    user = request.args.get("user") or session.user
    if caller.role != "owner" and user != caller.user:
        raise UnknownAgent(f"agent {name!r} knows no user {user[:100]!r}")
    if session.user not in (caller.user, user):
        raise bad_value("user", "the path names one user and the query another", "name the user once")
    check_user("user", user)
    return desk.app.memories.of(session.agent, user)


ROUTES = (
    Route("GET", "/api/agents/<name>/memory", read, answer=MemoryEntry, query=("user",)),
    Route("DELETE", "/api/agents/<name>/memory", delete, answer=Status, query=("user",)),
)

"""What agents remember of a user."""

from __future__ import annotations

from typing import Any

from quart import Request, Response

from vega_trio.changes import Delete, Together
from vega_trio.errors import UnknownAgent
from vega_trio.serve.desk import Desk, Route, exchange_of, json_answer
from vega_trio.serve.models import MemoryEntry, MemoryLayer, Status

TABLE = "user_memory"


async def read(desk: Desk, request: Request, name: str) -> Response:
    """What an agent remembers of the caller, or, for an owner, of another user."""
    rows = await _rows(desk, request, name)
    user = _user(request, name)
    layers = tuple(
        MemoryLayer(
            user_id=row["user_id"],
            agent=row["agent"],
            layer=row["layer"],
            content=row["content"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )
        for row in rows
    )
    return json_answer(desk, MemoryEntry(user_id=user, agent=name, layers=layers))


async def delete(desk: Desk, request: Request, name: str) -> Response:
    """Forgets it."""
    rows = await _rows(desk, request, name)
    gone = tuple(Delete(TABLE, row["id"]) for row in rows)
    await desk.app.store.submit(Together(gone)).wait()
    return json_answer(desk, Status(status="deleted"))


async def _rows(desk: Desk, request: Request, name: str) -> list[dict[str, Any]]:
    """Raises: UnknownAgent."""
    desk.app.agent(name)
    return await desk.app.store.records.query(TABLE, agent=name, user_id=_user(request, name))


def _user(request: Request, name: str) -> str:
    """Whose memory: the caller's own, or the one named, for an owner. Raises: UnknownAgent, as if there were none."""
    caller = exchange_of(request).identity
    user = request.args.get("user") or caller.user
    if caller.role != "owner" and user != caller.user:
        raise UnknownAgent(f"agent {name!r} knows no user {user[:100]!r}")
    return user


ROUTES = (
    Route("GET", "/api/agents/<name>/memory", read, answer=MemoryEntry, query=("user",)),
    Route("DELETE", "/api/agents/<name>/memory", delete, answer=Status, query=("user",)),
)

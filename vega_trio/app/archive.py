"""Conversations as things to look through: listed, named, put away, exported and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.app.sessions import Sessions
from vega_trio.changes import Delete, MessageRow, Put
from vega_trio.errors import UnknownSession
from vega_trio.events import SessionUpdated
from vega_trio.session import Session


@attrs.frozen(kw_only=True)
class SessionInfo:
    """A conversation as it is listed. Times are RFC 3339. `archived`: messages without a session id pass it by."""

    id: str
    agent: str
    user: str
    title: str
    created_at: str
    updated_at: str
    archived: bool = False

    @property
    def session(self) -> Session:
        return Session(self.agent, self.user, self.id)


@attrs.frozen
class Archive:
    """The stored conversations. Every one belongs to a user, and to nobody else it exists."""

    sessions: Sessions

    async def page(
        self, user: str, limit: int, *, before: str | None = None, agent: str | None = None, query: str = ""
    ) -> list[SessionInfo]:
        """So many of the user's, the one last spoken in first, from the one behind the session `before` on.

        `query` is looked for in the titles, in any case. Raises: UnknownSession for a `before` that is not the user's.
        """
        place = None if before is None else _place(await self._row(user, before))
        wanted = {"user": user, "caller": None} | ({} if agent is None else {"agent": agent})  # not agents' own talk
        found: list[SessionInfo] = []
        while len(found) < limit:
            rows = await self.sessions.store.records.last_by(
                "session", "updated_at", limit=limit, before=place, **wanted
            )
            found += [_info(row) for row in rows if query.casefold() in str(row["title"]).casefold()]
            if len(rows) < limit:
                break
            place = _place(rows[-1])
        return found[:limit]

    async def get(self, user: str, session_id: str) -> SessionInfo:
        """Raises: UnknownSession."""
        return _info(await self._row(user, session_id))

    async def change(
        self, user: str, session_id: str, *, title: str | None = None, archived: bool | None = None
    ) -> SessionInfo:
        """Gives a title, puts away or takes back. Raises: UnknownSession."""
        row = await self._row(user, session_id)
        if title is not None:
            row["title"] = title
        if archived is not None:
            row["archived"] = archived
        info = _info(row)
        commit = self.sessions.orch.bus.emit(_updated(info), Put("session", session_id, row))
        assert commit is not None
        await commit.wait()
        self.sessions.reconsider(info.session)
        return info

    async def delete(self, user: str, session_id: str) -> SessionInfo:
        """Forgets the record of a conversation, whose messages were cleared and whose process has ended.

        Raises: UnknownSession.
        """
        info = await self.get(user, session_id)
        commit = self.sessions.orch.bus.emit(_updated(info), Delete("session", session_id))
        assert commit is not None
        await commit.wait()
        self.sessions.reconsider(info.session)
        return info

    async def messages(self, session_id: str) -> list[MessageRow]:
        """What was said, part by part, oldest first."""
        return await self.sessions.store.messages(session_id)

    async def _row(self, user: str, session_id: str) -> dict[str, Any]:
        row = await self.sessions.store.records.get("session", session_id)
        if row is None or row["user"] != user:
            raise UnknownSession(f"there is no session {session_id[:100]!r}")
        return row


def _place(row: Mapping[str, Any]) -> tuple[str, str]:
    """Where it stands in the order of the list."""
    return row["updated_at"], row["id"]


def _info(row: Mapping[str, Any]) -> SessionInfo:
    return SessionInfo(
        id=row["id"],
        agent=row["agent"],
        user=row["user"],
        title=row["title"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        archived=bool(row.get("archived", False)),
    )


def _updated(info: SessionInfo) -> SessionUpdated:
    return SessionUpdated(agent=info.agent, session_id=info.id)

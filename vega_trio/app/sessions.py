"""Conversations: which process holds which user's talk with which agent.

A session's record is a row of the table `session`; its process has the session's id, is started by the first
message, stopped when idle, and comes back under that id with its history and figures at the next one.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from vega_trio._core.budget import charged_only_to
from vega_trio._core.wire import rfc3339
from vega_trio.agent import Agent
from vega_trio.app.agents import Agents
from vega_trio.app.definitions import Definitions
from vega_trio.app.ids import new_id
from vega_trio.changes import ProcessRow, Promptly, Put, Together
from vega_trio.errors import UnknownProcess, UnknownSession, WouldDeadlock
from vega_trio.events import SessionUpdated
from vega_trio.protocols import Store
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process
from vega_trio.session import Session

TITLE_LENGTH = 80


@attrs.define
class Sessions:
    """The sessions of an application. `_starting` holds those whose process is just being started, so that two
    messages at once start one process; `_recording` the conversations that are just being found, or made where there
    is none.
    """

    agents: Agents
    orch: Orchestrator
    store: Store
    definitions: Definitions = attrs.field(init=False)
    _newest: dict[tuple[str, str], Session] = attrs.field(factory=dict)
    _starting: dict[str, trio.Event] = attrs.field(factory=dict)
    _recording: dict[tuple[str, ...], trio.Event] = attrs.field(factory=dict)
    users: dict[str, str] = attrs.field(factory=dict)
    """Of the sessions that were spoken in since the program started, by id."""

    def __attrs_post_init__(self) -> None:
        self.definitions = Definitions(self.store)

    async def resolve(self, session: Session) -> Session:
        """The session with its id: the one named, else the newest open of (agent, user), else a new one.

        Raises: UnknownAgent; UnknownSession when the id is not one of that agent and user.
        """
        self.agents.get(session.agent)
        if session.id is not None and session == self._newest.get((session.agent, session.user)):
            return session  # resolved before, and perhaps without a message yet
        if session.id is not None:
            row = await self.store.records.get("session", session.id)
            if row is None or (row["agent"], row["user"]) != (session.agent, session.user):
                raise UnknownSession(f"agent {session.agent!r} has no session {session.id!r}")
            return session
        key = (session.agent, session.user)
        if key not in self._newest:
            rows = await self.store.records.query("session", agent=session.agent, user=session.user)
            opened = [row for row in rows if not (row.get("archived") or row.get("caller") or row.get("apart"))]
            newest = max(opened, key=lambda row: str(row["updated_at"]), default=None)
            # Another task may have resolved it during the query; the first answer stands.
            self._newest.setdefault(key, attrs.evolve(session, id=newest["id"] if newest else new_id()))
        return self._newest[key]

    async def start(self, agent: str, user: str, title: str = "") -> Session:
        """A new session, the newest of (agent, user) from now on. Without a title it gets one by its first message.

        Raises: UnknownAgent.
        """
        self.agents.get(agent)
        session = Session(agent, user, new_id())
        await self._save(session, {"title": title, "created_at": rfc3339(time.time())})
        self._newest[(agent, user)] = session
        self.orch.bus.emit(SessionUpdated(agent=agent, session_id=session.id))
        return session

    def reconsider(self, session: Session) -> None:
        """Looks anew which session is the newest of its agent and user: this one was put away, or taken back."""
        self._newest.pop((session.agent, session.user), None)

    async def process(self, session: Session) -> Process:
        """The living process of a resolved session, started if need be."""
        assert session.id is not None
        while True:
            living = self.living(session)
            if living is not None:
                return living
            if session.id not in self._starting:
                break
            await self._starting[session.id].wait()
        started = self._starting[session.id] = trio.Event()
        try:
            row = await self.store.process(session.id)
            agent = await self.agent_of(session.id, session.agent)
            def_hash = await self.definitions.keep(agent)
            if row is None:
                row = ProcessRow(id=session.id, agent=agent.name, incarnation=0, epoch=0, started_at=time.time())
            row = attrs.evolve(row, def_hash=def_hash)
            with charged_only_to():  # it will serve others after who came first
                process = await self.orch.spawn(agent, id=session.id, row=row, spawn_reason="chat")
            process.session = session
            return process
        finally:
            del self._starting[session.id]
            started.set()

    async def agent_of(self, session_id: str, agent: str) -> Agent:
        """The agent's blueprint, with the model and the system prompt that a fork may have of its own.

        Raises: UnknownAgent.
        """
        return self.agent_for(agent, await self.store.records.get("session", session_id))

    def agent_for(self, agent: str, row: Mapping[str, Any] | None) -> Agent:
        """As `agent_of`, for who has the session's record already."""
        blueprint = self.agents.get(agent).agent
        row = row or {}
        own = {key: row[key] for key in ("model", "system") if row.get(key) is not None}
        return attrs.evolve(blueprint, **own) if own else blueprint

    def session_of(self, process: Process) -> Session | None:
        """The conversation for which a process works: its own, else that of who spawned it."""
        each = process
        while each.session is None and each.parent_id is not None:
            try:
                each = self.orch.get(each.parent_id)
            except UnknownProcess:
                return None
        return each.session

    async def between(self, caller: Session, agent: str) -> Session:
        """The conversation in which the agent works for another conversation, of the same user.

        Raises: UnknownAgent; WouldDeadlock when the agent waits for this very work.
        """
        self.agents.get(agent)
        above = await self._callers(caller)
        if any(each.agent == agent for each in above):
            path = " for ".join(each.agent for each in above)
            raise WouldDeadlock(f"agent {agent!r} waits for this very work ({path}) and cannot take a part of it")
        assert caller.id is not None
        async with self._recorded_once(caller.id, agent):  # calls come side by side
            rows = await self.store.records.query("session", agent=agent, user=caller.user, caller=caller.id)
            session = Session(agent, caller.user, str(rows[0]["id"]) if rows else new_id())
            if not rows:
                row = {"title": f"for {caller.agent}", "created_at": rfc3339(time.time()), "caller": caller.id}
                await self._save(session, row)
            return session

    @asynccontextmanager
    async def _recorded_once(self, *key: str) -> AsyncIterator[None]:
        """Lets one at a time find or make the conversation of a key."""
        while key in self._recording:
            await self._recording[key].wait()
        recorded = self._recording[key] = trio.Event()
        try:
            yield
        finally:
            del self._recording[key]
            recorded.set()

    async def _callers(self, session: Session) -> list[Session]:
        """The conversation and those for which it works, up to a person's."""
        chain = [session]
        while True:
            row = await self.store.records.get("session", chain[-1].id or "") or {}
            above = await self.recorded(str(row["caller"])) if row.get("caller") else None
            if above is None or above in chain:
                return chain
            chain.append(above)

    async def begin(self, session: Session, *, title: str, model: str | None, system: str | None) -> None:
        """Records a session whose conversation is there already."""
        row = {"title": title, "created_at": rfc3339(time.time()), "model": model, "system": system}
        await self._save(session, row)

    async def thread(self, agent: str, user: str, name: str) -> Session:
        """The session that a client calls by a name of its own: the one with that id, else the one that was begun under
        the name, else a new one. Raises: UnknownAgent.
        """
        self.agents.get(agent)
        named = Session(agent, user, name)
        if named in (self._newest.get((agent, user)), await self.recorded(name)):
            return named
        async with self._recorded_once(agent, user, name):
            rows = await self.store.records.query("session", agent=agent, user=user, thread=name)
            return Session(agent, user, rows[0]["id"]) if rows else await self.begin_apart(agent, user, thread=name)

    async def begin_apart(self, agent: str, user: str, title: str = "", *, thread: str | None = None) -> Session:
        """A new session that is listed as others are, but never meant where none is named. Raises: UnknownAgent."""
        self.agents.get(agent)
        session = Session(agent, user, new_id())
        row = {"title": title, "created_at": rfc3339(time.time()), "apart": True}
        await self._save(session, row if thread is None else {**row, "thread": thread})
        self.orch.bus.emit(SessionUpdated(agent=agent, session_id=session.id))
        return session

    async def recorded(self, session_id: str) -> Session | None:
        """The session that is recorded under the id."""
        row = await self.store.records.get("session", session_id)
        return Session(row["agent"], row["user"], session_id) if row is not None else None

    async def rename(self, agent: str, name: str) -> None:
        """The agent has a new name, and its conversations with it. Raises: StoreError."""
        rows = await self.store.records.query("session", agent=agent)
        if rows:
            changes = tuple(Put("session", row["id"], {**row, "agent": name}) for row in rows)
            await self.store.submit(Together(changes)).wait()
        for key in [each for each in self._newest if each[0] in (agent, name)]:
            del self._newest[key]

    def living(self, session: Session) -> Process | None:
        """The session's process, if it is alive (restarting counts)."""
        assert session.id is not None
        try:
            process = self.orch.get(session.id)
        except UnknownProcess:
            return None
        return process if process.alive else None

    async def touch(self, session: Session, text: str) -> None:
        """Notes that a message was sent: the first one makes the record, which is titled after it."""
        assert session.id is not None
        title = " ".join(text.split())[:TITLE_LENGTH]
        row = await self.store.records.get("session", session.id)
        if row is None:
            row = {"title": title, "created_at": rfc3339(time.time())}
        await self._save(session, {**row, "title": row["title"] or title})

    async def _save(self, session: Session, row: Mapping[str, Any]) -> None:
        assert session.id is not None
        whole = {"id": session.id, "agent": session.agent, "user": session.user, **row}
        whole["updated_at"] = rfc3339(time.time())
        self.users[session.id] = session.user
        await self.store.submit(Promptly(Put("session", session.id, whole))).wait()


def leave_when_idle(process: Process) -> None:
    """Ends the process between two messages; the next one starts it anew, with its history."""
    mail = process.current or process.mailbox.first
    if mail is not None:
        mail.on_finish(lambda _: leave_when_idle(process))
    elif process.task is None and process.alive:
        process.keeper.dismiss()

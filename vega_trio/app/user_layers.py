"""The layers of what is remembered of users: a small model writes them after a conversation's turn. Rules.

1. That a turn is to be remembered is written down with its end, and struck out with the layers that come of it. So a
   kill loses none of it, and at most has a model asked again.
2. No turn waits for a model here: it reads the layers that there are, and leaves word.
3. What one agent is to remember of one user is worked on in order; different users' side by side.
4. Who forgets wins: an answer to what was asked before is thrown away.
5. Who writes has no tools. What it answers becomes text of the layers of that user with that agent and nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
import trio

from vega_trio._core.approving import PRIVATE
from vega_trio._core.codec import encode_json
from vega_trio._core.remembering import SYSTEM, Layers, question, schema, told
from vega_trio._core.wire import rfc3339
from vega_trio.agent import Agent, BackoffConfig, ChildSpec, Restart, SupervisorSpec
from vega_trio.app.agents import Agents
from vega_trio.app.chat import transcript
from vega_trio.changes import Change, ClearMessages, Delete, Put, Together
from vega_trio.engine.recollection import Told
from vega_trio.errors import ToolError, TurnFailed, VegaError
from vega_trio.events import Event, TurnFinished
from vega_trio.protocols import Model, Store
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process
from vega_trio.session import ErrorClass, Session

log = logging.getLogger("vega_trio.memory")

TABLE: Final = "user_memory"
LAYER: Final = "layer"
DUE: Final = "due"
NAME: Final = "memory"
REASON: Final = "memory of "
"""How the spawn reason of who writes begins; the name of the agent that is to remember follows."""
MOST_DUE: Final = 20  # turns of one user that wait; beyond it, as when no model can be reached, the oldest are let go
AT_ONCE: Final = 4  # users whose memory is worked on side by side
BUFFER: Final = 1000
HOPELESS: Final = frozenset({ErrorClass.INVALID_REQUEST, ErrorClass.REFUSAL, ErrorClass.FORMAT_ERROR})
"""Failures that would come again with the same question."""

Key = tuple[str, str]


@attrs.frozen(kw_only=True)
class Due:
    """A turn that is to be remembered. `seen` is what its conversation had seen, `at` Unix seconds."""

    turn_id: str
    agent: str
    user_id: str
    session_id: str
    seen: tuple[str, ...]
    at: float

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Due:
        names = attrs.fields_dict(cls)
        return cls(**{**{name: row[name] for name in names}, "seen": tuple(row["seen"])})

    @property
    def key(self) -> Key:
        return self.agent, self.user_id

    def put(self) -> Put:
        return Put(TABLE, due_key(self.turn_id), {"kind": DUE, **attrs.asdict(self)})


def due_key(turn_id: str) -> str:
    return f"{DUE} {turn_id}"


def layer_key(user: str, agent: str, layer: str) -> str:
    return encode_json([user, agent, layer]).decode()


@attrs.define(eq=False)
class Layering:
    """The layers of an application, `agents` being those that remember. `model_of` gives the model that writes for one.

    `user_of` says for whom a process works; it and what runs the work are set once the application is open.
    """

    store: Store
    agents: Agents
    model_of: Callable[[str], str | Model | None]
    user_of: Callable[[Process], str] | None = None
    _due: dict[Key, list[Due]] = attrs.field(factory=dict, init=False)
    _working: set[Key] = attrs.field(factory=set, init=False)
    _at_once: trio.Semaphore = attrs.field(factory=lambda: trio.Semaphore(AT_ONCE), init=False)

    # -- the turns' side

    async def told(self, process: Process) -> Told | None:
        """Raises: StoreError."""
        assert self.user_of is not None
        if process.agent_name not in self.agents.by_name or (process.spawn_reason or "").startswith(REASON):
            return None
        try:
            user = self.user_of(process)
        except ToolError:
            return None  # nobody can say for whom it works
        rows = await self.rows(process.agent_name, user)
        text = told(Layers.of({row["layer"]: row["content"] for row in rows}))
        return Told(text, frozenset({PRIVATE, *_seen(rows)})) if text else None

    def due(self, process: Process, turn_id: str, seen: frozenset[str]) -> tuple[Change, ...]:
        session, agent = process.session, process.agent_name
        if session is None or session.id is None or agent not in self.agents.by_name or self.model_of(agent) is None:
            return ()
        due = Due(
            turn_id=turn_id,
            agent=agent,
            user_id=session.user,
            session_id=session.id,
            seen=tuple(sorted(seen)),
            at=time.time(),
        )
        return (due.put(),)

    # -- what is kept

    async def rows(self, agent: str, user: str) -> list[dict[str, Any]]:
        return await self.store.records.query(TABLE, kind=LAYER, agent=agent, user_id=user)

    async def forgetting(self, agent: str, user: str) -> list[Change]:
        """What forgets the layers, and what was to become one. Raises: StoreError."""
        self._due.pop((agent, user), None)
        due = await self.store.records.query(TABLE, kind=DUE, agent=agent, user_id=user)
        layers = await self.rows(agent, user)
        return [
            *(Delete(TABLE, due_key(row["turn_id"])) for row in due),
            *(Delete(TABLE, layer_key(user, agent, row["layer"])) for row in layers),
        ]

    async def renaming(self, agent: str, name: str) -> list[Change]:
        """What takes an agent's layers to its new name; turns that wait go there too. Raises: StoreError."""
        for key in [key for key in self._due if key[0] == agent]:
            self._due[(name, key[1])] = [attrs.evolve(each, agent=name) for each in self._due.pop(key)]
        changes: list[Change] = []
        for row in await self.store.records.query(TABLE, kind=LAYER, agent=agent):
            user, layer = row["user_id"], row["layer"]
            changes.append(Delete(TABLE, layer_key(user, agent, layer)))
            changes.append(Put(TABLE, layer_key(user, name, layer), {**row, "agent": name}))
        waiting = await self.store.records.query(TABLE, kind=DUE, agent=agent)
        return [*changes, *(attrs.evolve(Due.of(row), agent=name).put() for row in waiting)]

    # -- the work

    async def open(self, orch: Orchestrator) -> None:
        """Starts the work, and with it what an earlier program had not come to."""
        for left in orch.recovered.all():
            if left.row.agent == NAME and left.row.spawn_reason.startswith(REASON):
                await orch.give_up(left.row.id, "its work is begun anew")
        backoff = BackoffConfig(initial=1.0, max=60.0)
        spec = SupervisorSpec(dynamic=True, max_restarts=None, window=60.0, backoff=backoff)
        supervisor = await orch.supervise(spec, name=NAME, fatal=False)
        await supervisor.start_child(
            ChildSpec(NAME, self._serve, restart=Restart.PERMANENT, shutdown=1.0, name=f"{NAME}:keeper")
        )

    async def _serve(self, me: Process) -> None:
        """One that falls behind the events, or finds the store gone, is restarted, and looks for what is due."""
        self._due.clear()
        self._working.clear()
        ended = me.kernel.bus.subscribe([TurnFinished], match=self._concerns, buffer=BUFFER)
        async with ended as events, trio.open_nursery() as nursery:
            for row in await self.store.records.query(TABLE, kind=DUE):
                await self._take(Due.of(row), me, nursery)
            async for event in events:
                found = await self.store.records.get(TABLE, due_key(event.turn_id or ""))
                if found is not None:
                    await self._take(Due.of(found), me, nursery)

    def _concerns(self, event: Event) -> bool:
        return event.agent in self.agents.by_name and event.turn_id == event.root_turn_id

    async def _take(self, due: Due, me: Process, nursery: trio.Nursery) -> None:
        waiting = self._due.setdefault(due.key, [])
        if due not in waiting:
            waiting.append(due)
        gone = waiting[:-MOST_DUE]
        del waiting[:-MOST_DUE]
        if gone:
            log.warning("%d turns of user %s are not remembered by %s: no model answers", len(gone), *due.key[::-1])
            await self.store.submit(Together(tuple(Delete(TABLE, due_key(each.turn_id)) for each in gone))).wait()
        if due.key not in self._working:
            self._working.add(due.key)
            nursery.start_soon(self._work, due.key, me)

    async def _work(self, key: Key, me: Process) -> None:
        """Remembers all that waits for one user, until there is no more, or no model is to be had."""
        try:
            while batch := list(self._due.get(key, ())):
                async with self._at_once:
                    changes = await self._remembered(key, batch, me)
                if changes is None:
                    return  # it is tried again with the next turn
                if all(each in self._due.get(key, ()) for each in batch):
                    self._due[key] = [each for each in self._due[key] if each not in batch]
                    struck = (Delete(TABLE, due_key(each.turn_id)) for each in batch)
                    await self.store.submit(Together((*changes, *struck))).wait()
            self._due.pop(key, None)
        finally:
            self._working.discard(key)

    async def _remembered(self, key: Key, batch: Sequence[Due], me: Process) -> list[Change] | None:
        """The layers' changes; None when it has to be tried again."""
        model = self.model_of(key[0]) if key[0] in self.agents.by_name else None
        exchanges = [each for due in batch for each in await self._said(due)]
        if model is None or not exchanges:
            return []  # the agent is gone, or its conversation
        rows = await self.rows(*key)
        layers = Layers.of({row["layer"]: row["content"] for row in rows})
        try:
            said, writer = await self._asked(key, model, question(layers, exchanges), me)
        except TurnFailed as error:
            log.warning("what %s remembers of user %s could not be written: %s", *key, error)
            return [] if error.error_class in HOPELESS else None
        except VegaError as error:
            log.warning("what %s remembers of user %s could not be written: %s", *key, error)
            return None
        day = datetime.fromtimestamp(batch[-1].at).astimezone().date().isoformat()
        seen = sorted({*_seen(rows), *(mark for due in batch for mark in due.seen)})
        return [ClearMessages(writer), *_written(key, layers.updated(said, day), rows, seen)]

    async def _said(self, due: Due) -> list[tuple[str, str]]:
        """What was said in a turn, if that has not been cleared."""
        rows = [row for row in await self.store.messages(due.session_id) if row.turn_id == due.turn_id]
        texts = {each.role: each.content for each in transcript(rows)}
        return [(texts.get("user", ""), texts.get("assistant", ""))] if texts else []

    async def _asked(self, key: Key, model: str | Model, text: str, me: Process) -> tuple[Mapping[str, Any], str]:
        """The model's answer, and the process that asked. Raises: TurnFailed and what else ends a process."""
        agent, user = key
        writer = Agent(name=NAME, system=SYSTEM, model=model, output=schema(), max_tokens=4096, max_iterations=2)
        async with me.spawn(writer, spawn_reason=REASON + agent) as process:
            process.session = Session(NAME, user)  # what it costs is the user's
            reply = await process.send(text)
        return reply.output, process.id


def _seen(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    return {str(mark) for row in rows for mark in row["seen"]}


def _written(key: Key, layers: Layers, before: Sequence[Mapping[str, Any]], seen: list[str]) -> list[Change]:
    """The rows of the layers that hold something, and the end of those that do not any more."""
    agent, user = key
    now, contents = rfc3339(time.time()), layers.contents()
    created = {row["layer"]: row["created_at"] for row in before}
    kept: list[Change] = []
    for layer, content in contents.items():
        row = {"kind": LAYER, "user_id": user, "agent": agent, "layer": layer, "content": content, "seen": seen}
        times = {"created_at": created.get(layer, now), "updated_at": now}
        kept.append(Put(TABLE, layer_key(user, agent, layer), {**row, **times}))
    return kept + [Delete(TABLE, layer_key(user, agent, layer)) for layer in created if layer not in contents]

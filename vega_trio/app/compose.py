"""Agents that are made, changed and deleted while the program runs, over HTTP or by another agent.

A composed agent is kept as its keys, as a document would have them, and read by the rules of documents; so it comes
back at the next start. One of a document that is deleted comes back too, since its file still says so.
"""

from __future__ import annotations

import json
import logging
import posixpath
import time
from collections.abc import Collection, Mapping
from typing import Any, Literal

import attrs

from vega_trio._core.wire import rfc3339
from vega_trio.app.agents import AgentInfo, Agents, Workshop
from vega_trio.app.disk import Disk
from vega_trio.app.sessions import Sessions, leave_when_idle
from vega_trio.app.template import literal, template
from vega_trio.app.user_memory import Memories
from vega_trio.changes import Change, Delete, Put
from vega_trio.dsl.document import AgentDefinition
from vega_trio.dsl.parse import parse_text
from vega_trio.dsl.words import STEP_WORDS
from vega_trio.errors import AgentExists, AgentOfDocument, AgentProtected, ConfigError, DocumentError
from vega_trio.events import AgentCreated, AgentDeleted, AgentUpdated, Event
from vega_trio.llm.names import providers
from vega_trio.protocols import Store
from vega_trio.runtime.process import Process

log = logging.getLogger("vega_trio.app")

TABLE = "composed_agent"
BUILTIN = frozenset({"mother", "hermes"})
COMPOSED = "composed"
MOST_MATES = 900  # agents that a composed one is checked beside: a document holds no more than a thousand


@attrs.frozen(eq=False)
class Composer:
    """`_keys` holds what each composed agent was made of, by name; `_seen` what the conversation had seen in which it
    was, as `approving` has it: what is planted in a prompt is no more to be trusted than where it came from.
    """

    agents: Agents
    sessions: Sessions
    store: Store
    workshop: Workshop
    memories: Memories
    _keys: dict[str, dict[str, Any]] = attrs.field(factory=dict, init=False, repr=False)
    _seen: dict[str, frozenset[str]] = attrs.field(factory=dict, init=False, repr=False)

    async def load(self) -> list[str]:
        """Takes up the agents of earlier programs; returns what is wrong with those that cannot be."""
        rows = {str(row["name"]): row for row in await self.store.records.query(TABLE)}
        wrong: dict[str, str] = {}
        # A leader may come before its team, and teams may be of each other: all are read beside all, and once more
        # without those that cannot be. The last reading is the one that knows what everybody is for.
        while found := self._unreadable(rows):
            wrong |= found
            rows = {name: row for name, row in rows.items() if name not in found}
        for name, row in rows.items():
            self.agents.by_name.setdefault(name, self._read(name, row["keys"], rows))
            self._keys[name] = row["keys"]
            self._seen[name] = frozenset(row.get("seen", ()))
        return [f"the composed agent {name!r} is left out: {error}" for name, error in wrong.items()]

    def _unreadable(self, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """What is wrong, by the name of the agent."""
        wrong = {}
        for name, row in rows.items():
            try:
                self._read(name, row["keys"], rows)
            except (DocumentError, ConfigError) as error:
                wrong[name] = str(error)
                self.workshop.teams.leave(name)
        return wrong

    def remake(self) -> None:
        """Makes them anew from another document's tools and teams; one that cannot be made stays as it was."""
        for name, keys in self._keys.items():
            try:
                self.agents.by_name[name] = self._read(name, keys)
            except (DocumentError, ConfigError) as error:
                log.warning("the composed agent %r stays as it was: %s", name, error)

    def keys(self, name: str) -> Mapping[str, Any]:
        """What a composed agent was made of; empty for others."""
        return self._keys.get(name, {})

    def seen(self, name: str) -> frozenset[str]:
        """What those had seen who composed the agent."""
        return self._seen.get(name, frozenset())

    def template(self, name: str) -> str:
        """A composed agent as a document. Raises: UnknownAgent, AgentProtected, AgentOfDocument."""
        self._check_composed(name)
        return template(name, self._keys[name])

    async def create(self, name: str, keys: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> AgentInfo:
        """Raises: AgentExists, DocumentError, ConfigError, StoreError."""
        self._check_free(name)
        info = self._read(name, keys)
        await self._keep(name, keys, seen, AgentCreated(agent=name, model=info.model))
        self.agents.by_name[name] = info
        return info

    async def update(
        self,
        name: str,
        changes: Mapping[str, Any],
        new_name: str | None = None,
        seen: frozenset[str] = frozenset(),
    ) -> AgentInfo:
        """Given keys replace, others stay, None takes one away; what was said stays, under a new name too.

        Who is at work goes on as it was and has the change from its next message on.

        Raises: UnknownAgent, AgentProtected, AgentOfDocument, AgentExists, DocumentError, ConfigError, StoreError.
        """
        self._check_composed(name)
        target = name if new_name is None else new_name
        if target != name:
            self._check_free(target)
        keys = {**self._keys[name], **changes}
        keys = {key: value for key, value in keys.items() if value is not None}
        info = self._read(target, keys)
        dropped: list[Change] = [Delete(TABLE, name)] if target != name else []
        event = AgentUpdated(agent=target, renamed_from=name if dropped else "")
        await self._keep(target, keys, self.seen(name) | seen, event, *dropped)
        if dropped:
            del self.agents.by_name[name], self._keys[name]
            self._seen.pop(name, None)
            self.workshop.teams.leave(name)
        self.agents.by_name[target] = info
        for process in self._at_work(name):
            leave_when_idle(process)
        if dropped:
            await self.sessions.rename(name, target)
            await self.memories.rename(name, target)
        return info

    async def delete(self, name: str) -> Literal["restart"] | None:
        """Ends its processes and forgets it. "restart": a document defines it, so it is back at the next start.

        Raises: UnknownAgent, AgentProtected, StoreError.
        """
        _check_builtin(name)
        self.agents.get(name)
        composed = name in self._keys
        changes: tuple[Change, ...] = (Delete(TABLE, name),) if composed else ()
        await self._commit(AgentDeleted(agent=name), *changes)
        self.agents.by_name.pop(name, None)
        self._keys.pop(name, None)
        self._seen.pop(name, None)
        self.workshop.teams.leave(name)
        for process in self.sessions.orch.processes():
            if process.agent_name == name:  # in conversations, for a leader, in runs
                await self.sessions.orch.kill(process.id)
        return None if composed else "restart"

    def _at_work(self, name: str) -> list[Process]:
        return [each for each in self.sessions.orch.processes() if each.session is not None and each.agent_name == name]

    # -- checks

    def _check_free(self, name: str) -> None:
        # Not in other letters either: who speaks as Mother is to be her.
        if name.casefold() in BUILTIN or name in STEP_WORDS:
            raise AgentExists(f"the name {name!r} is reserved for vega itself; choose another")
        if name in self.agents.by_name:
            raise AgentExists(f"there is an agent {name!r} already; choose another name, or change that one")

    def _check_composed(self, name: str) -> None:
        _check_builtin(name)
        self.agents.get(name)
        if name not in self._keys:
            raise AgentOfDocument(f"agent {name!r} is defined in {self.workshop.document.file}; change it there")

    # -- reading and keeping

    def _read(self, name: str, keys: Mapping[str, Any], beside: Collection[str] = ()) -> AgentInfo:
        """The agent as listed; `beside` are names of others to come. Raises: DocumentError, ConfigError."""
        return self.workshop.agent(self._definition(name, keys, beside), source=COMPOSED)

    def _definition(self, name: str, keys: Mapping[str, Any], beside: Collection[str]) -> AgentDefinition:
        team, tools = _texts(keys.get("team")), keys.get("tools")
        for each in BUILTIN.intersection(team):
            raise ConfigError(f"agent {each!r} is vega's own and is on nobody's team; take it out of {name!r}'s")
        known = [each for each in {*self.agents.by_name, *beside} if each not in BUILTIN and each != name]
        mates = sorted(known, key=lambda each: (each not in team, each))[:MOST_MATES]
        agents = {**{mate: {"system": "-"} for mate in mates}, name: literal(dict(keys))}
        # Whether a server has such a tool is known to who has the servers, and checked when the tools are resolved.
        of_servers = [each for each in _texts(tools) if "__" in each]
        parsed = parse_text(
            json.dumps({"agents": agents}).encode(),
            posixpath.join(posixpath.dirname(self.workshop.document.file), f"agent {name}"),
            Disk(),
            env={"VEGA_MODEL": "default"},
            tools=[*self.workshop.factory.named_tools, *(each.spec.name for each in self.workshop.memory), *of_servers],
            providers=providers(),
        )
        return parsed.document.agents[name]

    async def _keep(
        self, name: str, keys: Mapping[str, Any], seen: frozenset[str], event: Event, *changes: Change
    ) -> None:
        row = {"name": name, "keys": dict(keys), "seen": sorted(seen), "updated_at": rfc3339(time.time())}
        await self._commit(event, Put(TABLE, name, row), *changes)
        self._keys[name], self._seen[name] = dict(keys), seen

    async def _commit(self, event: Event, *changes: Change) -> None:
        commit = self.sessions.orch.bus.emit(event, *changes)
        assert commit is not None
        await commit.wait()


def _check_builtin(name: str) -> None:
    if name in BUILTIN:
        raise AgentProtected(f"agent {name!r} is vega's own and cannot be changed")


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

"""What agents were when their processes were started: a turn that a crash cut short goes on with it.

Kept in the table `agent_def` under its fingerprint, once for all processes that were started with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.agent import Agent
from vega_trio.changes import Put
from vega_trio.dsl.fingerprint import fingerprint
from vega_trio.protocols import Store

TABLE = "agent_def"
_FIELDS = ("system", "model", "fallback_model", "temperature", "max_tokens", "max_iterations", "tools")


@attrs.define
class Definitions:
    """`_kept` are the fingerprints that this program has written, `_last` by name the agents they were made of."""

    store: Store
    _kept: set[str] = attrs.field(factory=set)
    _last: dict[str, tuple[Agent, str]] = attrs.field(factory=dict)

    async def keep(self, agent: Agent) -> str:
        """Records what the agent is, and gives its fingerprint. Raises: StoreError."""
        before = self._last.get(agent.name)
        if before is not None and before[0] is agent:  # thousands of processes are taken up with one agent
            return before[1]
        said = _said(agent)
        name = fingerprint(said)
        if name not in self._kept:
            await self.store.submit(Put(TABLE, name, said)).wait()
            self._kept.add(name)
        self._last[agent.name] = (agent, name)
        return name

    async def recorded(self, def_hash: str, now: Agent | None) -> Agent | None:
        """The agent as it was; what is not recorded is as it is now. None: nothing is known of it."""
        row = await self.store.records.get(TABLE, def_hash) if def_hash else None
        if row is None:
            return None
        base = now if now is not None else Agent(name=row["name"])
        was: dict[str, Any] = {key: tuple(row[key]) if key == "tools" else row[key] for key in _FIELDS if key in row}
        return attrs.evolve(base, **was)


def _said(agent: Agent) -> Mapping[str, Any]:
    """The fields that a store can keep: a model or prompt that is an object is the program's own."""
    fields: dict[str, Any] = {"name": agent.name}
    for key in _FIELDS:
        value = getattr(agent, key)
        if key == "tools" and all(isinstance(each, str) for each in value):
            fields[key] = list(value)
        elif value is None or isinstance(value, str | int | float):
            fields[key] = value
    return fields

"""Mother and Hermes in an application: the catalogue that they work on is the application's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from vega_trio._core.approving import NOTHING_SEEN, PRIVATE
from vega_trio.app.agents import AgentInfo, Agents, Workshop, resolved
from vega_trio.app.compose import Composer
from vega_trio.app.disk import directory_of
from vega_trio.app.knowledge import is_resource, lies_within
from vega_trio.app.mcp import Mcp
from vega_trio.app.toolbelt import sandbox_of
from vega_trio.meta.catalog import Known
from vega_trio.meta.hermes import hermes
from vega_trio.meta.mother import mother

BUILTIN = "builtin"


@attrs.define(eq=False)
class Catalog:
    """What Mother and Hermes see and change."""

    known: Agents
    workshop: Workshop
    mcp: Mcp
    composer: Composer

    def agents(self) -> list[Known]:
        return [self._known(each) for each in self.known.all()]

    def _known(self, info: AgentInfo) -> Known:
        name = info.agent.name
        team = self.workshop.teams.teams.by_leader.get(name)
        return Known(
            name=name,
            model=info.model,
            tools=info.tools,
            team=() if team is None else team.members,
            purpose=info.agent.description,
        )

    async def create(self, name: str, keys: Mapping[str, Any], seen: frozenset[str]) -> None:
        await self.composer.create(name, keys, seen | _told(keys))

    async def update(self, name: str, changes: Mapping[str, Any], seen: frozenset[str]) -> None:
        await self.composer.update(name, changes, seen=seen | _told(changes))

    async def delete(self, name: str) -> None:
        await self.composer.delete(name)

    def tools(self) -> list[dict[str, Any]]:
        named = [each.spec for each in self.workshop.factory.named_tools.values()]
        served = [spec for server in self.mcp.servers() for spec in self.mcp.specs(server.name)]
        return [{"name": spec.name, "description": spec.description} for spec in (*named, *served)]

    def running_code(self, tools: Sequence[str]) -> list[str]:
        known = self.workshop.factory.named_tools
        meant = known if "all" in tools else tools
        return [name for name in meant if name in known and "exec" in known[name].spec.effects]

    def outside(self, knowledge: Sequence[str]) -> list[str]:
        base = directory_of(self.workshop.document.file)
        sandbox = sandbox_of(base, self.workshop.document.settings)
        files = (each for each in knowledge if not is_resource(each))
        return [each for each in files if not lies_within(each, base, sandbox)]

    def skills(self) -> list[dict[str, Any]]:
        return [
            {
                "name": each.name,
                "description": each.description,
                "tags": list(each.tags),
                "tools": list(each.tools),
            }
            for each in self.workshop.skills.all
            if each.trusted
        ]

    def mcp_registry(self) -> list[dict[str, Any]]:
        return [
            {"name": each.name, "description": each.description, "required_env": list(each.required_env)}
            for each in self.mcp.registry()
        ]


def _told(keys: Mapping[str, Any]) -> frozenset[str]:
    """What an agent has seen before it is asked anything: files are private."""
    return frozenset({PRIVATE}) if keys.get("knowledge") else NOTHING_SEEN


def add_builtin_agents(catalog: Catalog) -> None:
    """Puts Mother and Hermes first among the agents."""
    others = dict(catalog.known.by_name)
    catalog.known.by_name.clear()
    for agent in (mother(catalog), hermes(catalog)):
        catalog.known.by_name[agent.name] = resolved(agent, catalog.workshop.factory, BUILTIN)
    catalog.known.by_name.update(others)

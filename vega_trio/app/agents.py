"""The agents of an application: from the document's definitions to blueprints."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from vega_trio.agent import Agent, Supervision
from vega_trio.app.agent_factory import AgentFactory
from vega_trio.app.disk import directory_of
from vega_trio.app.knowledge import informed_system
from vega_trio.app.limits import breaker_of, budget_of, context_of, rate_limit_of, retry_of
from vega_trio.app.skills import Skills
from vega_trio.app.teamwork import Teamwork, purpose_of
from vega_trio.dsl.document import AgentDefinition, Document
from vega_trio.errors import UnknownAgent, did_you_mean
from vega_trio.protocols import Model, Tool
from vega_trio.skills.prompt import LOAD_SKILL, SkillsPrompt

NO_RESOURCES: Mapping[str, str] = MappingProxyType({})
EVERY_SERVER = "*__*"  # what "all" means of the tools of MCP servers


@attrs.frozen(kw_only=True)
class AgentInfo:
    """An agent as it is listed. `model` is the resolved name; `source` is None for agents of the document.

    Of MCP servers' tools, which come and go, `tools` has the names and patterns by which they are chosen.
    """

    agent: Agent
    model: str
    tools: tuple[str, ...]
    team: tuple[str, ...] = ()
    source: str | None = None

    @property
    def system(self) -> str:
        """The prompt, without what depends on the message."""
        system = self.agent.system
        return system if isinstance(system, str) else system.text


@attrs.frozen
class Agents:
    """The catalogue: who can be talked to, by name, in the document's order."""

    by_name: dict[str, AgentInfo]

    def all(self) -> list[AgentInfo]:
        return list(self.by_name.values())

    def get(self, name: str) -> AgentInfo:
        """Raises: UnknownAgent."""
        info = self.by_name.get(name)
        if info is None:
            raise UnknownAgent(f"agent {name[:100]!r} is not defined{did_you_mean(name, self.by_name)}")
        return info


@attrs.define(eq=False, kw_only=True)
class Workshop:
    """What definitions are made into blueprints with. `model` overrides what they and the document say.

    `config.py` puts another document in the place of the one at work, with what goes with it.

    `memory` are the tools by which every agent remembers its users, if it is to.
    """

    document: Document
    model: str | Model | None
    factory: AgentFactory
    skills: Skills
    teams: Teamwork
    memory: tuple[Tool, ...] = ()

    def agent(
        self, definition: AgentDefinition, resources: Mapping[str, str] = NO_RESOURCES, *, source: str | None = None
    ) -> AgentInfo:
        """The agent of a definition, as it is listed; `resources` are the texts of those that agents know.

        Raises: ConfigError for a model, a tool or a file that there is not.
        """
        info = resolved(self._blueprint(definition, resources), self.factory, source)
        return attrs.evolve(info, team=definition.team)

    def _system(self, definition: AgentDefinition, resources: Mapping[str, str]) -> str | SkillsPrompt:
        informed = informed_system(definition, directory_of(self.document.file), resources)
        return self.skills.prompt(definition, self.teams.told(definition, informed))

    def _tools(self, definition: AgentDefinition) -> tuple[Any, ...]:
        everything = (*self.factory.named_tools, EVERY_SERVER)
        named = everything if definition.tools == "all" else definition.tools
        # What reads skills, and what a team and the memory bring, comes with them; naming it grants nothing.
        brought = (*self.teams.tools(definition, self.document.settings), *self.memory)
        names = {LOAD_SKILL, *(each.spec.name for each in brought)}
        return (*(each for each in named if each not in names), *brought)

    def _blueprint(self, definition: AgentDefinition, resources: Mapping[str, str]) -> Agent:
        settings, given = self.document.settings, self.model
        temperature = definition.temperature if definition.temperature is not None else settings.default_temperature
        return Agent(
            name=definition.name,
            system=self._system(definition, resources),
            model=given if given is not None else definition.model,
            fallback_model=None if given is not None else definition.fallback_model or settings.fallback_model,
            description=purpose_of(definition),
            display_name=definition.display_name,
            title=definition.title,
            avatar=definition.avatar,
            temperature=temperature,
            max_tokens=definition.max_tokens,
            max_iterations=definition.max_iterations,
            tools=self._tools(definition),
            # An application's agents are all supervised; the library's are what their caller says.
            supervision=definition.supervision or settings.supervision or Supervision(),
            retry=retry_of(definition.retry or settings.retry),
            circuit_breaker=breaker_of(definition.circuit_breaker or settings.circuit_breaker),
            rate_limit=rate_limit_of(definition.rate_limit, "queue") if definition.rate_limit is not None else None,
            budget=budget_of(definition.budget),
            context=context_of(definition.context),
        )


def open_agents(agents: Agents, workshop: Workshop, resources: Mapping[str, str]) -> None:
    """Every agent of the document, with its model and tools resolved, so that a wrong name is found at start.

    Raises: ConfigError.
    """
    workshop.teams.know(workshop.document)
    for definition in workshop.document.agents.values():
        agents.by_name[definition.name] = workshop.agent(definition, resources)


def resolved(agent: Agent, factory: AgentFactory, source: str | None = None) -> AgentInfo:
    """The blueprint as it is listed. Raises: ConfigError for a model or a tool that there is not."""
    sources = [each.name for each in factory.sources_of(agent) if each.name != EVERY_SERVER]
    tools = (*factory.tools_of(agent), *sources)
    factory.fallback_of(agent)
    return AgentInfo(agent=agent, model=factory.model_of(agent).name, tools=tools, source=source)

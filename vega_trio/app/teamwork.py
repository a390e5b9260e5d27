"""Which agents work for which: from definitions to teams, their tools, and what their leaders are told."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from vega_trio.agent import Agent
from vega_trio.app.limits import budget_of
from vega_trio.dsl.document import AgentDefinition, DelegationDefinition, Document, Settings
from vega_trio.meta.board import board_tools
from vega_trio.meta.team import Team, Teams, team_prompt
from vega_trio.protocols import Tool
from vega_trio.runtime.group import Group


@attrs.define(eq=False)
class Teamwork:
    """The teams of an application. `agent` gives a blueprint by name.

    `_purposes` and `_boards`, the leaders by member whose teams have a blackboard, are what documents say.
    """

    agent: Callable[[str], Agent]
    group: Callable[[str], Group] | None = None
    teams: Teams = attrs.field(init=False)
    _purposes: dict[str, str] = attrs.field(factory=dict, init=False)
    _boards: dict[str, list[str]] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.teams = Teams(self.agent, self._board_tools)

    def know(self, document: Document) -> None:
        """Takes note of who is for what, and of who shares a blackboard with whom, before any agent is made."""
        for definition in document.agents.values():
            self._purposes[definition.name] = purpose_of(definition)
            self._share(definition, document.settings)

    def _share(self, definition: AgentDefinition, settings: Settings) -> None:
        leader = definition.name
        for leaders in self._boards.values():
            if leader in leaders:
                leaders.remove(leader)
        if definition.team and _how(definition, settings).blackboard:
            for each in (leader, *definition.team):
                self._boards.setdefault(each, []).append(leader)

    def tools(self, definition: AgentDefinition, settings: Settings) -> tuple[Tool, ...]:
        """What an agent has for its teams: `delegate` for a leader, the blackboard's tools for all who share one."""
        self._purposes[definition.name] = purpose_of(definition)
        self._share(definition, settings)
        if not definition.team:
            self.teams.leave(definition.name)
            return self._board_tools(None, definition.name)
        how = _how(definition, settings)
        team = Team(leader=definition.name, members=definition.team, how=how, budget=budget_of(how.budget))
        return self.teams.join(team)

    def told(self, definition: AgentDefinition, system: str) -> str:
        """The system prompt with a leader's members."""
        if not definition.team:
            return system
        team = Team(leader=definition.name, members=definition.team)
        return f"{system}\n\n{team_prompt(team, self._purposes)}"

    def leave(self, name: str) -> None:
        """The agent is gone, and leads nobody."""
        self.teams.leave(name)
        self._purposes.pop(name, None)
        for leaders in self._boards.values():
            if name in leaders:
                leaders.remove(name)

    def _board_tools(self, _: Team | None, name: str) -> tuple[Tool, ...]:
        leaders = self._boards.get(name, ())
        return board_tools(leaders, self._group) if leaders else ()

    def _group(self, name: str) -> Group:
        assert self.group is not None
        return self.group(name)


def purpose_of(definition: AgentDefinition) -> str:
    """What others are told that an agent is for."""
    return definition.description or definition.system.strip().split("\n", 1)[0]


def _how(definition: AgentDefinition, settings: Settings) -> DelegationDefinition:
    return definition.delegation or settings.delegation or DelegationDefinition()

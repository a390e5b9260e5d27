"""Reads agents: what they extend is merged in first, then each is read as if it had been written out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import attrs

from vega_trio.agent import DEFAULT_MAX_ITERATIONS, DEFAULT_MAX_TOKENS
from vega_trio.dsl.definitions import Named, definitions
from vega_trio.dsl.document import AgentDefinition
from vega_trio.dsl.fields import Fields
from vega_trio.dsl.read_models import read_model
from vega_trio.dsl.read_policies import (
    read_breaker,
    read_budget,
    read_context,
    read_delegation,
    read_rate_limit,
    read_retry,
    read_skills,
    read_supervision,
)
from vega_trio.dsl.reading import Reading, rest_of_line
from vega_trio.dsl.words import STEP_WORDS
from vega_trio.dsl.yaml_nodes import YamlList, YamlMap, YamlNode, YamlScalar
from vega_trio.suggest import remedy

_OWN = frozenset({"name", "display_name", "title", "avatar", "description", "extends"})
_MERGED = frozenset({"supervision", "retry", "delegation", "skills", "context"})
_META = frozenset({"mother", "hermes"})


@attrs.frozen
class AgentSection:
    """`agents` are those that can be asked; `named` are all, those that are only extended included."""

    agents: Mapping[str, AgentDefinition]
    named: Mapping[str, Named]


def read_agents(reading: Reading, nodes: Sequence[YamlNode], *, has_model: bool) -> AgentSection:
    """`has_model`: an agent without a model of its own gets one from elsewhere.

    Reports V010-V016.
    """
    named = {each.name: each for each in definitions(reading, nodes, "agents", "agent")}
    parents = _parents(reading, named)
    agents: dict[str, AgentDefinition] = {}
    for name, each in named.items():
        _check_name(reading, each)
        merged = _merged(named, parents, name)
        abstract = _absent(merged, "system") and name in parents.values()
        agent = _agent(reading, each, merged, has_model=has_model or abstract, needs_system=not abstract)
        if not abstract:
            agents[name] = agent
    return AgentSection(agents, named)


def _check_name(reading: Reading, each: Named) -> None:
    if each.name in STEP_WORDS:
        message = f"an agent cannot be named '{each.name}', which is a word of workflows"
        reading.error("V015", each.name_node, message, f"call it for example '{each.name}_agent'", each.path)
    elif each.name in _META:
        message = f"an agent cannot be named '{each.name}', which is an agent of vega itself"
        reading.error("V015", each.name_node, message, f"call it for example 'my_{each.name}'", each.path)


# -- extends


def _parents(reading: Reading, named: Mapping[str, Named]) -> dict[str, str]:
    """Who extends whom; wrong names and cycles are reported and left out."""
    parents: dict[str, str] = {}
    for name, each in named.items():
        node = each.node.get("extends")
        if not isinstance(node, YamlScalar) or not isinstance(node.value, str):
            continue
        path = f"{each.path}.extends"
        if node.value not in named:
            hint = remedy(node.value, named, "the agents are")
            reading.error("V013", node, f"unknown agent '{node.value}' to extend", hint, path)
            continue
        chain = [name, node.value]
        while chain[-1] in parents and len(chain) <= len(named):
            chain.append(parents[chain[-1]])
        if name in chain[1:]:
            reading.error("V013", node, f"'{name}' extends itself: {' -> '.join(chain)}", path=path)
        else:
            parents[name] = node.value
    return parents


def _merged(named: Mapping[str, Named], parents: Mapping[str, str], name: str) -> YamlMap:
    """The agent's own entries over those of all it extends."""
    chain = [name]
    while chain[-1] in parents:
        chain.append(parents[chain[-1]])
    entries: dict[str, tuple[YamlScalar, YamlNode]] = {}
    for step in reversed(chain):
        for key, value in named[step].node.entries:
            if key.text in _OWN and step != name:
                continue
            before = entries.get(key.text)
            if before is not None and key.text in _MERGED:
                entries[key.text] = (key, _over(before[1], value))
            else:
                entries[key.text] = (key, value)
    return YamlMap(tuple(entries.values()), named[name].node.span)


def _over(base: YamlNode, node: YamlNode) -> YamlNode:
    if not isinstance(base, YamlMap) or not isinstance(node, YamlMap):
        return node
    entries = {key.text: (key, value) for key, value in (*base.entries, *node.entries)}
    return YamlMap(tuple(entries.values()), node.span)


# -- one agent


def _agent(reading: Reading, each: Named, merged: YamlMap, *, has_model: bool, needs_system: bool) -> AgentDefinition:
    fields = Fields(reading, merged, each.path)
    for key in ("name", "extends"):
        fields.text(key)
    agent = AgentDefinition(
        name=each.name,
        system=fields.text("system"),
        place=each.name_node.span.place,
        display_name=fields.text("display_name"),
        title=fields.text("title"),
        avatar=fields.text("avatar"),
        description=fields.text("description"),
        model=read_model(fields, "model"),
        fallback_model=read_model(fields, "fallback_model"),
        temperature=fields.maybe_number("temperature", 0, 2),
        max_tokens=fields.whole("max_tokens", DEFAULT_MAX_TOKENS, 1, 10_000_000),
        max_iterations=fields.whole("max_iterations", DEFAULT_MAX_ITERATIONS, 1, 100_000),
        budget=read_budget(fields),
        tools=_tools(fields),
        knowledge=fields.texts("knowledge"),
        team=fields.texts("team"),
        delegation=read_delegation(fields),
        supervision=read_supervision(fields),
        retry=read_retry(fields),
        rate_limit=read_rate_limit(fields),
        circuit_breaker=read_breaker(fields),
        skills=read_skills(fields),
        context=read_context(fields),
    )
    fields.finish()
    if needs_system and _absent(merged, "system"):
        hint = "write what it is to do: system: You are ..."
        written = next((key for key, _ in merged.entries if key.text == "system"), None)
        if written is not None and "#" in rest_of_line(written):
            hint = "in 'system: #...' the text is a comment; put quotes round it"
        reading.error("V011", each.name_node, f"the agent '{each.name}' has no 'system'", hint, each.path)
    if not has_model and _absent(merged, "model"):
        hint = "write for example model: claude-sonnet-5-5, or set settings.default_model"
        reading.error("V011", each.name_node, f"the agent '{each.name}' has no 'model'", hint, each.path)
    return agent


def _absent(node: YamlMap, key: str) -> bool:
    """Not written or empty; a text that lacks its variable is there."""
    value = node.get(key)
    return value is None or (isinstance(value, YamlScalar) and not value.unset and value.value in (None, ""))


def _tools(fields: Fields) -> tuple[str, ...] | Literal["all"]:
    found = fields.texts("tools")
    return "all" if "all" in found else found


def check_team(reading: Reading, section: AgentSection) -> None:
    """Reports V012 and V014 for the members of teams, also of those that are only extended."""
    for name, each in section.named.items():
        for item in listed(each.node.get("team")):
            path = f"{each.path}.team"
            if item.text == name:
                reading.error("V014", item, f"'{name}' cannot be on its own team", "remove it", path)
            elif item.text not in section.agents:
                hint = remedy(item.text, section.agents, "the agents are")
                reading.error("V012", item, f"unknown agent '{item.text}'", hint, path)
    for name, agent in section.agents.items():
        extends = section.named[name].node.get("extends")
        if name in agent.team and extends is not None and section.named[name].node.get("team") is None:
            message = f"'{name}' cannot be on its own team, which it has from what it extends"
            reading.error("V014", extends, message, "give it a 'team' without itself", section.named[name].path)


def listed(node: YamlNode | None) -> Iterator[YamlScalar]:
    """The texts of a list, or the one text; not those that lack their variable, which is told already."""
    for item in node.items if isinstance(node, YamlList) else (node,):
        if isinstance(item, YamlScalar) and isinstance(item.value, str) and not item.unset:
            yield item

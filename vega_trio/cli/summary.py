"""What a document holds, in lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import attrs

from vega_trio.cli.terminal import safe
from vega_trio.dsl.document import AgentDefinition, Document, McpServerDefinition, Settings
from vega_trio.dsl.units import show_duration, show_money
from vega_trio.dsl.workflow import InputDefinition, WorkflowDefinition


def counts(document: Document) -> str:
    """`2 agents, 1 workflow, 3 tools`."""
    words = [
        _count(len(document.agents), "agent"),
        _count(len(document.workflows), "workflow"),
        _count(len(document.tools), "tool"),
    ]
    return ", ".join(words)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def summary(document: Document) -> str:
    """Agents with model and tools, workflows with their inputs, tools, and the settings that were made."""
    return "".join(safe(line) + "\n" for line in _lines(document))


def listing(document: Document, kinds: Iterable[str]) -> str:
    """The sections of the given kinds: agents, workflows, tools."""
    return "".join(safe(line) + "\n" for kind in kinds for line in _kind(document, kind))


def _lines(document: Document) -> Iterator[str]:
    if document.name:
        yield f"Name: {document.name}"
    for kind in ("agents", "workflows", "tools"):
        yield from _kind(document, kind)
    yield from _section("Settings", _settings(document.settings))


def _kind(document: Document, kind: str) -> Iterator[str]:
    match kind:
        case "agents":
            return _section("Agents", (_agent(each, document.settings) for each in document.agents.values()))
        case "workflows":
            return _section("Workflows", (line for each in document.workflows.values() for line in _workflow(each)))
        case _:
            return _section("Tools", (f"{each.name}: {each.description}" for each in document.tools.values()))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield f"{title}:"
    empty = True
    for line in lines:
        empty = False
        yield f"  {line}"
    if empty:
        yield "  none"


def _agent(agent: AgentDefinition, settings: Settings) -> str:
    model = agent.model or settings.default_model or "the default model"
    tools = agent.tools if isinstance(agent.tools, str) else ", ".join(agent.tools)
    return f"{agent.name} ({model})" + (f", tools: {tools}" if tools else "")


def _workflow(workflow: WorkflowDefinition) -> Iterator[str]:
    about = f": {workflow.description}" if workflow.description else ""
    yield f"{workflow.name} ({_count(len(workflow.steps), 'step')}){about}"
    for each in workflow.inputs.values():
        yield "  " + _input(each, primary=each.name == workflow.primary)


def _input(definition: InputDefinition, *, primary: bool) -> str:
    facts: list[str] = [definition.type]
    if definition.has_default:
        facts.append(f"default {definition.default!r}")
    else:
        facts.append("required" if definition.required else "optional")
    if primary:
        facts.append("primary")
    about = f": {definition.description}" if definition.description else ""
    return f"--{definition.name} ({', '.join(facts)}){about}"


def _settings(settings: Settings) -> Iterator[str]:
    """The settings that differ from their defaults, under the names they are written with; never a secret."""
    for field in attrs.fields(Settings):
        value = getattr(settings, field.name)
        if value != _default(field):
            yield f"{WRITTEN.get(field.name) or written_key(field.name)}: {_shown(field.name, value)}"


WRITTEN: Mapping[str, str] = {
    "skills_directories": "skills.directories",
    "skills_trust": "skills.trust",
    "http_allow": "http.allow",
    "commands_sandbox": "commands.sandbox",
    "memory_enabled": "memory.enabled",
    "memory_model": "memory.model",
    "mcp_servers": "mcp.servers",
}
SECONDS = frozenset({"window", "initial", "max"})
"""Fields of policies that hold seconds without saying so in their names."""


def written_key(name: str) -> str:
    return name.removesuffix("_s").removesuffix("_microusd")


def _default(field: attrs.Attribute[Any]) -> Any:
    made: Any = field.default
    return made.factory() if isinstance(made, attrs.Factory) else made  # type: ignore[arg-type]


def _shown(name: str, value: Any) -> str:
    match value:
        case _ if name == "api_key":
            return "(set)"
        case bool():
            return str(value).lower()
        case int() if name.endswith("_microusd"):
            return show_money(value)
        case Decimal():
            return show_money(int(value * 1_000_000))
        case int() | float() if name.endswith("_s") or name in SECONDS:
            return show_duration(value)
        case McpServerDefinition():
            return value.name
        case tuple():
            return ", ".join(_shown("", each) for each in value)
        case Mapping() if name == "values":
            return ", ".join(value)
        case Mapping():
            return ", ".join(f"{key} {_within(each)}" for key, each in value.items())
        case _ if attrs.has(type(value)):
            changed = [field for field in attrs.fields(type(value)) if getattr(value, field.name) != _default(field)]
            return ", ".join(
                f"{written_key(each.name)} {_within(getattr(value, each.name), each.name)}" for each in changed
            )
        case _:
            return str(value)


def _within(value: Any, name: str = "") -> str:
    shown = _shown(name, value)
    return f"({shown})" if attrs.has(type(value)) else shown

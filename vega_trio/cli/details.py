"""One agent or workflow with all that is set for it, as JSON and in lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

import attrs

from vega_trio.app.outline import StepNode, outline
from vega_trio.dsl.document import AgentDefinition, Settings
from vega_trio.dsl.inputs import usage
from vega_trio.dsl.template import ListTemplate, MapTemplate, Template, ValueTemplate
from vega_trio.dsl.values import print_value
from vega_trio.dsl.workflow import WorkflowDefinition

_HIDDEN = frozenset({"place", "name"})


def agent_details(agent: AgentDefinition, settings: Settings) -> dict[str, Any]:
    """What is set for the agent, with the model that it gets from the settings; names as in the document."""
    found = {"name": agent.name, **_set_fields(agent)}
    found["model"] = agent.model or settings.default_model
    found["place"] = str(agent.place)
    return found


def agent_lines(agent: AgentDefinition, settings: Settings) -> Iterator[str]:
    details = agent_details(agent, settings)
    yield f"agent {details.pop('name')} ({details.pop('place')})"
    system = details.pop("system", "")
    for name, value in details.items():
        if value not in (None, "", [], {}):
            yield from _entry(name, value, 1)
    yield "  system:"
    yield from (f"    {line}".rstrip() for line in system.rstrip("\n").split("\n"))


def workflow_details(workflow: WorkflowDefinition) -> dict[str, Any]:
    """Inputs, the tree of steps with their paths, the output as written, the timeout in seconds."""
    return {
        "name": workflow.name,
        "description": workflow.description,
        "inputs": {name: _set_fields(each) for name, each in workflow.inputs.items()},
        "primary": workflow.primary,
        "steps": [_node(each) for each in outline(workflow)],
        "output": None if workflow.output is None else _written(workflow.output),
        "timeout_s": workflow.timeout_s,
        "place": str(workflow.place),
    }


def workflow_lines(workflow: WorkflowDefinition) -> Iterator[str]:
    yield f"workflow {workflow.name} ({workflow.place})"
    if workflow.description:
        yield f"  {workflow.description}"
    yield from (f"  {line}" for line in usage(workflow).split("\n"))
    yield "  steps:"
    yield from _steps(outline(workflow), 2)
    if workflow.output is not None:
        yield from _entry("output", _written(workflow.output), 1)
    yield f"  timeout: {workflow.timeout_s:g} s"


def _steps(nodes: Iterable[StepNode], depth: int) -> Iterator[str]:
    for node in nodes:
        yield "  " * depth + f"[{node.path}] {node.title}"
        for block in node.blocks:
            yield "  " * (depth + 1) + f"{block.name}:"
            yield from _steps(block.steps, depth + 2)


def _node(node: StepNode) -> dict[str, Any]:
    blocks = [{"name": block.name, "steps": [_node(each) for each in block.steps]} for block in node.blocks]
    found = {key: getattr(node, key) for key in ("path", "id", "kind", "title", "agent", "workflow")}
    return {**{key: value for key, value in found.items() if value is not None}, "blocks": blocks}


def _written(value: ValueTemplate) -> object:
    match value:
        case Template(text):
            return text
        case ListTemplate(items):
            return [_written(each) for each in items]
        case MapTemplate(entries):
            return {name: _written(each) for name, each in entries.items()}
        case _:
            return value.value


def _set_fields(value: Any) -> dict[str, Any]:
    """The fields of a definition, none of those that are not said."""
    fields = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
    return {name: _plain(each) for name, each in fields.items() if each is not None and name not in _HIDDEN}


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return _set_fields(value)
    if isinstance(value, tuple | list | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return value.value if isinstance(value, Enum) else value


def _entry(name: str, value: Any, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(value, dict):
        yield f"{indent}{name}:"
        for key, each in value.items():
            yield from _entry(key, each, depth + 1)
    elif isinstance(value, list) and all(isinstance(each, str) for each in value):
        yield f"{indent}{name}: {', '.join(value)}"
    else:
        first, *rest = print_value(value).rstrip("\n").split("\n") if value is not None else [""]
        yield f"{indent}{name}: {first}".rstrip()
        yield from (f"{indent}  {line}".rstrip() for line in rest)

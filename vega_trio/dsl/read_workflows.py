"""Reads workflows: their inputs, steps and output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from vega_trio.dsl.definitions import Named, definitions, entries
from vega_trio.dsl.fields import Fields
from vega_trio.dsl.inputs import check
from vega_trio.dsl.read_actions import Inside, bare_value, check_variable, loop_variables
from vega_trio.dsl.read_agents import AgentSection
from vega_trio.dsl.read_steps import StepReader
from vega_trio.dsl.read_types import read_type
from vega_trio.dsl.reading import Reading, shape
from vega_trio.dsl.words import BUILTIN_VARIABLES
from vega_trio.dsl.workflow import InputDefinition, WorkflowDefinition
from vega_trio.dsl.yaml_nodes import YamlList, YamlMap, YamlNode, YamlScalar


def read_workflows(
    reading: Reading, nodes: Sequence[YamlNode], agents: AgentSection
) -> Mapping[str, WorkflowDefinition]:
    named = {each.name: each for each in definitions(reading, nodes, "workflows", "workflow")}
    return {name: _workflow(reading, each, agents, named) for name, each in named.items()}


def _workflow(
    reading: Reading, each: Named, agents: AgentSection, workflows: Mapping[str, Named]
) -> WorkflowDefinition:
    name, name_node = each.name, each.name_node
    fields = Fields(reading, each.node, each.path)
    fields.text("name")
    inputs = read_inputs(fields)
    variables = BUILTIN_VARIABLES | set(inputs) | set(_assigned(fields.node))
    reader = StepReader(reading, agents.named, agents.agents, workflows, variables)
    if fields.take("steps") is None:
        hint = "write for example: steps: [...]"
        reading.error("V005", name_node, f"the workflow '{name}' has no 'steps'", hint, fields.path)
    steps = reader.steps(fields.take("steps"), fields.at("steps"))
    inside = Inside(
        reading=reading,
        nested=reader.steps,
        agents=agents.agents,
        workflows=workflows,
        variables=variables,
        parallel=False,
    )
    output = fields.take("output")
    found = WorkflowDefinition(
        name=name,
        steps=steps,
        place=name_node.span.place,
        description=fields.text("description"),
        inputs=inputs,
        declares_inputs="inputs" in fields.entries,
        primary=primary_input(inputs),
        output=None if output is None else bare_value(inside, output, fields.at("output")),
        timeout_s=fields.duration("timeout", 1800.0),
    )
    fields.finish()
    reading.keep_origin(found, name_node, fields.path)
    return found


def _assigned(node: YamlNode) -> Iterator[str]:
    """Every name that some step of the workflow may set, and some that none does."""
    match node:
        case YamlList():
            for item in node.items:
                yield from _assigned(item)
        case YamlMap():
            for key, value in node.entries:
                if key.text in ("save", "id") and isinstance(value, YamlScalar):
                    yield value.text
                elif key.text == "for" and isinstance(value, YamlScalar):
                    yield from loop_variables(value.text)
                elif key.text.startswith("for "):
                    yield from loop_variables(key.text[4:])
                elif key.text == "set" and isinstance(value, YamlMap):
                    yield from (name.text for name, _ in value.entries)
                yield from _assigned(value)
        case YamlScalar():
            pass


# -- inputs


def primary_input(inputs: Mapping[str, InputDefinition]) -> str | None:
    """`task`, else `input`, else `message`, else the only required one, else the only one."""
    for name in ("task", "input", "message"):
        if name in inputs:
            return name
    required = [name for name, each in inputs.items() if each.required]
    if len(required) == 1:
        return required[0]
    return next(iter(inputs)) if len(inputs) == 1 else None


def read_inputs(fields: Fields) -> dict[str, InputDefinition]:
    """A mapping name -> definition or type, or a list of names or definitions."""
    node = fields.take("inputs")
    path = fields.at("inputs")
    found: dict[str, InputDefinition] = {}
    for name_node, value in entries(fields.reading, node, path, "input", "V005", bare=True):
        name = name_node.text
        if name in found:
            fields.reading.error("V003", name_node, f"the input '{name}' is defined twice", path=path)
        elif check_variable(fields.reading, name_node, name, path):
            definition = None if value is name_node else value
            found[name] = _input(fields.reading, name, definition, f"{path}.{name}")
            fields.reading.keep_origin(found[name], name_node, f"{path}.{name}")
    return found


def _input(reading: Reading, name: str, node: YamlNode | None, path: str) -> InputDefinition:
    if node is None:  # only a name in a list
        return InputDefinition(name=name, type="any")
    if isinstance(node, YamlScalar):
        return InputDefinition(name=name, type=read_type(reading, node, path))
    if not isinstance(node, YamlMap):
        reading.error("V005", node, f"an input must be a type or a mapping, not {shape(node)}", path=path)
        return InputDefinition(name=name)
    return _definition(reading, name, Fields(reading, node, path))


def _definition(reading: Reading, name: str, fields: Fields) -> InputDefinition:
    fields.text("name")
    type_ = fields.take("type")
    enum = fields.items("enum")
    required = fields.flag("required", True)
    default = fields.entries.get("default")
    fields.take("default")
    least, most = fields.maybe_number("min", float("-inf")), fields.maybe_number("max", float("-inf"))
    found = InputDefinition(
        name=name,
        type=read_type(reading, type_, fields.at("type")),
        description=fields.text("description"),
        required=required and default is None,
        enum=None if enum is None else tuple(reading.data(each, fields.at("enum")) for each in enum.items),
        min=least,
        max=most,
    )
    fields.finish()
    return found if default is None else _with_default(reading, fields, found, default)


def _with_default(
    reading: Reading, fields: Fields, found: InputDefinition, default: tuple[YamlScalar, YamlNode]
) -> InputDefinition:
    value = reading.data(default[1], fields.at("default"))
    required = fields.node.get("required")
    if isinstance(required, YamlScalar) and required.value is True:
        message = f"the input '{found.name}' is required and has a default, which applies"
        reading.error("W112", required, message, "remove 'required'", fields.path)
    if value is not None:
        try:
            value = check(found, value)
        except ValueError as error:
            fields.wrong("V043", "default", f"the default of '{found.name}' {error}")
            value = None
    return attrs.evolve(found, default=value, has_default=True)

"""Checks that need the whole document: names across it, calls between workflows, free inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs

from vega_trio.dsl.definitions import Named
from vega_trio.dsl.document import AgentDefinition, Document
from vega_trio.dsl.flow import check_flow
from vega_trio.dsl.inputs import check
from vega_trio.dsl.read_agents import AgentSection, check_team, listed
from vega_trio.dsl.read_workflows import primary_input
from vega_trio.dsl.reading import Reading, head_span
from vega_trio.dsl.template import Constant, Template, ValueTemplate
from vega_trio.dsl.walk import all_names, every_step, expressions, save_pattern
from vega_trio.dsl.words import BUILTIN_TOOLS, BUILTIN_VARIABLES
from vega_trio.dsl.workflow import (
    AskAction,
    IfAction,
    InputDefinition,
    ParallelAction,
    ParallelAgentAction,
    RepeatAction,
    ReturnAction,
    Step,
    TryAction,
    WorkflowAction,
    WorkflowDefinition,
)
from vega_trio.dsl.yaml_nodes import YamlMap, YamlNode, YamlScalar
from vega_trio.protocols import Files
from vega_trio.suggest import distance, remedy

_BOARD = ("bb_read", "bb_write", "bb_list")
_MEMORY = ("remember", "recall", "forget")
_META_TOOLS = frozenset({"delegate", "load_skill", *_BOARD, *_MEMORY})


@attrs.frozen(kw_only=True)
class Whole:
    """What the checks need besides the document: how agents were written, every tool name, the files."""

    agents: AgentSection
    tools: frozenset[str]
    files: Files
    root: str


def validate(reading: Reading, document: Document, whole: Whole) -> Document:
    """The document, its workflows' free names declared as inputs. Reports what is wrong with it."""
    check_team(reading, whole.agents)
    for named in whole.agents.named.values():
        _check_tools(reading, named.node.get("tools"), f"{named.path}.tools", document, whole)
        _check_brought(reading, named, document, whole)
        _check_knowledge(reading, named, document, whole)
    for step in (step for each in document.workflows.values() for step in every_step(each.steps)):
        if step.options.tools:
            origin = reading.origins[id(step.options.tools)]
            _check_tools(reading, origin.node, origin.path, document, whole)
    workflows = {name: with_free_inputs(each) for name, each in document.workflows.items()}
    for name, definition in workflows.items():
        reading.keep_origin_of(definition, document.workflows[name])
        check_flow(reading, definition, document.settings.expose_env)
        _check_calls(reading, definition, workflows)
    _check_recursion(reading, workflows)
    _check_unused(reading, document, whole.agents)
    return attrs.evolve(document, workflows=workflows)


# -- agents


def _unknown_server(reading: Reading, item: YamlScalar, server: str, servers: Collection[str], path: str) -> None:
    hint = remedy(server, servers, "the servers are") or "declare it under settings.mcp.servers"
    reading.error("V021", item, f"unknown MCP server '{server}'", hint, path)


def _check_tools(reading: Reading, node: YamlNode | None, path: str, document: Document, whole: Whole) -> None:
    """The names and patterns that an agent or a step lists."""
    servers = {each.name for each in document.settings.mcp_servers}
    known = BUILTIN_TOOLS | whole.tools
    for item in listed(node):
        name = item.text
        if name == "all" or name in known or name in _META_TOOLS:
            continue
        server, split, _ = name.partition("__")
        if not split:
            reading.error("V020", item, f"unknown tool '{name}'", remedy(name, known, "the tools are"), path)
        elif server not in servers:
            _unknown_server(reading, item, server, servers, path)
        elif "*" not in name:
            hint = "vega mcp list shows the tools of a connected server"
            reading.error("W110", item, f"whether '{server}' has this tool is known once it is connected", hint, path)


def _check_brought(reading: Reading, named: Named, document: Document, whole: Whole) -> None:
    """The tools that nobody has by naming them: they come with a team, its blackboard, or the memory."""
    agent = document.agents.get(named.name)
    if agent is None:
        return
    for item in listed(named.node.get("tools")):
        lacks = _lacks(item.text, agent, document)
        if lacks and item.text not in whole.tools:
            reading.error("V020", item, f"'{agent.name}' has no tool '{item.text}'", lacks, f"{named.path}.tools")


def _lacks(tool: str, agent: AgentDefinition, document: Document) -> str:
    """What would bring the agent such a tool; empty for one that it has, or that nothing has to bring."""
    if tool == "delegate":
        return "" if agent.team else "a 'team' brings it"
    if tool in _BOARD:
        shared = any(_shares(leader, agent, document) for leader in document.agents.values())
        return "" if shared else "'blackboard: true' in the leader's 'delegation' brings it"
    missing = tool in _MEMORY and not document.settings.memory_enabled
    return "'enabled: true' in settings.memory brings it" if missing else ""


def _shares(leader: AgentDefinition, agent: AgentDefinition, document: Document) -> bool:
    """Whether the leader's team has a blackboard, and the agent is of the team."""
    delegation = leader.delegation or document.settings.delegation
    has_board = bool(leader.team) and delegation is not None and delegation.blackboard
    return has_board and (agent is leader or agent.name in leader.team)


def _check_knowledge(reading: Reading, named: Named, document: Document, whole: Whole) -> None:
    path = f"{named.path}.knowledge"
    servers = {each.name for each in document.settings.mcp_servers}
    for item in listed(named.node.get("knowledge")):
        name = item.text.removeprefix("file://")
        server, is_resource, _ = name.partition("://")
        if is_resource and server not in servers:
            _unknown_server(reading, item, server, servers, path)
        if is_resource or any(mark in name for mark in "*?["):
            continue
        full = name if name.startswith("/") else f"{whole.root}/{name}" if whole.root else name
        if not whole.files.is_file(full):
            reading.error("V017", item, f"there is no file '{name}'", "the path is relative to the document", path)


def _check_unused(reading: Reading, document: Document, agents: AgentSection) -> None:
    """W101, where there are workflows to be used in."""
    if not document.workflows:
        return
    used = {name for agent in document.agents.values() for name in agent.team}
    used |= {each.text for named in agents.named.values() for each in listed(named.node.get("extends"))}
    for definition in document.workflows.values():
        for step in every_step(definition.steps):
            if isinstance(step.action, AskAction | ParallelAgentAction):
                used.add(step.action.agent)
    for name in document.agents:
        if name not in used:
            named = agents.named[name]
            message = f"no workflow and no team uses the agent '{name}'"
            reading.error("W101", named.name_node, message, path=named.path)


# -- free inputs


def with_free_inputs(definition: WorkflowDefinition) -> WorkflowDefinition:
    """A workflow that declares no inputs takes the names that nothing sets as inputs of any type.

    One that is used without a fallback is required. A slip of a name that is set stays undefined.
    """
    if definition.declares_inputs:
        return definition
    bound = all_names(definition)
    patterns = [each for each in map(save_pattern, every_step(definition.steps)) if each is not None]
    required: dict[str, bool] = {}
    for expression in expressions(definition):
        for reference in expression.references:
            name = reference.name
            if name not in bound and name not in BUILTIN_VARIABLES and not any(map(name.startswith, patterns)):
                required[name] = required.get(name, False) or reference.use == "value"
    inputs = {
        name: InputDefinition(name=name, type="any", required=needed)
        for name, needed in required.items()
        if not any(_is_slip(name, each) for each in bound)
    }
    return attrs.evolve(definition, inputs=inputs, primary=primary_input(inputs))


def _is_slip(name: str, bound: str) -> bool:
    """Whether one edit makes the bound name of it; a plural is meant."""
    return len(name) > 2 and name != bound + "s" and bound != name + "s" and distance(name, bound, 1) <= 1


# -- calls between workflows


def _check_calls(reading: Reading, definition: WorkflowDefinition, workflows: Mapping[str, WorkflowDefinition]) -> None:
    """The inputs of `workflow:` steps against those of the workflow that is called: V040-V042."""
    for step in every_step(definition.steps):
        if not isinstance(step.action, WorkflowAction) or step.action.workflow not in workflows:
            continue
        action, target = step.action, workflows[step.action.workflow]
        for name, value in action.inputs.items():
            _check_input(reading, action, target, name, value)
        given = action.inputs.keys()
        primary = target.primary if given & {"task", "input"} else None
        for each in target.inputs.values():
            if each.required and each.name not in given and each.name != primary:
                hint = f"give it: with: {{{each.name}: ...}}"
                message = f"'{target.name}' needs the input '{each.name}'"
                reading.error_in(action, "V040", message, hint)


def _check_input(
    reading: Reading, action: WorkflowAction, target: WorkflowDefinition, name: str, value: ValueTemplate
) -> None:
    node = reading.origins[id(action.inputs)].node
    key = next(each for each, _ in node.entries if each.text == name) if isinstance(node, YamlMap) else node
    path = f"{reading.origins[id(action.inputs)].path}.{name}"
    wanted = target.inputs.get(name)
    if wanted is None:
        if name not in ("task", "input") or target.primary is None:
            hint = remedy(name, target.inputs, "its inputs are") or "it takes no inputs"
            reading.report.add("V041", head_span(key), f"'{target.name}' has no input '{name}'", hint, path)
        return
    if isinstance(value, Constant) and value.value is not None:
        fixed: object = value.value
    elif isinstance(value, Template) and not value.references and "{{" not in value.text:
        fixed = value.text
    else:
        return
    try:
        check(wanted, fixed)
    except ValueError as error:
        reading.report.add("V042", head_span(key), f"the input '{name}' of '{target.name}' {error}", path=path)


def _check_recursion(reading: Reading, workflows: Mapping[str, WorkflowDefinition]) -> None:
    """V036: a workflow that, whatever happens, comes to call itself."""
    calls = {name: {call.workflow: call for call in _certain(each.steps)} for name, each in workflows.items()}
    for name in workflows:
        trail = _trail(name, calls)
        if trail:
            message = f"'{name}' calls itself without end: {' -> '.join([name, *trail])}"
            reading.error_in(calls[name][trail[0]], "V036", message, "put the call under an 'if'")


def _certain(steps: Sequence[Step]) -> Iterator[WorkflowAction]:
    """The calls that are made on every path, up to the first step that may return."""
    for step in steps:
        if any(isinstance(each.action, ReturnAction) for each in every_step([step])):
            return
        if step.options.guard is None:
            yield from _certain_of(step)


def _certain_of(step: Step) -> Iterator[WorkflowAction]:
    match step.action:
        case WorkflowAction():
            yield step.action
        case RepeatAction():
            yield from _certain(step.action.steps)
        case ParallelAction():
            for branch in step.action.branches:
                yield from _certain(branch.steps)
        case TryAction():
            yield from _certain(step.action.body)
        case IfAction(_, then, otherwise):
            both = {call.workflow for call in _certain(then)} & {call.workflow for call in _certain(otherwise)}
            yield from (call for call in _certain(then) if call.workflow in both)
        case _:
            pass


def _trail(name: str, calls: Mapping[str, Mapping[str, WorkflowAction]]) -> list[str]:
    """The shortest way of certain calls from a workflow back to itself; empty when there is none."""
    ways: list[list[str]] = [[each] for each in calls[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        if way[-1] == name:
            return way
        if way[-1] in seen or way[-1] not in calls:
            continue
        seen.add(way[-1])
        ways.extend([*way, each] for each in calls[way[-1]])
    return []

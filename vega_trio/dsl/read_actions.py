"""Reads the actions of steps that are words of the language: one function each, by word."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

import attrs

from vega_trio.dsl.fields import Fields
from vega_trio.dsl.reading import Reading
from vega_trio.dsl.template import Constant, ValueTemplate, compile_template
from vega_trio.dsl.values import MAX_COUNT
from vega_trio.dsl.words import bad_variable, variable_hint
from vega_trio.dsl.workflow import (
    Action,
    ForAction,
    IfAction,
    ParallelAction,
    ParallelAgentAction,
    ParallelBranch,
    RecallAction,
    RememberAction,
    RepeatAction,
    ReturnAction,
    SetAction,
    Step,
    TryAction,
    WorkflowAction,
)
from vega_trio.dsl.yaml_nodes import YamlList, YamlMap, YamlNode, YamlScalar
from vega_trio.suggest import remedy

_FOR = re.compile(r"\s*([^\W\d]\w*)(?:\s*,\s*([^\W\d]\w*))?\s+in\s+(?=\S)")
_PATH = re.compile(r"[^\W\d]\w*(?:\.\w+|\[-?[0-9]+\])*")


@attrs.frozen(kw_only=True)
class Inside:
    """Where a step stands: how the steps within it are read, the names of agents and workflows, the variables.

    `nested(node, path, parallel)` reads a list of steps.
    """

    reading: Reading
    nested: Callable[[YamlNode | None, str, bool], tuple[Step, ...]]
    agents: Collection[str]
    workflows: Collection[str]
    variables: Collection[str]
    parallel: bool

    def steps(self, fields: Fields, key: str, *, parallel: bool = False) -> tuple[Step, ...]:
        return self.nested(fields.take(key), fields.at(key), self.parallel or parallel)


def loop_variables(text: str) -> tuple[str, ...]:
    """The variables that `item in EXPR` sets; none when it is nothing of the kind."""
    found = _FOR.match(text)
    return tuple(name for name in found.groups() if name) if found else ()


# -- names of variables


def check_variable(reading: Reading, node: YamlNode, name: str, path: str) -> bool:
    problem = bad_variable(name)
    if problem:
        reading.error("V037", node, f"the variable name '{name[:40]}' {problem}", variable_hint(name), path)
    return not problem


def bare_value(inside: Inside, node: YamlNode, path: str) -> ValueTemplate:
    """The value of `return` and `output`: a bare variable or path is its value, other bare text is literal."""
    if not isinstance(node, YamlScalar) or not isinstance(node.value, str) or "{{" in node.value:
        return inside.reading.value_template(node, path)
    text = node.value.strip()
    found = _PATH.fullmatch(text)
    if found and re.split(r"[.\[]", text, maxsplit=1)[0] in inside.variables:
        made = compile_template("{{" + text + "}}")
        inside.reading.keep_origin(made, node, path, -len("{{"))
        return made
    hint = "write a variable as {{name}}"
    inside.reading.error("W111", node, f"'{text[:40]}' is literal text: no variable has that name", hint, path)
    return Constant(node.value)


# -- control


def _if(inside: Inside, fields: Fields, _: YamlNode) -> Action:
    node = fields.take("if")
    assert node is not None
    condition = inside.reading.condition(node, fields.at("if"))
    if "then" not in fields.entries:
        fields.wrong("V032", "if", "'if' needs 'then', or an action beside it", "write the steps below then:")
    return IfAction(condition, inside.steps(fields, "then"), inside.steps(fields, "else"))


def _for(inside: Inside, fields: Fields, node: YamlNode) -> Action:
    return for_action(inside, node, 0, fields.at("for"), inside.steps(fields, "steps"), "steps" in fields.entries)


def for_action(
    inside: Inside, node: YamlNode, offset: int, path: str, steps: tuple[Step, ...], has_steps: bool
) -> ForAction:
    """Of the text `item in EXPR` behind `offset`."""
    reading = inside.reading
    text = node.text[offset:] if isinstance(node, YamlScalar) else ""
    found = _FOR.match(text)
    if not isinstance(node, YamlScalar) or found is None:
        reading.error("V034", node, "'for' needs a variable and a list", "write: for: item in items", path)
        return ForAction(("item",), reading.expression(_empty_list(node), 0, path), steps)
    names = loop_variables(text)
    for name in names:
        check_variable(reading, node, name, path)
    if not has_steps:
        reading.error("V034", node, "'for' needs 'steps'", "write below it: steps: [...]", path)
    return ForAction(names, reading.expression(node, offset + found.end(), path), steps)


def _empty_list(node: YamlNode) -> YamlScalar:
    return YamlScalar("[]", "[]", "", node.span)


def _repeat(inside: Inside, fields: Fields, _: YamlNode) -> Action:
    inner = fields.inner("repeat")
    if inner is None:
        return RepeatAction(())
    until = inner.take("until")
    steps = inside.steps(inner, "steps")
    if not steps:
        fields.wrong("V032", "repeat", "'repeat' needs 'steps'", "write: repeat: {steps: [...], until: ...}")
    most = _whole_or_template(inner, "max")
    inner.finish()
    condition = None if until is None else inside.reading.condition(until, inner.at("until"))
    return RepeatAction(steps, condition, most)


def _whole_or_template(fields: Fields, key: str) -> ValueTemplate | None:
    node = fields.take(key)
    if isinstance(node, YamlScalar) and isinstance(node.value, str) and "{{" in node.value:
        return fields.reading.template(node, fields.at(key))
    found = fields.maybe_whole(key, 1, MAX_COUNT)
    return None if found is None else Constant(found)


def _parallel(inside: Inside, fields: Fields, node: YamlNode) -> Action:
    if isinstance(node, YamlMap):
        return _parallel_agent(inside, fields) if _is_for_agent(node) else _parallel_without_list(fields, node)
    branches = fields.items("parallel")
    limit = fields.maybe_whole("limit", 1)
    path = fields.at("parallel")
    items = () if branches is None else branches.items
    read = (inside.nested(item, f"{path}[{i}]", True) for i, item in enumerate(items))
    listed = (isinstance(item, YamlList) for item in items)
    return ParallelAction(tuple(map(ParallelBranch, read, listed)), limit)


def _is_for_agent(node: YamlMap) -> bool:
    return not node.entries or any(key.text in ("agent", "inputs", "limit", "save") for key, _ in node.entries)


def _parallel_without_list(fields: Fields, node: YamlMap) -> Action:
    first = node.entries[0][0]
    message, hint = "'parallel' needs a list of steps", f"put '- ' before each of them: - {first.text}: ..."
    fields.reading.error("V032", first, message, hint, fields.at("parallel"))
    return ParallelAction(())


def _parallel_agent(inside: Inside, fields: Fields) -> Action:
    inner = fields.inner("parallel")
    assert inner is not None
    agent = inner.text("agent")
    if "agent" not in inner.entries:
        inner.lacking("V032", "'parallel' needs an 'agent', or a list of steps", "write: agent: NAME")
    elif agent not in inside.agents:
        hint = remedy(agent, inside.agents, "the agents are")
        inner.wrong("V012", "agent", f"unknown agent '{agent}'", hint)
    inner.take("save")
    limit = inner.maybe_whole("limit", 1)
    node = inner.take("inputs")
    action = ParallelAgentAction(agent, (), limit)
    if isinstance(node, YamlList):
        items = (inside.reading.template(item, f"{inner.at('inputs')}[{i}]") for i, item in enumerate(node.items))
        action = ParallelAgentAction(agent, tuple(items), limit)
    elif isinstance(node, YamlScalar) and isinstance(node.value, str):
        action = ParallelAgentAction(agent, inside.reading.expression(node, 0, inner.at("inputs")), limit)
    else:
        inner.wrong("V032", "inputs", "'parallel' needs 'inputs': a list of messages", "write: inputs: [...]")
    inner.finish()
    return action


def _try(inside: Inside, fields: Fields, _: YamlNode) -> Action:
    if "catch" not in fields.entries:
        hint = "write beside it: catch: [...], or use continue_on_error: true instead"
        fields.wrong_key("V032", "try", "'try' needs a 'catch'", hint)
    return TryAction(inside.steps(fields, "try"), inside.steps(fields, "catch"))


def _workflow(inside: Inside, fields: Fields, node: YamlNode) -> Action:
    name = fields.text("workflow")
    if name and name not in inside.workflows:
        hint = remedy(name, inside.workflows, "the workflows are")
        fields.wrong("V031", "workflow", f"unknown workflow '{name}'", hint)
    given = fields.inner("with")
    inputs: dict[str, ValueTemplate] = {}
    for key, (_, value) in (given.entries if given else {}).items():
        path = f"{fields.at('with')}.{key}"
        inputs[key] = inside.reading.value_template(value, path)
    action = WorkflowAction(name, inputs)
    if given is not None:
        inside.reading.keep_origin(inputs, given.node, given.path)
    inside.reading.keep_origin(action, node, fields.at("workflow"))
    return action


# -- values


def _set(inside: Inside, fields: Fields, _: YamlNode) -> Action:
    inner = fields.inner("set")
    values: dict[str, ValueTemplate] = {}
    for name, (key, value) in (inner.entries if inner else {}).items():
        assert inner is not None
        if check_variable(inside.reading, key, name, inner.at(name)):
            values[name] = inside.reading.value_template(value, inner.at(name))
    return SetAction(values)


def _return(inside: Inside, fields: Fields, _: YamlNode) -> Action:
    key, node = fields.entries["return"]
    fields.take("return")
    if inside.parallel:
        hint = "save the value, and return it after the join"
        inside.reading.error("V035", key, "'return' cannot stand inside 'parallel'", hint, fields.at("return"))
    return ReturnAction(bare_value(inside, node, fields.at("return")))


def _remember(inside: Inside, fields: Fields, _: YamlNode) -> Action:
    inner = fields.inner("remember")
    if inner is None:
        return RememberAction(compile_template(""), Constant(None))
    key = inner.take("key")
    entry = inner.entries.get("value")
    inner.take("value")
    if key is None or entry is None:
        fields.wrong("V032", "remember", "'remember' needs a 'key' and a 'value'", _REMEMBER)
    inner.finish()
    return RememberAction(
        compile_template("") if key is None else inside.reading.template(key, inner.at("key")),
        Constant(None) if entry is None else inside.reading.value_template(entry[1], inner.at("value")),
    )


def _recall(inside: Inside, fields: Fields, _: YamlNode) -> Action:
    inner = fields.inner("recall")
    if inner is None:
        return RecallAction(compile_template(""))
    key, default = inner.take("key"), inner.take("default")
    inner.take("save")
    if key is None:
        fields.wrong("V032", "recall", "'recall' needs a 'key'", "write: recall: {key: ..., save: ...}")
    inner.finish()
    return RecallAction(
        compile_template("") if key is None else inside.reading.template(key, inner.at("key")),
        None if default is None else inside.reading.value_template(default, inner.at("default")),
    )


_REMEMBER = "write: remember: {key: ..., value: ...}; value: null forgets"


ActionReader = Callable[[Inside, Fields, YamlNode], Action]

ACTION_READERS: Mapping[str, ActionReader] = {
    "if": _if,
    "for": _for,
    "repeat": _repeat,
    "parallel": _parallel,
    "try": _try,
    "workflow": _workflow,
    "set": _set,
    "return": _return,
    "remember": _remember,
    "recall": _recall,
}


def inner_save(action_node: YamlNode) -> YamlNode | None:
    """The `save` within `parallel: {agent, ..}` and `recall: {key, ..}`."""
    return action_node.get("save") if isinstance(action_node, YamlMap) else None


def describe_step(word: str, node: YamlNode) -> str:
    """How the step reads in a list."""
    if word in ("for", "workflow", "if") and isinstance(node, YamlScalar):
        return f"{word} {node.text.strip()[:80]}"
    return word

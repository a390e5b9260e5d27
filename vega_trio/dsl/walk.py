"""Walks the steps of a workflow: the steps within a step, the expressions it uses, the names it sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vega_trio.dsl.template import Condition, Expression, ListTemplate, MapTemplate, Template, ValueTemplate
from vega_trio.dsl.workflow import (
    Action,
    AskAction,
    ForAction,
    IfAction,
    ParallelAction,
    ParallelAgentAction,
    RecallAction,
    RememberAction,
    RepeatAction,
    ReturnAction,
    SetAction,
    Step,
    TryAction,
    WorkflowAction,
    WorkflowDefinition,
)

Expressive = Template | Expression | Condition


def blocks(step: Step) -> list[Sequence[Step]]:
    """The lists of steps within a step."""
    found: list[Sequence[Step]] = []
    match step.action:
        case IfAction(_, then, otherwise):
            found = [then, otherwise]
        case ForAction() | RepeatAction():
            found = [step.action.steps]
        case ParallelAction(branches):
            found = [branch.steps for branch in branches]
        case TryAction(body, handler):
            found = [body, handler]
        case _:
            pass
    return found if step.options.on_timeout is None else [*found, step.options.on_timeout]


def every_step(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps and all within them, in written order."""
    for step in steps:
        yield step
        for block in blocks(step):
            yield from every_step(block)


def value_expressions(value: ValueTemplate | None) -> Iterator[Template]:
    match value:
        case Template():
            yield value
        case ListTemplate(items):
            for item in items:
                yield from value_expressions(item)
        case MapTemplate(entries):
            for item in entries.values():
                yield from value_expressions(item)
        case _:
            pass


def before_blocks(action: Action) -> Iterator[Expressive]:
    """The expressions that an action uses before any step within it runs."""
    match action:
        case AskAction():
            yield action.message
        case IfAction():
            yield action.condition
        case ForAction():
            yield action.source
        case RepeatAction():
            yield from value_expressions(action.max)
        case ParallelAgentAction():
            yield from action.inputs if isinstance(action.inputs, tuple) else (action.inputs,)
        case ParallelAction() | TryAction():
            pass
        case _:
            yield from _of_values(action)


def _of_values(action: WorkflowAction | SetAction | ReturnAction | RememberAction | RecallAction) -> Iterator[Template]:
    match action:
        case WorkflowAction():
            for value in action.inputs.values():
                yield from value_expressions(value)
        case SetAction():
            for value in action.values.values():
                yield from value_expressions(value)
        case ReturnAction():
            yield from value_expressions(action.value)
        case RememberAction():
            yield action.key
            yield from value_expressions(action.value)
        case RecallAction():
            yield action.key
            yield from value_expressions(action.default)


def expressions(definition: WorkflowDefinition) -> Iterator[Expressive]:
    """Every expression of a workflow."""
    for step in every_step(definition.steps):
        if step.options.guard is not None:
            yield step.options.guard
        yield from before_blocks(step.action)
        if isinstance(step.action, RepeatAction) and step.action.until is not None:
            yield step.action.until
        if step.options.save is not None:
            yield step.options.save
    yield from value_expressions(definition.output)


def saved_names(step: Step) -> tuple[str, ...]:
    """The variables that a step's own `save`, `id` or `set` sets, those of steps within it aside."""
    names = list(step.action.values) if isinstance(step.action, SetAction) else []
    save = step.options.save
    if save is not None and "{{" not in save.text:
        names.append(save.text)
    elif save is None and step.named:
        names.append(step.id)
    return tuple(names)


def all_names(definition: WorkflowDefinition) -> dict[str, str]:
    """Every variable that the workflow declares or sets, and how."""
    found = dict.fromkeys(definition.inputs, "input")
    for step in every_step(definition.steps):
        if isinstance(step.action, ForAction):
            for name in step.action.names:
                found.setdefault(name, f"loop on line {step.place.line}")
        for name in saved_names(step):
            found.setdefault(name, f"line {step.place.line}")
    return found


def save_pattern(step: Step) -> str | None:
    """How the names begin that a templated `save` gives; None when `save` is no template."""
    save = step.options.save
    if save is None or "{{" not in save.text:
        return None
    first = save.parts[0]
    return first if isinstance(first, str) else ""

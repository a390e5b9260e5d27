"""A workflow's steps as a tree to look at, with the paths under which a run tells of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from vega_trio.dsl.workflow import (
    AskAction,
    ForAction,
    IfAction,
    ParallelAction,
    ParallelAgentAction,
    RepeatAction,
    Step,
    TryAction,
    WorkflowAction,
    WorkflowDefinition,
)

LONGEST = 80  # characters of a condition in a title


@attrs.frozen(kw_only=True)
class StepBlock:
    """Steps within a step, in order. `name`: then, else, try, catch, on_timeout, pass, or parallel[N]."""

    name: str
    steps: tuple[StepNode, ...]


@attrs.frozen(kw_only=True)
class StepNode:
    """A step. `path` is a run's, but that `#` stands without the number of the pass; `workflow` is one it calls."""

    path: str
    id: str
    kind: str
    title: str
    agent: str | None = None
    workflow: str | None = None
    blocks: tuple[StepBlock, ...] = ()


def outline(definition: WorkflowDefinition) -> tuple[StepNode, ...]:
    """The steps of a workflow, nested as written."""
    return _nodes(definition.steps, f"{definition.name}/")


def _nodes(steps: Sequence[Step], prefix: str) -> tuple[StepNode, ...]:
    return tuple(_node(step, f"{prefix}{number}") for number, step in enumerate(steps))


def _node(step: Step, path: str) -> StepNode:
    action = step.action
    return StepNode(
        path=path,
        id=step.id,
        kind=step.kind,
        title=_title(step),
        agent=action.agent if isinstance(action, AskAction | ParallelAgentAction) else None,
        workflow=action.workflow if isinstance(action, WorkflowAction) else None,
        blocks=tuple(block for block in _blocks(step, path) if block.steps),
    )


def _title(step: Step) -> str:
    """With the condition under which the step is made at all."""
    guard = step.options.guard
    return step.title if guard is None else f"if {' '.join(guard.text.split())[:LONGEST]}: {step.title}"


def _blocks(step: Step, path: str) -> list[StepBlock]:
    found: list[StepBlock] = []
    match step.action:
        case IfAction(_, then, otherwise):
            found = [_block("then", then, path), _block("else", otherwise, path)]
        case TryAction(body, handler):
            found = [_block("try", body, path), _block("catch", handler, path)]
        case ForAction(steps=steps) | RepeatAction(steps=steps):
            found = [StepBlock(name="pass", steps=_nodes(steps, f"{path}#."))]
        case ParallelAction(branches):
            for number, branch in enumerate(branches):
                inner = f"{path}.parallel[{number}]"
                if branch.listed:
                    nodes = _nodes(branch.steps, f"{inner}.")
                else:
                    nodes = tuple(_node(each, inner) for each in branch.steps)
                found.append(StepBlock(name=f"parallel[{number}]", steps=nodes))
        case _:
            pass
    late = step.options.on_timeout
    return found if late is None else [*found, _block("on_timeout", late, path)]


def _block(name: str, steps: Sequence[Step], path: str) -> StepBlock:
    return StepBlock(name=name, steps=_nodes(steps, f"{path}.{name}."))

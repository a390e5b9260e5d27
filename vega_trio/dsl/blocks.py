"""What blocks of steps have in common: the value that is none, and the branches of a fork."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from enum import Enum
from typing import Any, Final, TypeVar

from vega_trio.dsl.effects import Branch, BranchResult, Effect, Fork, Note, Read, StepFailed
from vega_trio.dsl.nodes import Reference
from vega_trio.dsl.notes import Spent
from vega_trio.dsl.variables import Variables
from vega_trio.dsl.workflow import Step

_T = TypeVar("_T")
Run = Generator[Effect, Any, _T]


class _Nothing(Enum):
    NOTHING = "nothing"


NOTHING: Final = _Nothing.NOTHING


def or_null(value: object) -> object:
    return None if value is NOTHING else value


# -- branches


def branch_body(variables: Variables, spent: Spent, body: Run[object]) -> Generator[Effect, Any, BranchResult]:
    """A branch's generator: its own effects, and what it leaves behind."""
    value = yield from body
    cost, duration = spent.since(Spent())
    return BranchResult(
        value=value, writes=variables.writes, steps=variables.step_writes, cost_usd=cost, duration_ms=duration
    )


def fork_of(
    path: str,
    bodies: Iterable[tuple[str, Generator[Effect, Any, BranchResult]]],
    conversation: str,
    limit: int | None = None,
) -> Fork:
    """`bodies` are (path, generator); the path names the branch's conversation too."""
    branches = tuple(Branch(path=inner, conversation=inner, body=body) for inner, body in bodies)
    return Fork(path=path, branches=branches, conversation=conversation, limit=limit)


def join(variables: Variables, spent: Spent, results: Sequence[BranchResult]) -> None:
    """Writes merge in written order; side by side, the longest counts."""
    for result in results:
        variables.merge(result.writes, result.steps)
        spent.add(result.cost_usd, 0)
    spent.duration_ms += max(result.duration_ms for result in results)


def noted_exchange(exchange: Run[object], step: Step, agent: str, path: str, spent: Spent) -> Run[object]:
    """One branch of `parallel: {agent, inputs}`, told like a step of its own."""
    yield Note(path=path, what="started", kind="ask", title=agent, agent=agent)
    try:
        value = yield from exchange
    except StepFailed as failure:
        failure.agent = failure.agent or agent
        failure.path, failure.place = failure.path or path, failure.place or step.place
        yield Note(path=path, what="finished", kind="ask", agent=agent, status="failed", error=failure.message)
        raise
    cost, duration = spent.since(Spent())
    yield Note(
        path=path, what="finished", kind="ask", agent=agent, status="completed", cost_usd=cost, duration_ms=duration
    )
    return value


# -- the world


def ready(variables: Variables, references: Sequence[Reference], path: str) -> Run[None]:
    """Reads from the world what an expression is about to use."""
    if not references:
        return
    names = variables.unread({reference.name for reference in references})
    if names & {"now", "date", "time"}:
        now = str((yield Read(path=path, what="now")))
        variables.scope.update({"now": now, "date": now[:10], "time": now[11:19]})
    if "random" in names:
        variables.scope["random"] = yield Read(path=path, what="random")
    if "run_id" in names and "run_id" not in variables.scope:
        variables.scope["run_id"] = yield Read(path=path, what="run_id")
    for reference in references:
        if reference.name == "env" and reference.path:
            value = yield Read(path=path, what="env", name=reference.path[0])
            variables.environment(reference.path[0], value)

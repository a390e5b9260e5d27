"""What a run says of its steps: notes for the journal, records for `steps.ID`, and the place of a failure."""

from __future__ import annotations

from typing import Literal

import attrs

from vega_trio.dsl.effects import Note, StepFailed
from vega_trio.dsl.values import ExpressionError
from vega_trio.dsl.workflow import AskAction, ParallelAgentAction, Step


@attrs.define
class Spent:
    """What asks have cost and taken so far. `unpriced` counts those without a known price."""

    cost_usd: float = 0.0
    unpriced: int = 0
    duration_ms: int = 0

    def add(self, cost_usd: float | None, duration_ms: int) -> None:
        if cost_usd is None:
            self.unpriced += 1
        else:
            self.cost_usd += cost_usd
        self.duration_ms += duration_ms

    def since(self, before: Spent) -> tuple[float | None, int]:
        cost = None if self.unpriced > before.unpriced else self.cost_usd - before.cost_usd
        return cost, self.duration_ms - before.duration_ms


@attrs.frozen
class Noted:
    """The notes of one step."""

    step: Step
    path: str

    @property
    def agent(self) -> str:
        action = self.step.action
        return action.agent if isinstance(action, AskAction | ParallelAgentAction) else ""

    def started(self) -> Note:
        step = self.step
        return Note(path=self.path, what="started", kind=step.kind, title=step.title, agent=self.agent)

    def skipped(self) -> Note:
        step = self.step
        return Note(path=self.path, what="skipped", kind=step.kind, title=step.title, agent=self.agent)

    def finished(
        self, status: Literal["completed", "failed"], error: str, cost_usd: float | None, duration_ms: int
    ) -> Note:
        return Note(
            path=self.path,
            what="finished",
            kind=self.step.kind,
            title=self.step.title,
            agent=self.agent,
            status=status,
            error=error,
            cost_usd=cost_usd,
            duration_ms=duration_ms,
        )


def record(
    status: str,
    step: Step,
    output: object = None,
    error: str | None = None,
    cost_usd: float | None = None,
    duration_ms: int = 0,
) -> dict[str, object]:
    """What `steps.ID` gives."""
    return {
        "output": output,
        "status": status,
        "error": error,
        "agent": Noted(step, "").agent or None,
        "cost_usd": cost_usd,
        "duration_ms": duration_ms,
    }


def located(error: StepFailed | ExpressionError, step: Step, path: str) -> StepFailed:
    """The failure with the place of the innermost step that it belongs to."""
    if isinstance(error, ExpressionError):
        error = StepFailed(str(error), error.error_class, code=error.code)
    if not error.path:
        error.path, error.place = path, step.place
        error.agent = error.agent or Noted(step, "").agent
    return error

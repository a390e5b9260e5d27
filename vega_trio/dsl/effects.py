"""What a running workflow asks of its driver, and how the driver answers.

`interpret` is a generator of these. The driver carries each effect out and sends the answer, or throws a
`StepFailed`. Nothing here waits, knows the time or touches the world.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Literal

import attrs

from vega_trio.dsl.policy import BudgetDefinition, Place
from vega_trio.dsl.workflow import StepRetry
from vega_trio.errors import VegaError


class StepFailed(VegaError):
    """A step failed. `error_class` is a class of dsl.md section 9; `code` an R code when there is one.

    The driver needs to give only the message and the class. The interpreter adds the innermost step's path,
    agent and place, which the text of the error then begins and ends with.
    """

    def __init__(
        self,
        message: str,
        error_class: str = "temporary",
        *,
        code: str = "",
        path: str = "",
        agent: str = "",
        place: Place | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_class = error_class
        self.code = code
        self.path = path
        self.agent = agent
        self.place = place

    def __str__(self) -> str:
        if not self.path:
            return self.message
        agent = f" ({self.agent})" if self.agent else ""
        place = f" ({self.place})" if self.place else ""
        return f"step {self.path}{agent}: {self.message}{place}"


class StepTimeout(StepFailed):
    """A step took longer than its `timeout`. Class timeout, R004."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"the step took longer than its timeout of {timeout_s:g} s", "timeout", code="R004")
        self.timeout_s = timeout_s


# -- effects


@attrs.frozen(kw_only=True)
class Ask:
    """Ask an agent. Answer: an `AskReply`, or throw StepFailed, StepTimeout.

    `path` is the step's; with the run's id and the attempt it is the key of the mail. `conversation` names the
    conversation that is used: see `Fork` and `Branch`. `timeout_s` bounds each attempt; the pauses between the
    attempts of `retry` are the driver's. `fresh` asks with empty history; an exchange that is not `kept` leaves
    no trace in it (the correction of a badly formed reply).
    """

    path: str
    agent: str
    message: str
    conversation: str = ""
    timeout_s: float | None = None
    budget: BudgetDefinition | None = None
    retry: StepRetry | None = None
    tools: tuple[str, ...] | None = None
    fresh: bool = False
    kept: bool = True


@attrs.frozen
class AskReply:
    """`cost_usd` is None when no price is known."""

    text: str
    cost_usd: float | None = None
    duration_ms: int = 0


@attrs.frozen(kw_only=True)
class Branch:
    """A branch of a `Fork`. `body` is driven like a workflow's generator; it returns a `BranchResult`.

    `conversation` is its own, and starts as a copy of the fork's as it is at the fork.
    """

    path: str
    conversation: str
    body: Generator[Effect, Any, BranchResult] = attrs.field(repr=False, eq=False)


@attrs.frozen(kw_only=True)
class BranchResult:
    """What a branch gave. The driver only hands it back."""

    value: object
    writes: Mapping[str, object]
    steps: Mapping[str, object]
    cost_usd: float | None
    duration_ms: int


@attrs.frozen(kw_only=True)
class Fork:
    """Run branches side by side, at most `limit` at a time. Answer: their results, in the order of the branches.

    When one raises StepFailed the others are cancelled (`close()`), and it is thrown in here. A sub-workflow is a
    fork of one branch, from a conversation in which nothing was ever said.
    """

    path: str
    branches: tuple[Branch, ...]
    conversation: str = ""
    limit: int | None = None


@attrs.frozen(kw_only=True)
class Within:
    """Run `body` for at most `timeout_s`. Answer: what it returns. When time is up, `close()` it and throw
    `StepTimeout(timeout_s)`; a StepFailed that it raises is thrown in here.
    """

    path: str
    timeout_s: float
    body: Generator[Effect, Any, object] = attrs.field(repr=False, eq=False)


@attrs.frozen(kw_only=True)
class Remember:
    """Keep a JSON value under a key, durably, before the answer (None). `value` None forgets."""

    path: str
    key: str
    value: object


@attrs.frozen(kw_only=True)
class Recall:
    """Answer: the value kept under the key, or `values.UNDEFINED`."""

    path: str
    key: str


@attrs.frozen(kw_only=True)
class Read:
    """Something of the world. Answer: for `now` the local time in ISO 8601 with its offset
    (`2026-11-22T10:15:30+01:00`), for `random` a new UUID's text, for `run_id` the run's id, for `env` the
    environment variable `name`, or None when it is not set.
    """

    path: str
    what: Literal["now", "random", "run_id", "env"]
    name: str = ""


@attrs.frozen(kw_only=True)
class Note:
    """Something happened, for events and the journal. Answer: None.

    `what` "started" opens a step, "finished" ends it (`status` completed or failed, with `error`), "skipped" says
    that its `if` was false, "pass" that pass `number` (0-based) of a loop begins.
    """

    path: str
    what: Literal["started", "finished", "skipped", "pass"]
    kind: str = ""
    title: str = ""
    agent: str = ""
    status: Literal["", "completed", "failed"] = ""
    error: str = ""
    cost_usd: float | None = None
    duration_ms: int = 0
    number: int = 0


Effect = Ask | Fork | Within | Remember | Recall | Read | Note


@attrs.frozen(kw_only=True)
class Result:
    """How a workflow ended: its output, and its variables as they were then."""

    value: object
    variables: Mapping[str, object] = attrs.field(factory=dict)

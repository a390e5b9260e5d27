"""Workflows as declared in a document: inputs, steps, output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from vega_trio.agent import BackoffConfig
from vega_trio.dsl.policy import BudgetDefinition, Place
from vega_trio.dsl.template import Condition, Expression, Template, ValueTemplate
from vega_trio.dsl.values import ValueType


@attrs.frozen(kw_only=True)
class InputDefinition:
    """An input of a workflow. `default` (of the right type already) counts only when `has_default`.

    `min` and `max` bound a number, or the length of a text or list.
    """

    name: str
    type: ValueType = "string"
    description: str = ""
    required: bool = True
    default: object = None
    has_default: bool = False
    enum: tuple[object, ...] | None = None
    min: float | None = None
    max: float | None = None


@attrs.frozen
class StepRetry:
    """`max_attempts` is the total of asks, the first one included."""

    max_attempts: int
    backoff: BackoffConfig
    retry_on: tuple[str, ...]


@attrs.frozen
class AskAction:
    """Ask an agent; the value is its reply."""

    agent: str
    message: Template


@attrs.frozen
class IfAction:
    condition: Condition
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...]


@attrs.frozen
class ForAction:
    """`names` is one loop variable, or two for the keys and values of a mapping."""

    names: tuple[str, ...]
    source: Expression
    steps: tuple[Step, ...]


@attrs.frozen
class RepeatAction:
    """Passes until `until` holds after one, at most `max` of them."""

    steps: tuple[Step, ...]
    until: Condition | None = None
    max: ValueTemplate | None = None


@attrs.frozen
class ParallelBranch:
    """`listed`: it was written as a list of steps, and is not one step."""

    steps: tuple[Step, ...]
    listed: bool


@attrs.frozen
class ParallelAction:
    branches: tuple[ParallelBranch, ...]
    limit: int | None = None


@attrs.frozen
class ParallelAgentAction:
    """One branch asks `agent` for each message: of a list of templates, or of the list an expression gives."""

    agent: str
    inputs: tuple[Template, ...] | Expression
    limit: int | None = None


@attrs.frozen
class TryAction:
    body: tuple[Step, ...]
    handler: tuple[Step, ...]


@attrs.frozen
class WorkflowAction:
    workflow: str
    inputs: Mapping[str, ValueTemplate]


@attrs.frozen
class SetAction:
    """Variables in order of assignment."""

    values: Mapping[str, ValueTemplate]


@attrs.frozen
class ReturnAction:
    value: ValueTemplate


@attrs.frozen
class RememberAction:
    key: Template
    value: ValueTemplate


@attrs.frozen
class RecallAction:
    """What was remembered under the key; where there is nothing, `default`."""

    key: Template
    default: ValueTemplate | None = None


Action = (
    AskAction
    | IfAction
    | ForAction
    | RepeatAction
    | ParallelAction
    | ParallelAgentAction
    | TryAction
    | WorkflowAction
    | SetAction
    | ReturnAction
    | RememberAction
    | RecallAction
)


@attrs.frozen(kw_only=True)
class StepOptions:
    """What stands beside an action. `guard` is the `if` of a step that has an action besides.

    `tools` narrows what the agent may call for this ask; None leaves its own. `schema` is a JSON Schema.
    """

    save: Template | None = None
    guard: Condition | None = None
    timeout_s: float | None = None
    on_timeout: tuple[Step, ...] | None = None
    continue_on_error: bool = False
    budget: BudgetDefinition | None = None
    retry: StepRetry | None = None
    format: Literal["json", "yaml"] | None = None
    schema: Mapping[str, object] | None = None
    tools: tuple[str, ...] | None = None
    fresh: bool = False


@attrs.frozen(kw_only=True)
class Step:
    """One step. `id` names it in `steps.ID`: its own `id`, else `save`, else its key in lower case with `_`.

    `named` is true for a written `id`, which saves the value too where there is no `save`. `kind` is the
    action's word (`ask` for an agent's step); `title` is how the step reads in a list.
    """

    kind: str
    title: str
    id: str
    action: Action
    place: Place
    named: bool = False
    options: StepOptions = attrs.field(factory=StepOptions)


@attrs.frozen(kw_only=True)
class WorkflowDefinition:
    """A workflow. `inputs` holds the free names too when none are declared. `primary` is the input that `--task`,
    stdin and plain text bind to.
    """

    name: str
    steps: tuple[Step, ...]
    place: Place
    description: str = ""
    inputs: Mapping[str, InputDefinition] = attrs.field(factory=dict)
    declares_inputs: bool = True
    primary: str | None = None
    output: ValueTemplate | None = None
    timeout_s: float = 1800.0

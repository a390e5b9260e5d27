"""Workflows and their runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.app.outline import StepNode
from vega_trio.serve.models.common import RunStatus


@attrs.frozen
class RunOptions:
    """What may stand beside `inputs` when they are wrapped. Seconds."""

    timeout: float | None = None
    wait: float = 0.0


@attrs.frozen(kw_only=True)
class InputEntry:
    """An input of a workflow. `min` and `max` bound a number, or the length of a text or list."""

    type: str
    description: str = ""
    required: bool
    default: Any = None
    enum: tuple[Any, ...] = ()
    min: float | None = None
    max: float | None = None


@attrs.frozen(kw_only=True)
class WorkflowEntry:
    name: str
    description: str = ""
    steps: int
    inputs: Mapping[str, InputEntry] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class WorkflowInside:
    """What the detail of a workflow has besides its row: its steps, nested as written."""

    graph: tuple[StepNode, ...]


@attrs.frozen(kw_only=True)
class RunStarted:
    run_id: str
    status: str


@attrs.frozen(kw_only=True)
class StepEntry:
    path: str
    kind: str
    agent: str | None = None
    status: str
    attempts: int
    started_at: str | None = None
    duration_ms: int | None = None
    cost_usd: float
    error: str | None = None


@attrs.frozen(kw_only=True)
class RunEntry:
    """A run of a workflow; `result` is JSON as produced."""

    run_id: str
    workflow: str
    inputs: Mapping[str, Any]
    status: RunStatus
    result: Any = None
    error: str | None = None
    started_at: str
    completed_at: str | None = None
    cost_usd: float
    steps: tuple[StepEntry, ...]

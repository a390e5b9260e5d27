"""Workflows: what they take, what they are made of, and the start of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import trio
from quart import Request, Response

from vega_trio.app.outline import outline
from vega_trio.app.run import Run
from vega_trio.dsl.workflow import InputDefinition, WorkflowDefinition
from vega_trio.errors import RunCancelled, RunFailed
from vega_trio.serve.convert import read
from vega_trio.serve.desk import Desk, Route, exchange_of, json_answer, json_of, plain_answer, user_of
from vega_trio.serve.models.workflows import InputEntry, RunOptions, RunStarted, WorkflowEntry, WorkflowInside
from vega_trio.serve.problems import Problem, Refused, bad_value
from vega_trio.serve.runs import shown_run

LONGEST_WAIT_S = 60.0
LONGEST_RUN_S = 365 * 86400.0


async def every(desk: Desk, request: Request) -> Response:
    """The workflows and what they take."""
    return json_answer(desk, [_entry(each) for each in desk.app.workflows()])


async def one(desk: Desk, request: Request, name: str) -> Response:
    """A workflow with the graph of its steps."""
    definition = desk.app.workflow(name)
    shown = desk.converter.unstructure(_entry(definition))
    return plain_answer(shown | desk.converter.unstructure(WorkflowInside(graph=outline(definition))))


async def start(desk: Desk, request: Request, name: str) -> Response:
    """Starts a run: 202 with its id, or 200 with the whole run when it ends within the `wait` asked for."""
    definition = desk.app.workflow(name)
    body = await json_of(request) if await request.get_data() else {}
    if not isinstance(body, dict):
        raise Refused(Problem(400, "bad_body", "the body is no object", 'send {"inputs": {...}} or the bare inputs'))
    inputs, rest = unwrapped(body, definition.inputs)
    options = read(desk.converter, rest, RunOptions)
    _check(options)
    run = await desk.app.run_workflow(name, inputs, timeout=options.timeout, user=user_of(request))
    if options.wait:
        exchange_of(request).waits_for_turn = True
        if await _ended(run, options.wait):
            return plain_answer(shown_run(await desk.app.run(run.id)))
    return json_answer(desk, RunStarted(run_id=run.id, status="running"), 202)


def unwrapped(body: dict[str, Any], declared: Mapping[str, object]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and options of a body: wrapped in `inputs`, or bare.

    Wrapped iff `inputs` is an object, nothing but options stands beside it, and no input is itself named `inputs`.
    """
    inputs = body.get("inputs")
    rest = {key: value for key, value in body.items() if key != "inputs"}
    if isinstance(inputs, dict) and rest.keys() <= {"timeout", "wait"} and "inputs" not in declared:
        return inputs, rest
    return body, {}


def _check(options: RunOptions) -> None:
    if not 0 <= options.wait <= LONGEST_WAIT_S:
        raise bad_value("wait", f"'wait' must be 0 to {LONGEST_WAIT_S:g} seconds, not {options.wait:g}")
    timeout = options.timeout
    if timeout is not None and not (math.isfinite(timeout) and 0 < timeout <= LONGEST_RUN_S):
        raise bad_value("timeout", f"'timeout' must be seconds greater than 0, not {timeout:g}")


async def _ended(run: Run, patience_s: float) -> bool:
    with trio.move_on_after(patience_s):
        try:
            await run.wait()
        except (RunFailed, RunCancelled):
            return True  # the run itself says so
        return True
    return False


def _entry(workflow: WorkflowDefinition) -> WorkflowEntry:
    inputs = {name: _input(each) for name, each in workflow.inputs.items()}
    return WorkflowEntry(name=workflow.name, description=workflow.description, steps=len(workflow.steps), inputs=inputs)


def _input(definition: InputDefinition) -> InputEntry:
    return InputEntry(
        type=definition.type,
        description=definition.description,
        required=definition.required,
        default=definition.default if definition.has_default else None,
        enum=definition.enum or (),
        min=definition.min,
        max=definition.max,
    )


ROUTES = (
    Route("GET", "/api/workflows", every, answer=list[WorkflowEntry]),
    Route("GET", "/api/workflows/<name>", one, answer=WorkflowEntry, also=WorkflowInside),
    Route("POST", "/api/workflows/<name>/run", start, body=dict[str, Any], answer=RunStarted, status=202),
)

"""Runs of workflows: listed, shown with their steps, watched, cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from quart import Request, Response

from vega_trio._core.codec import decode_json
from vega_trio.app.statuses import RUN_STATUSES
from vega_trio.errors import UnknownRun
from vega_trio.protocols import StoredEvent
from vega_trio.serve.desk import Desk, Route, exchange_of, json_answer, plain_answer
from vega_trio.serve.events import EventBody, EventFeed, last_event_id
from vega_trio.serve.models.common import Status
from vega_trio.serve.models.workflows import RunEntry, RunStarted
from vega_trio.serve.paging import cursor_of, cut, nothing_at, page_length
from vega_trio.serve.problems import Problem, Refused, bad_value
from vega_trio.serve.ring import EventFrame
from vega_trio.serve.streams import sse_answer

ENDS = frozenset({"workflow.completed", "workflow.failed", "workflow.cancelled"})
INTERNAL = ("after_event", "user")
STEP_INTERNAL = ("run",)


async def every(desk: Desk, request: Request) -> Response:
    """The newest first."""
    status = request.args.get("status") or None
    if status not in (None, *RUN_STATUSES):
        raise bad_value("status", f"'status' must be one of {', '.join(RUN_STATUSES)}, not {str(status)[:40]!r}")
    book = desk.app.runbook
    limit, before, identity = page_length(request), cursor_of(request), exchange_of(request).identity
    if before is not None and await desk.app.store.records.get("wf_run", before) is None:
        raise nothing_at(before)
    rows = await book.page(
        limit + 1,
        before=before,
        workflow=request.args.get("workflow") or None,
        status=status,
        user=None if identity.sees_all() else identity.user,
    )
    page, headers = cut(request, rows, limit, lambda row: str(row["run_id"]))
    return plain_answer([shown_run(await book.with_steps(row)) for row in page], headers=headers)


async def one(desk: Desk, request: Request, run_id: str) -> Response:
    """A run with its steps."""
    return plain_answer(shown_run(await _run(desk, request, run_id)))


async def _run(desk: Desk, request: Request, run_id: str) -> dict[str, Any]:
    """The run, if it is the caller's. Raises: UnknownRun."""
    row = await desk.app.run(run_id)
    identity = exchange_of(request).identity
    if not identity.sees_all() and row.get("user") != identity.user:
        raise UnknownRun(f"there is no run {run_id[:100]!r}")
    return row


async def cancel(desk: Desk, request: Request, run_id: str) -> Response:
    """Begins to end a run and the agents it asks."""
    await _run(desk, request, run_id)
    if not await desk.app.runbook.cancel(run_id):
        text = f"the run {run_id} has ended already"
        raise Refused(Problem(409, "ended", text, "GET /api/runs/ID shows how", details={"run_id": run_id}))
    return json_answer(desk, Status(status="cancelling"), 202)


async def rerun(desk: Desk, request: Request, run_id: str) -> Response:
    """Starts the same workflow again with the inputs that a run had."""
    row = await _run(desk, request, run_id)
    given = {name: value for name, value in row["inputs"].items() if value is not None}
    run = await desk.app.run_workflow(row["workflow"], given, user=exchange_of(request).user)
    return json_answer(desk, RunStarted(run_id=run.id, status=run.status), 202)


@attrs.frozen
class RunFilter:
    """The events of one run."""

    run_id: str

    def wants(self, event: EventFrame | StoredEvent) -> bool:
        if not event.type.startswith("workflow."):
            return False
        if isinstance(event, EventFrame):
            return event.run_id == self.run_id
        return bool(decode_json(event.body)["data"].get("run_id") == self.run_id)

    @property
    def kind(self) -> None:
        return None

    def ends(self, event: EventFrame | StoredEvent) -> bool:
        return event.type in ENDS and self.wants(event)


async def stream(desk: Desk, request: Request, run_id: str) -> Response:
    """The events of a run, from its first or from where the client left off, to its last."""
    row = await _run(desk, request, run_id)
    cursor = last_event_id(request)
    start = max(cursor or 0, row.get("after_event", 0))
    until = None
    if row["status"] != "running":
        until = max(desk.ring.last, await desk.app.store.last_event_id())
    else:
        exchange_of(request).waits_for_turn = True
    feed = EventFeed(desk.ring, desk.app.store, RunFilter(run_id), start, until)
    return sse_answer(EventBody(desk.ring, feed), request.method)


def shown_run(row: Mapping[str, Any]) -> dict[str, Any]:
    """A run's row as it is shown: what is not there yet is left out."""
    out = {key: value for key, value in row.items() if key not in INTERNAL}
    if row["status"] != "completed":
        out.pop("result", None)
    if "steps" in row:
        out["steps"] = [_shown_step(step) for step in row["steps"]]
    return {key: value for key, value in out.items() if key == "result" or value not in (None, "")}


def _shown_step(step: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in step.items() if key not in STEP_INTERNAL and value not in (None, "")}
    shown["cost_usd"] = step["cost_usd"] or 0.0
    return shown


ROUTES = (
    Route("GET", "/api/runs", every, answer=list[RunEntry], query=("workflow", "status", "limit", "cursor")),
    Route("GET", "/api/runs/<run_id>", one, answer=RunEntry),
    Route("GET", "/api/runs/<run_id>/stream", stream, stream=True, query=("last_event_id",)),
    Route("POST", "/api/runs/<run_id>/rerun", rerun, answer=RunStarted, status=202),
    Route("POST", "/api/runs/<run_id>/cancel", cancel, answer=Status, status=202),
)

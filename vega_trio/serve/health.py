"""Totals, and whether the server is alive and ready."""

from __future__ import annotations

import trio
from quart import Request, Response

from vega_trio.app.overview import Stats
from vega_trio.errors import StoreError
from vega_trio.serve.desk import Desk, Route, json_answer, plain_answer
from vega_trio.serve.models.common import Status

STORE_PATIENCE_S = 2.0


async def stats(desk: Desk, request: Request) -> Response:
    """Totals over all recorded processes."""
    return json_answer(desk, await desk.app.stats())


async def alive(desk: Desk, request: Request) -> Response:
    """Whether the server is up."""
    return json_answer(desk, Status(status="ok"))


async def ready(desk: Desk, request: Request) -> Response:
    """Whether requests can be served: the store can be written and answers, and the server is not stopping."""
    reasons = []
    if desk.app.store.problem is not None:
        reasons.append(f"the store is read-only: {desk.app.store.problem}")
    if desk.stopping.is_set():
        reasons.append("the server is stopping")
    store_problem = "the store did not answer in time"
    with trio.move_on_after(STORE_PATIENCE_S):
        try:
            await desk.app.store.last_event_id()
            store_problem = ""
        except StoreError as error:
            store_problem = f"the store does not answer: {error}"
    if store_problem:
        reasons.append(store_problem)
    if reasons:
        return plain_answer({"status": "unavailable", "reasons": reasons}, 503, {"retry-after": "5"})
    return json_answer(desk, Status(status="ok"))


ROUTES = (
    Route("GET", "/api/stats", stats, answer=Stats),
    Route("GET", "/healthz", alive, answer=Status),
    Route("GET", "/readyz", ready, answer=Status),
)

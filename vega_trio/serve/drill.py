"""The fault drill of `vega serve --demo`."""

from __future__ import annotations

from quart import Request, Response

from vega_trio.app.drill import KILL
from vega_trio.errors import InputError
from vega_trio.serve.desk import Desk, Route, body_of, json_answer
from vega_trio.serve.models.common import Status
from vega_trio.serve.models.drill import DrillRequest, FaultEntry
from vega_trio.serve.problems import Problem, Refused, bad_value
from vega_trio.serve.processes import check_owned, ended


async def every(desk: Desk, request: Request) -> Response:
    """The faults that can be played; none but under `vega serve --demo`."""
    faults = desk.app.drill.faults().items()
    return json_answer(desk, [FaultEntry(fault=name, description=told) for name, told in faults])


async def play(desk: Desk, request: Request) -> Response:
    """Ends a life of a process at once, or has the demo model's next calls go wrong."""
    body = await body_of(desk, request, DrillRequest)
    if not desk.app.drill.allowed:
        hint = "start the server with: vega serve --demo"
        raise Refused(Problem(403, "no_drill", "faults can be played in the demo only", hint))
    if body.fault == KILL:
        await _kill(desk, request, body.process_id)
        return json_answer(desk, Status(status="killed"), 202)
    try:
        desk.app.drill.arm(body.fault)
    except InputError as error:
        raise bad_value("fault", str(error)) from error
    return json_answer(desk, Status(status="armed"), 202)


async def _kill(desk: Desk, request: Request, process_id: str | None) -> None:
    """Raises: Refused, UnknownProcess."""
    if process_id is None:
        raise bad_value("process_id", "say which process is to be killed: process_id")
    await check_owned(desk, request, process_id)
    if not desk.app.drill.kill(process_id):
        raise ended(process_id)


ROUTES = (
    Route("GET", "/api/drill", every, answer=list[FaultEntry]),
    Route("POST", "/api/drill", play, body=DrillRequest, answer=Status, status=202),
)

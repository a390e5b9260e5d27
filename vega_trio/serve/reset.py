"""Starts the server anew with an empty database, while clients wait."""

from __future__ import annotations

import trio
from quart import Request, Response

from vega_trio.errors import ConfigError
from vega_trio.serve.desk import Desk, Route, body_of, json_answer, operators_only, owners_only
from vega_trio.serve.models.common import Status
from vega_trio.serve.models.reset import Reset
from vega_trio.serve.problems import Problem, Refused, bad_value

WORD = "reset"


async def reset(desk: Desk, request: Request) -> Response:
    """Deletes all that the database holds, and starts anew; the document, the home and its keys stay."""
    operators_only(request, "reset the server")
    owners_only(request, "reset the server")
    body = await body_of(desk, request, Reset)
    if body.confirm != WORD:
        raise bad_value("confirm", f"'confirm' must be {WORD!r}, not {body.confirm[:40]!r}: nothing was deleted")
    if "Idempotency-Key" in request.headers:
        hint = "leave it out; what is kept under a key goes with the database"
        raise bad_value("Idempotency-Key", "a reset cannot be kept under an Idempotency-Key", hint)
    renewal = desk.renewal
    if renewal is None:
        hint = "stop it, and run: vega reset --db PATH"
        raise Refused(Problem(409, "not_resettable", "this server was not started by vega serve", hint))
    try:
        await trio.to_thread.run_sync(renewal.check)
    except ConfigError as error:
        text = f"the server could not start anew, so nothing was deleted: {error}"
        raise Refused(Problem(422, "document", text, "correct what it says")) from error
    renewal.asked.set()
    return json_answer(desk, Status(status="resetting"), 202)


ROUTES = (Route("POST", "/api/reset", reset, body=Reset, answer=Status, status=202),)

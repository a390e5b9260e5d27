"""The web framework's application: the routes bound to the desk, and every error as a problem."""

from __future__ import annotations

import logging
from typing import Any

import trio
from quart import Quart, Response
from quart import request as current_request
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from vega_trio.errors import VegaError
from vega_trio.serve import (
    agents,
    agui,
    approvals,
    auth,
    chat,
    config,
    costs,
    drill,
    eventlog,
    events,
    files,
    health,
    login,
    mcp,
    memory,
    metrics,
    openapi,
    population,
    processes,
    reset,
    runs,
    schedules,
    sessions,
    settings,
    skills,
    static,
    supervisors,
    workflows,
)
from vega_trio.serve.assets import Bundle
from vega_trio.serve.desk import Desk, Route, exchange_of, plain_answer
from vega_trio.serve.problems import Problem, Refused, internal, problem_of

log = logging.getLogger("vega_trio.serve")


MODULES = (
    auth,
    login,
    chat,
    agui,
    sessions,
    agents,
    approvals,
    skills,
    processes,
    supervisors,
    workflows,
    runs,
    costs,
    events,
    eventlog,
    health,
    metrics,
    mcp,
    memory,
    schedules,
    settings,
    files,
    drill,
    config,
    reset,
    population,
    openapi,
)


def all_routes(bundle: Bundle) -> list[Route]:
    """Every route; those of the page's files are the bundle's."""
    return [route for module in MODULES for route in module.ROUTES] + static.routes(bundle)


class _Connection(TrioASGIHTTPConnection):
    """One request whose body is there whole: answered in the task that brought it.

    The framework starts two for each request; the one that is left waits for the client to leave.
    """

    async def __call__(self, receive: Any, send: Any) -> None:
        request = self._create_request_from_scope(send)
        request.body.append((await receive())["body"])
        request.body.set_complete()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.handle_messages, nursery, request, receive)
            await self.handle_request(nursery, request, send)


class _Web(QuartTrio):
    asgi_http_class = _Connection


def open_web(desk: Desk) -> Quart:
    """The application. It trusts that `reception.Reception` stands before it."""
    web: Quart = _Web("vega_trio.serve", static_folder=None)
    web.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    web.config["MAX_CONTENT_LENGTH"] = None  # the reception has counted already
    web.url_map.merge_slashes = False  # no redirects: a path is right or it is not
    for number, route in enumerate(desk.routes):
        web.add_url_rule(route.path, endpoint=str(number), view_func=_view(desk, route), methods=[route.method])
    web.register_error_handler(Refused, _refused)
    web.register_error_handler(VegaError, _failed)
    web.register_error_handler(HTTPException, _http_failed)
    web.register_error_handler(NotFound, _nowhere(desk))
    web.register_error_handler(Exception, _broken)
    return web


def _view(desk: Desk, route: Route) -> Any:
    async def view(**variables: str) -> Response:
        return await route.handler(desk, current_request, **variables)

    return view


async def _refused(error: Refused) -> Response:
    return _answer(error.problem)


async def _failed(error: VegaError) -> Response:
    problem = problem_of(error)
    if problem.status == 500:
        log.error("request %s failed", exchange_of(_request()).id, exc_info=error)
    return _answer(problem)


def _nowhere(desk: Desk) -> Any:
    async def answer(error: NotFound) -> Response:
        """A person's browser gets the page, which says it in words and leads back; a program the problem."""
        asked = _request()
        if asked.path.startswith("/api") or "text/html" not in dict(asked.accept_mimetypes):
            return await _http_failed(error)
        response = await static.page(desk, asked)
        response.status_code = 404
        return response

    return answer


async def _http_failed(error: HTTPException) -> Response:
    """What the framework itself refuses: paths, methods, malformed requests."""
    method, path = current_request.method, current_request.path[:200]
    match error:
        case NotFound():
            hint = "GET /api/agents is a good beginning" if path.startswith("/api") else "the web page is at /"
            return _answer(Problem(404, "not_found", f"there is no {method} {path}", hint))
        case MethodNotAllowed(valid_methods=valid):
            allow = tuple(sorted(valid or ()))
            text = f"{path} does not know {method}"
            return _answer(Problem(405, "method_not_allowed", text, f"use {' or '.join(allow)}", allow=allow))
        case _:
            return _answer(Problem(error.code or 400, "bad_request", error.description or "bad request", "correct it"))


async def _broken(error: Exception) -> Response:
    log.error("request %s failed", exchange_of(_request()).id, exc_info=error)
    return _answer(internal())


def _request() -> Any:
    return current_request


def _answer(problem: Problem) -> Response:
    headers = problem.headers()
    kind = headers.pop("content-type")
    answer = plain_answer(problem.body(exchange_of(_request()).id), problem.status, headers)
    answer.content_type = kind
    return answer

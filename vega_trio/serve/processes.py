"""Processes, living and past, and who spawned whom."""

from __future__ import annotations

from typing import Literal

import attrs
from quart import Request, Response

from vega_trio.app.overview import ProcessDetail
from vega_trio.app.statuses import PROCESS_STATUSES
from vega_trio.changes import ProcessQuery, ProcessRow
from vega_trio.errors import ConfigError, InputError, StoreError, UnknownProcess
from vega_trio.serve.desk import Desk, Route, body_of, exchange_of, flag_of, json_answer, plain_answer
from vega_trio.serve.door import Identity
from vega_trio.serve.models.common import Status
from vega_trio.serve.models.processes import (
    ForkRequest,
    ImpactEntry,
    ProcessEntry,
    ProcessInside,
    TreeEntry,
)
from vega_trio.serve.paging import cursor_of, cut, nothing_at, page_length
from vega_trio.serve.problems import Problem, Refused, bad_value, problem_of
from vega_trio.serve.process_entries import inside_entry, process_entry, tree_entry


async def every(desk: Desk, request: Request) -> Response:
    """Living and past ones, the newest first."""
    status = request.args.get("status") or None
    if status not in (None, *PROCESS_STATUSES):
        raise bad_value("status", f"'status' must be one of {', '.join(PROCESS_STATUSES)}, not {str(status)[:40]!r}")
    wanted = ProcessQuery(
        status=status,
        agent=request.args.get("agent") or None,
        text=request.args.get("q", ""),
        before=await _place(desk, cursor_of(request)),
    )
    limit = page_length(request)
    rows = await _rows(desk, exchange_of(request).identity, wanted, limit + 1)
    page, headers = cut(request, rows, limit, lambda row: row.id)
    keepers, waiting = desk.app.overview.keepers(), desk.app.overview.waiting()
    entries = [process_entry(row, keepers.get(row.id), waiting.get(row.id)) for row in page]
    return json_answer(desk, entries, headers=headers)


async def _place(desk: Desk, cursor: str | None) -> tuple[float, str] | None:
    """Where the list goes on. Raises: Refused."""
    try:
        return None if cursor is None else await desk.app.overview.place(cursor)
    except UnknownProcess as error:
        raise nothing_at(cursor or "") from error


async def _rows(desk: Desk, identity: Identity, wanted: ProcessQuery, most: int) -> list[ProcessRow]:
    """So many of those wanted that are the caller's to see."""
    if identity.sees_all():
        return await desk.app.overview.page(wanted, most)
    owners = await desk.app.owners()
    found: list[ProcessRow] = []
    while len(found) < most:
        batch = await desk.app.overview.page(wanted, most)
        found += [row for row in batch if owners.of(row.id) == identity.user]
        if len(batch) < most:
            break
        wanted = attrs.evolve(wanted, before=(batch[-1].started_at, batch[-1].id))
    return found[:most]


async def one(desk: Desk, request: Request, process_id: str) -> Response:
    """A process with its conversation and what is inside."""
    detail = await _detail(desk, request, process_id)
    shown = desk.converter.unstructure(process_entry(detail.row, detail.supervisor, detail.waiting_on))
    return plain_answer(shown | desk.converter.unstructure(inside_entry(detail)))


async def kill(desk: Desk, request: Request, process_id: str) -> Response:
    """Ends a process for good, or it and all below it. One that has ended already stays as it is."""
    subtree = flag_of(request, "subtree")
    process = (await _detail(desk, request, process_id)).process
    if process is not None and (subtree or process.alive):
        try:
            await desk.app.kill(process_id, subtree=subtree)
        except StoreError as error:
            raise Refused(_unwritten(process_id, error)) from error
    elif process is None and desk.app.orch.recovered.get(process_id) is not None:
        await desk.app.kill(process_id)
    return json_answer(desk, Status(status="killed"))


def _unwritten(process_id: str, error: StoreError) -> Problem:
    """To end a process must be possible whatever the disk does; to say that it is on the disk would not be true."""
    text = f"the process {process_id} has ended, but this is not on the disk: {error}"
    hint = "it is written once the disk takes it; should the server be restarted before that, kill it again"
    return attrs.evolve(problem_of(error), error=text, hint=hint)


async def impact(desk: Desk, request: Request, process_id: str) -> Response:
    """Who else dies, restarts and is told when the process is killed or restarted."""
    action: Literal["kill", "restart"]
    match request.args.get("action"):
        case "kill" | "restart" as action:
            pass
        case other:
            raise bad_value("action", f"'action' must be kill or restart, not {str(other)[:40]!r}")
    subtree = flag_of(request, "subtree")
    detail = await _detail(desk, request, process_id)
    if detail.process is None:
        return json_answer(desk, ImpactEntry(dies=(), restarts=(), notified=()))
    found = desk.app.impact(process_id, action, subtree=subtree)
    return json_answer(desk, ImpactEntry(dies=found.dies, restarts=found.restarts, notified=found.notified))


async def restart(desk: Desk, request: Request, process_id: str) -> Response:
    """Ends the incarnation in order and starts the next, by the supervisor's strategy. Its open turn goes on."""
    detail = await _detail(desk, request, process_id)
    if detail.process is None or not detail.process.alive:
        raise ended(process_id)
    if not desk.app.restart(process_id):
        text = f"nobody restarts the process {process_id}: it has no supervision"
        raise Refused(Problem(409, "not_supervised", text, "stop or kill it, and start the work anew"))
    return json_answer(desk, Status(status="restarting"), 202)


async def stop(desk: Desk, request: Request, process_id: str) -> Response:
    """Stops the turn under way and keeps what it has said. The process lives."""
    detail = await _detail(desk, request, process_id)
    if detail.process is None or not detail.process.alive:
        raise ended(process_id)
    turn_id = await desk.app.stop_process(process_id)
    return json_answer(desk, Status(status="idle" if turn_id is None else "stopping", turn_id=turn_id), 202)


async def fork(desk: Desk, request: Request, process_id: str) -> Response:
    """A new process with the conversation as it stood after an event. The origin stays as it is."""
    body = await body_of(desk, request, ForkRequest)
    await check_owned(desk, request, process_id)
    try:
        process = await desk.app.fork(process_id, at=body.at, model=body.model, system=body.system)
    except InputError as error:
        raise bad_value("at", str(error), "give the id of an event: GET /api/events/log lists them") from error
    except ConfigError as error:
        raise bad_value("model", str(error)) from error
    return json_answer(desk, process_entry(process.row()), 201)


async def tree(desk: Desk, request: Request) -> Response:
    """Who spawned whom."""
    nodes = desk.app.spawn_tree()
    identity = exchange_of(request).identity
    if not identity.sees_all():
        owners = await desk.app.owners()
        nodes = [node for node in nodes if owners.of(node.process_id) == identity.user]
    return json_answer(desk, [tree_entry(node) for node in nodes])


async def _detail(desk: Desk, request: Request, process_id: str) -> ProcessDetail:
    """The process, if it is the caller's. Raises: UnknownProcess."""
    await check_owned(desk, request, process_id)
    return await desk.app.process(process_id)


async def check_owned(desk: Desk, request: Request, process_id: str) -> None:
    """Raises: UnknownProcess for the process of another user, as if there were none."""
    identity = exchange_of(request).identity
    if not identity.sees_all() and await desk.app.owner_of(process_id) != identity.user:
        raise UnknownProcess(f"there is no process {process_id[:100]!r}")


def ended(process_id: str) -> Refused:
    """Nothing more can be done to it."""
    text = f"the process {process_id} has ended already"
    return Refused(Problem(409, "ended", text, "GET /api/processes/ID shows how"))


ROUTES = (
    Route("GET", "/api/processes", every, answer=list[ProcessEntry], query=("status", "agent", "q", "limit", "cursor")),
    Route("GET", "/api/processes/<process_id>", one, answer=ProcessEntry, also=ProcessInside),
    Route("DELETE", "/api/processes/<process_id>", kill, answer=Status, query=("subtree",)),
    Route("GET", "/api/processes/<process_id>/impact", impact, answer=ImpactEntry, query=("action", "subtree")),
    Route("POST", "/api/processes/<process_id>/restart", restart, answer=Status, status=202),
    Route("POST", "/api/processes/<process_id>/stop", stop, answer=Status, status=202),
    Route("POST", "/api/processes/<process_id>/fork", fork, body=ForkRequest, answer=ProcessEntry, status=201),
    Route("GET", "/api/spawn-tree", tree, answer=list[TreeEntry]),
)

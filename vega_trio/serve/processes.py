"""Processes, living and past, and who spawned whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from quart import Request, Response

from vega_trio._core.codec import encode_message
from vega_trio._core.wire import rfc3339
from vega_trio.changes import ProcessRow
from vega_trio.messages import Message, TextPart
from vega_trio.serve.desk import Desk, Route, json_answer, plain_answer
from vega_trio.serve.models import MessageEntry, ProcessEntry, ProcessMetrics, Status, TreeEntry
from vega_trio.serve.paging import paged
from vega_trio.serve.problems import bad_value

STATUSES = ("pending", "running", "completed", "failed", "timeout")


class TreeNode(Protocol):
    """A node of the spawn tree, as the application hands it out."""

    @property
    def process_id(self) -> str: ...
    @property
    def agent_name(self) -> str | None: ...
    @property
    def task(self) -> str | None: ...
    @property
    def status(self) -> str: ...
    @property
    def spawn_depth(self) -> int: ...
    @property
    def spawn_reason(self) -> str | None: ...
    @property
    def started_at(self) -> float: ...
    @property
    def children(self) -> Sequence[TreeNode]: ...


async def every(desk: Desk, request: Request) -> Response:
    status = request.args.get("status") or None
    if status not in (None, *STATUSES):
        raise bad_value("status", f"'status' must be one of {', '.join(STATUSES)}, not {str(status)[:40]!r}")
    rows = await desk.app.processes(status=status, agent=request.args.get("agent") or None)
    page, headers = paged(request, rows, lambda row: row.id)
    return json_answer(desk, [process_entry(row) for row in page], headers=headers)


async def one(desk: Desk, request: Request, process_id: str) -> Response:
    detail = await desk.app.process(process_id)
    shown = desk.converter.unstructure(process_entry(detail.row))
    shown["messages"] = desk.converter.unstructure([_message(each) for each in detail.messages])
    return plain_answer(shown)


async def kill(desk: Desk, request: Request, process_id: str) -> Response:
    """Ends a process for good. One that has ended already stays as it is."""
    detail = await desk.app.process(process_id)
    if detail.row.completed_at is None:
        await desk.app.kill(process_id)
    return json_answer(desk, Status(status="killed"))


async def tree(desk: Desk, request: Request) -> Response:
    return json_answer(desk, [_tree_entry(node) for node in desk.app.spawn_tree()])


def process_entry(row: ProcessRow) -> ProcessEntry:
    """A row as it is listed."""
    return ProcessEntry(
        id=row.id,
        agent=row.agent,
        task=row.task,
        status=row.status,
        started_at=rfc3339(row.started_at),
        completed_at=rfc3339(row.completed_at) if row.completed_at is not None else None,
        parent_id=row.parent_id,
        spawn_depth=row.spawn_depth,
        spawn_reason=row.spawn_reason,
        metrics=_metrics(row),
        name=row.name,
        incarnation=row.incarnation,
        exit_reason=row.exit_reason,
    )


def _metrics(row: ProcessRow) -> ProcessMetrics:
    return ProcessMetrics(
        iterations=row.iterations,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cost_usd=row.cost_microusd / 1_000_000,
        tool_calls=row.tool_calls,
        errors=row.errors,
        last_active_at=rfc3339(row.started_at if row.last_active_at is None else row.last_active_at),
    )


def _message(message: Message) -> MessageEntry:
    rich = any(not isinstance(part, TextPart) for part in message.content)
    parts = tuple(encode_message(message)["content"]) if rich else ()
    return MessageEntry(role=message.role, content=message.text, parts=parts)


def _tree_entry(node: TreeNode) -> TreeEntry:
    return TreeEntry(
        process_id=node.process_id,
        agent_name=node.agent_name or "",
        task=node.task or "",
        status=node.status,
        spawn_depth=node.spawn_depth,
        spawn_reason=node.spawn_reason or "",
        started_at=rfc3339(node.started_at),
        children=tuple(_tree_entry(child) for child in node.children),
    )


ROUTES = (
    Route("GET", "/api/processes", every),
    Route("GET", "/api/processes/<process_id>", one),
    Route("DELETE", "/api/processes/<process_id>", kill),
    Route("GET", "/api/spawn-tree", tree),
)

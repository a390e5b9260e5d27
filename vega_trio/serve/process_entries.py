"""Processes as they are shown: a row of the list, what is inside of one, the tree of who spawned whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vega_trio._core.codec import encode_message
from vega_trio._core.wire import rfc3339
from vega_trio.app.context_use import context_use
from vega_trio.app.incarnations import Incarnation
from vega_trio.app.overview import ProcessDetail
from vega_trio.app.supervisors import Policy
from vega_trio.changes import ProcessRow
from vega_trio.messages import Message, TextPart
from vega_trio.serve.models.common import BudgetEntry
from vega_trio.serve.models.processes import (
    ContextEntry,
    IncarnationEntry,
    MailboxEntry,
    MessageEntry,
    ProcessEntry,
    ProcessInside,
    ProcessMetrics,
    RestartsEntry,
    TreeEntry,
)


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


def inside_entry(detail: ProcessDetail) -> ProcessInside:
    """Mail, ties and limits are those of a living process; of one that is gone only what is stored."""
    process = detail.process
    mailbox = MailboxEntry(length=0, capacity=0)
    if process is not None:
        mailbox = MailboxEntry(length=process.mailbox_length, capacity=process.mailbox.capacity)
    return ProcessInside(
        messages=tuple(_message(each) for each in detail.messages),
        mailbox=mailbox,
        links=detail.ties.links,
        monitors=detail.ties.monitors,
        monitored_by=detail.ties.monitored_by,
        restarts=_restarts(detail.policy),
        incarnations=tuple(_incarnation(each) for each in detail.incarnations),
        budget=_budget(detail),
        context=_context(detail),
        deadline=_time(process.deadline_at if process is not None else None),
    )


def _restarts(policy: Policy | None) -> RestartsEntry:
    """Who has ended, or was never to be restarted, has none left."""
    if policy is None:
        return RestartsEntry(count=0, max=0, window_s=0.0)
    next_at = _time(policy.next_at)
    return RestartsEntry(count=policy.used, max=policy.most, window_s=policy.window_s, next_at=next_at)


def _incarnation(each: Incarnation) -> IncarnationEntry:
    return IncarnationEntry(
        incarnation=each.incarnation,
        started_at=rfc3339(each.started_at),
        ended_at=_time(each.ended_at),
        exit_reason=each.exit_reason,
    )


def _budget(detail: ProcessDetail) -> BudgetEntry:
    account = detail.process.budget if detail.process is not None else None
    if account is None:
        return BudgetEntry(spent_usd=detail.row.cost_microusd / 1_000_000)
    return BudgetEntry(limit_usd=account.limit, spent_usd=account.used)


def _context(detail: ProcessDetail) -> ContextEntry:
    agent = detail.process.agent if detail.process is not None else None
    use = context_use(agent, detail.messages)
    return ContextEntry(tokens=use.tokens, max_tokens=use.most)


def _time(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)


def process_entry(row: ProcessRow, supervisor: str | None = None, waiting_on: str | None = None) -> ProcessEntry:
    """A row as it is listed."""
    return ProcessEntry(
        id=row.id,
        agent=row.agent,
        task=row.task,
        status=row.status,
        started_at=rfc3339(row.started_at),
        completed_at=_time(row.completed_at),
        parent_id=row.parent_id,
        spawn_depth=row.spawn_depth,
        spawn_reason=row.spawn_reason,
        metrics=_metrics(row),
        name=row.name,
        incarnation=row.incarnation,
        supervisor=supervisor,
        waiting_on=waiting_on,
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


def tree_entry(node: TreeNode) -> TreeEntry:
    """A process and all that it has spawned."""
    return TreeEntry(
        process_id=node.process_id,
        agent_name=node.agent_name or "",
        task=node.task or "",
        status=node.status,
        spawn_depth=node.spawn_depth,
        spawn_reason=node.spawn_reason or "",
        started_at=rfc3339(node.started_at),
        children=tuple(tree_entry(child) for child in node.children),
    )

"""A process in figures: as it is listed and stored, and what it holds at the moment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from vega_trio.agent import Budget
from vega_trio.changes import ProcessRow
from vega_trio.exits import describe

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process


@attrs.frozen(kw_only=True)
class ProcessStatistics:
    """A snapshot. `unanswered` are calls that were taken and have no reply yet; `children` end with the process."""

    mailbox_length: int
    mailbox_capacity: int
    senders_waiting: int
    unanswered: int
    links: int
    monitors: int
    exit_signals: int
    children: int


def statistics_of(process: Process) -> ProcessStatistics:
    """Links, monitors, signals and children are those of the living incarnation; none between two."""
    live = process.live
    return ProcessStatistics(
        mailbox_length=len(process.mailbox),
        mailbox_capacity=process.mailbox.capacity,
        senders_waiting=process.mailbox.waiting_senders,
        unanswered=len(live.taken) if live is not None else 0,
        links=len(process.kernel.links.of(live)) if live is not None else 0,
        monitors=len(live.monitors or ()) if live is not None else 0,
        exit_signals=live.unread_signals if live is not None else 0,
        children=len(live.owned or ()) if live is not None else 0,
    )


@attrs.frozen
class Ties:
    """Ids of processes. `monitors` are those that it watches, `monitored_by` those that watch it, as in Erlang."""

    links: tuple[str, ...] = ()
    monitors: tuple[str, ...] = ()
    monitored_by: tuple[str, ...] = ()


def ties_of(process: Process) -> Ties:
    """Those of the living incarnation; none between two."""
    live, kernel = process.live, process.kernel
    if live is None:
        return Ties()
    watched = [
        other.id
        for other in (*kernel.registry.living(), *kernel.registry.supervisors())
        if other.live is not None and any(each.watcher is process for each in other.live.monitors or ())
    ]
    watchers = [each.watcher.id for each in live.monitors or () if each.watcher is not None]
    return Ties(tuple(peer.process.id for peer in kernel.links.of(live)), tuple(watched), tuple(watchers))


def row_of(process: Process) -> ProcessRow:
    metrics = process.metrics
    return ProcessRow(
        id=process.id,
        agent=process.agent_name or "",
        name=process.name,
        task=process.task or "",
        status=process.status,
        parent_id=process.parent_id,
        spawn_depth=process.spawn_depth,
        spawn_reason=process.spawn_reason or "",
        incarnation=process.incarnation,
        exit_reason=process.kernel.redact(describe(process.final)) if process.final is not None else "",
        started_at=process.started_at,
        completed_at=process.completed_at,
        iterations=metrics.iterations,
        input_tokens=metrics.input_tokens,
        output_tokens=metrics.output_tokens,
        cost_microusd=metrics.cost_microusd,
        tool_calls=metrics.tool_calls,
        errors=metrics.errors,
        last_active_at=metrics.last_active_at,
        epoch=process.epoch,
        recoveries=process.recoveries,
        def_hash=process.def_hash,
        restart_log=" ".join(map(repr, process.restart_log)),
        budget=_budget_text(process.given_budget),
    )


def _budget_text(budget: Budget | None) -> str:
    if budget is None:
        return ""
    return json.dumps({"limit_microusd": budget.limit_microusd, "on_exceed": budget.on_exceed})

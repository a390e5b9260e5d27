"""Processes and totals, living and past, as the fronts list them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import attrs
import trio

from vega_trio.app.incarnations import LIFE_EVENTS, Incarnation, incarnations
from vega_trio.app.supervisors import Policy, policy_of
from vega_trio.changes import ProcessQuery, ProcessRow, ProcessTotals
from vega_trio.errors import UnknownProcess
from vega_trio.messages import Message
from vega_trio.protocols import Store
from vega_trio.runtime.figures import Ties, ties_of
from vega_trio.runtime.impact import Impact, impact_of_kill, impact_of_restart
from vega_trio.runtime.orchestrator import Orchestrator, SpawnTreeNode
from vega_trio.runtime.place import supervisor_of
from vega_trio.runtime.process import Process

RUNNING = ("running", "pending")
FAILED = ("failed", "timeout")
ALL = 1_000_000


@attrs.frozen(kw_only=True)
class ProcessDetail:
    """A process with its history. `process` is None where only the store still knows it.

    `waiting_on` is what a turn waits for; `supervisor` and `policy` are a living one's.
    """

    row: ProcessRow
    messages: tuple[Message, ...]
    process: Process | None
    supervisor: str | None = None
    waiting_on: str | None = None
    policy: Policy | None = None
    ties: Ties = attrs.field(factory=Ties)
    incarnations: tuple[Incarnation, ...] = ()


@attrs.frozen(kw_only=True)
class Stats:
    """Totals over all recorded processes, as they are shown. `uptime` reads `1h2m3s`."""

    total_processes: int
    running_processes: int
    completed_processes: int
    failed_processes: int
    total_input_tokens: int
    total_output_tokens: int
    total_cost_usd: float
    total_tool_calls: int
    total_errors: int
    uptime: str


@attrs.frozen
class Overview:
    """What there is and was: processes, living and stored, and their totals. `opened` is a time of the loop's clock."""

    orch: Orchestrator
    store: Store
    opened: float

    async def processes(self, *, status: str | None = None, agent: str | None = None) -> list[ProcessRow]:
        """Living and past ones, newest first; what lives is shown as it is now, not as it was stored."""
        rows = {row.id: row for row in await self.store.processes(limit=ALL)}
        rows.update({process.id: process.row() for process in self.orch.processes()})
        newest = sorted(rows.values(), key=lambda row: row.started_at, reverse=True)
        return [row for row in newest if status in (None, row.status) and agent in (None, row.agent)]

    async def page(self, wanted: ProcessQuery, limit: int) -> list[ProcessRow]:
        """Those wanted, living and past, the last started first; read is no more than is given."""
        living = [process.row() for process in self.orch.processes()]
        past = attrs.evolve(wanted, without=wanted.without | {row.id for row in living})
        stored = await self.store.find_processes(past, limit=limit)
        found = [*(row for row in living if wanted.takes(row)), *stored]
        return sorted(found, key=_place, reverse=True)[:limit]

    async def place(self, process_id: str) -> tuple[float, str]:
        """Where in the list it stands, for `ProcessQuery.before`. Raises: UnknownProcess."""
        return _place(await self.row(process_id))

    async def row(self, process_id: str) -> ProcessRow:
        """A process as it is now, or as it was stored. Raises: UnknownProcess."""
        try:
            return self.orch.get(process_id).row()
        except UnknownProcess:
            row = await self.store.process(process_id)
        if row is None:
            raise UnknownProcess(f"there is no process {process_id[:100]!r}")
        return row

    def waiting(self) -> dict[str, str]:
        """What living processes wait on, by process."""
        return {process.id: process.waiting_on for process in self.orch.processes() if process.waiting_on}

    def keepers(self) -> dict[str, str]:
        """The supervisors of the living processes, by process."""
        found = ((process.id, supervisor_of(process)) for process in self.orch.processes())
        return {process_id: supervisor for process_id, supervisor in found if supervisor is not None}

    async def process(self, process_id: str) -> ProcessDetail:
        """Raises: UnknownProcess."""
        try:
            process: Process | None = self.orch.get(process_id)
        except UnknownProcess:
            process = None
        row = process.row() if process is not None else await self.store.process(process_id)
        if row is None:
            raise UnknownProcess(f"there is no process {process_id!r}")
        stored = await self.store.messages(process_id)
        return ProcessDetail(
            row=row,
            messages=tuple(each.message for each in stored),
            process=process,
            supervisor=supervisor_of(process) if process is not None and process.alive else None,
            waiting_on=process.waiting_on or None if process is not None else None,
            policy=policy_of(process) if process is not None and process.alive else None,
            ties=ties_of(process) if process is not None else Ties(),
            incarnations=incarnations(await self.store.events_of(process_id, LIFE_EVENTS)),
        )

    def impact(self, process_id: str, action: Literal["kill", "restart"], *, subtree: bool = False) -> Impact:
        """What killing or restarting a process would do to others. Raises: UnknownProcess."""
        process = self.orch.get(process_id)
        if action == "restart":
            return impact_of_restart(process)
        below = self.descendants(process_id) if subtree else ()
        return impact_of_kill([process, *(self.orch.get(each) for each in below)])

    def descendants(self, process_id: str) -> list[str]:
        """The living processes that were spawned below this one, also where one in between has ended."""
        below = _below(self.orch.spawn_tree(), process_id, within=False)
        return [node.process_id for node in below if self.orch.get(node.process_id).alive]

    @property
    def uptime_s(self) -> float:
        return trio.current_time() - self.opened

    async def stats(self) -> Stats:
        return stats_of(await self.totals(), self.uptime_s)

    async def totals(self) -> list[ProcessTotals]:
        """By status, one row or more; what lives counts as it is now, all else as it was stored."""
        living = [process.row() for process in self.orch.processes()]
        stored = await self.store.process_totals(without={row.id for row in living})
        now = [
            ProcessTotals(
                status=row.status,
                count=1,
                input_tokens=row.input_tokens,
                output_tokens=row.output_tokens,
                cost_microusd=row.cost_microusd,
                tool_calls=row.tool_calls,
                errors=row.errors,
            )
            for row in living
        ]
        return [*stored, *now]


def _place(row: ProcessRow) -> tuple[float, str]:
    return row.started_at, row.id


def stats_of(totals: Sequence[ProcessTotals], uptime_s: float) -> Stats:
    """One row for all."""
    return Stats(
        total_processes=sum(each.count for each in totals),
        running_processes=sum(each.count for each in totals if each.status in RUNNING),
        completed_processes=sum(each.count for each in totals if each.status == "completed"),
        failed_processes=sum(each.count for each in totals if each.status in FAILED),
        total_input_tokens=sum(each.input_tokens for each in totals),
        total_output_tokens=sum(each.output_tokens for each in totals),
        total_cost_usd=sum(each.cost_microusd for each in totals) / 1_000_000,
        total_tool_calls=sum(each.tool_calls for each in totals),
        total_errors=sum(each.errors for each in totals),
        uptime=duration(uptime_s),
    )


def duration(seconds: float) -> str:
    """`1h2m3s`, without leading zeros: `2m3s`, `3s`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _below(nodes: Iterable[SpawnTreeNode], process_id: str, *, within: bool) -> Iterator[SpawnTreeNode]:
    """The nodes under the one of that id; `within`: these are under it already."""
    for node in nodes:
        if within:
            yield node
        yield from _below(node.children, process_id, within=within or node.process_id == process_id)

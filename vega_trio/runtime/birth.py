"""How a process comes into being, and each of its incarnations."""

from __future__ import annotations

import contextvars
import json
import math
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from vega_trio._core.budget import Account, join_accounts
from vega_trio.agent import Agent, Budget
from vega_trio.changes import ProcessRow
from vega_trio.context import Metrics
from vega_trio.errors import SpawnTooDeep
from vega_trio.runtime.calling import keep
from vega_trio.runtime.health import Vitals
from vega_trio.runtime.incarnation import Incarnation
from vega_trio.runtime.mailbox import Mailbox
from vega_trio.runtime.process import Process
from vega_trio.runtime.recovered import LeftBehind
from vega_trio.runtime.registry import MAX_DEPTH
from vega_trio.runtime.ties import restore

if TYPE_CHECKING:
    from vega_trio.runtime.kernel import Kernel


def new_process(
    kernel: Kernel,
    body: Any,
    *,
    nursery: trio.Nursery,
    id: str | None = None,  # noqa: A002 - the name of the public keyword
    row: ProcessRow | None = None,
    parent: Process | None = None,
    counted: bool = True,
    context: contextvars.Context | None = None,
    budget: Budget | None = None,
    **fields: Any,
) -> Process:
    """A process that has a place in the registry but no task yet.

    Raises: TooManyProcesses, SpawnTooDeep, NameTaken, and what `make_body` raises.
    """
    if counted:
        kernel.refuse_if_full()
    left = _left_behind(kernel, body, id, fields.get("name"))
    if left is not None:
        row, id = left.row, left.row.id  # noqa: A001
    if parent is not None:
        _refuse_depth(parent)
    agent = body if isinstance(body, Agent) else None
    process = Process(
        id if id is not None else kernel.fresh_id(),
        kernel,
        kernel.make_body(agent) if agent is not None else body,
        agent=agent,
        started_at=kernel.wall_clock(),
        **fields,
    )
    if row is not None:
        _go_on_from(process, row)
    if parent is not None:
        _hang_below(process, parent)
    _open_mailbox(process, left)
    process.nursery = nursery
    process.context = context.copy() if context is not None else contextvars.copy_context()
    if budget is None and row is not None and row.budget:
        budget = _budget_of(row.budget)
    if agent is not None or budget is not None:
        process.given_budget = budget
        _open_accounts(process, budget, row)
    if agent is not None:
        _watch(process)
    return process


def _refuse_depth(parent: Process) -> None:
    if parent.spawn_depth >= MAX_DEPTH:
        raise SpawnTooDeep(f"process {parent.id} is {MAX_DEPTH} deep in the spawn tree already, which is the most")


def _hang_below(process: Process, parent: Process) -> None:
    process.parent_id = parent.id
    process.parent_agent = parent.agent_name
    process.spawn_depth = parent.spawn_depth + 1


def _open_mailbox(process: Process, left: LeftBehind | None) -> None:
    kernel = process.kernel
    process.mailbox = Mailbox(kernel.mailbox, partial(keep, process) if process.agent is not None else None)
    process.mailbox.owner = process
    if left is not None:
        process.mailbox.restore(left.letters())
        kernel.recovered.take(left.row.id)


def _watch(process: Process) -> None:
    process.vitals = Vitals(process, process.kernel.health)
    if process.task is not None:
        process.vitals.work_begins()


def _left_behind(kernel: Kernel, body: Any, process_id: str | None, name: str | None) -> LeftBehind | None:
    """What a killed program left of the process that is about to be made: told by its id, or by an agent's name."""
    if process_id is not None:
        return kernel.recovered.get(process_id)
    return kernel.recovered.named(name) if name is not None and isinstance(body, Agent) else None


def _open_accounts(process: Process, budget: Budget | None, row: ProcessRow | None) -> None:
    """The process's budgets, its agent's and its spawner's, as accounts that all it does is charged to.

    They live in its context, which outlives its incarnations. The tighter one is shown.
    """
    own = process.agent.budget if process.agent is not None else None
    given = [each for each in (own, budget) if each is not None]
    # What others spent on its account counts too, and what a crash left reserved for calls that may have been made.
    spent = process.metrics.cost_microusd
    if row is not None:
        spent = max(spent, row.spent_microusd + row.reserved_microusd)
    kept = process.id if process.agent is not None else ""
    opened = [Account.of(each, repr(process.agent_name or process.label), spent, kept) for each in given]
    if opened:
        process.context.run(join_accounts, opened)
        process.budget = min(opened, key=lambda account: account.limit_microusd)


def _budget_of(text: str) -> Budget:
    """As `figures.row_of` writes it."""
    fields = json.loads(text)
    return Budget(Decimal(fields["limit_microusd"]) / 1_000_000, fields["on_exceed"])


def _go_on_from(process: Process, row: ProcessRow) -> None:
    """What a program has recorded of the process holds in this one."""
    process.parent_id = row.parent_id
    process.spawn_depth = row.spawn_depth
    process.started_at = row.started_at
    process.incarnation = row.incarnation
    process.epoch = row.epoch + 1
    process.recoveries = row.recoveries
    process.def_hash = row.def_hash
    process.restart_log = tuple(map(float, row.restart_log.split()))
    process.metrics = Metrics(
        iterations=row.iterations,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cost_microusd=row.cost_microusd,
        tool_calls=row.tool_calls,
        errors=row.errors,
        last_active_at=row.last_active_at,
    )


def launch(process: Process) -> Incarnation:
    """Starts the next incarnation. An agent counts as started at once."""
    assert process.live is None
    process.incarnation += 1
    incarnation = Incarnation(process, process.incarnation, trio.CancelScope(shield=True))
    process.live = incarnation
    # The spawner's context variables hold for every incarnation, whoever starts it.
    start_soon = partial(process.nursery.start_soon, name=process.id)
    process.context.run(start_soon, incarnation.run, process.body)
    if process.start_timeout is not None:
        if process.start_timeout < math.inf:
            incarnation.limit_start(process.start_timeout)
    elif process.agent is not None:
        incarnation.up_since = trio.current_time()
        incarnation.has_started()
    if process.epoch > 1:
        restore(process)
    return incarnation

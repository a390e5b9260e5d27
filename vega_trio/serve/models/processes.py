"""Processes: rows, insides, trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.serve.models.common import BudgetEntry, ProcessStatus


@attrs.frozen
class ForkRequest:
    """`at` is the id of an event; the others replace the agent's."""

    at: int
    model: str | None = None
    system: str | None = None


@attrs.frozen(kw_only=True)
class ProcessMetrics:
    iterations: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    tool_calls: int
    errors: int
    last_active_at: str


@attrs.frozen(kw_only=True)
class ProcessEntry:
    id: str
    agent: str
    task: str = ""
    status: ProcessStatus
    started_at: str
    completed_at: str | None = None
    parent_id: str | None = None
    spawn_depth: int
    spawn_reason: str = ""
    metrics: ProcessMetrics
    name: str | None = None
    incarnation: int
    supervisor: str | None = None
    waiting_on: str | None = None
    exit_reason: str = ""


@attrs.frozen(kw_only=True)
class MailboxEntry:
    """How many messages wait, of how many that may."""

    length: int
    capacity: int


@attrs.frozen(kw_only=True)
class RestartsEntry:
    """`count` of at most `max` (null: unlimited) within the window; `next_at` while a restart is waited for."""

    count: int
    max: int | None
    window_s: float
    next_at: str | None = None


@attrs.frozen(kw_only=True)
class IncarnationEntry:
    incarnation: int
    started_at: str
    ended_at: str | None = None
    exit_reason: str = ""


@attrs.frozen(kw_only=True)
class ContextEntry:
    """About how many tokens the conversation comes to, of how many that the model is shown; 0: as many as it takes."""

    tokens: int
    max_tokens: int


@attrs.frozen(kw_only=True)
class MessageEntry:
    """A message of a process. `parts` is there when there is more to it than text."""

    role: str
    content: str
    parts: tuple[Mapping[str, Any], ...] = ()


@attrs.frozen(kw_only=True)
class ProcessInside:
    """What the detail of a process has besides its row. `monitors` it watches, `monitored_by` watch it."""

    messages: tuple[MessageEntry, ...]
    mailbox: MailboxEntry
    links: tuple[str, ...]
    monitors: tuple[str, ...]
    monitored_by: tuple[str, ...]
    restarts: RestartsEntry
    incarnations: tuple[IncarnationEntry, ...]
    budget: BudgetEntry
    context: ContextEntry
    deadline: str | None = None


@attrs.frozen(kw_only=True)
class ImpactEntry:
    """Ids of processes: what killing or restarting one would do, itself included."""

    dies: tuple[str, ...]
    restarts: tuple[str, ...]
    notified: tuple[str, ...]


@attrs.frozen(kw_only=True)
class TreeEntry:
    """A process in the spawn tree."""

    process_id: str
    agent_name: str
    task: str
    status: ProcessStatus
    spawn_depth: int
    spawn_reason: str = ""
    started_at: str
    children: tuple[TreeEntry, ...] = ()

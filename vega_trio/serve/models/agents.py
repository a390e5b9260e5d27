"""Agents and their definitions."""

from __future__ import annotations

import attrs

from vega_trio.serve.models.common import BudgetEntry, ProcessStatus, Source


@attrs.frozen
class NewAgent:
    """An agent to be composed. Any key of an agent of a document may stand beside these."""

    name: str
    system: str = ""
    persona: str | None = None
    description: str = ""
    model: str | None = None
    tools: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    temperature: float | None = None


@attrs.frozen
class AgentChange:
    """What is to change of a composed agent; `name` renames, null takes a key away."""

    name: str | None = None
    system: str | None = None
    description: str | None = None
    model: str | None = None
    tools: tuple[str, ...] | None = None
    team: tuple[str, ...] | None = None
    temperature: float | None = None


@attrs.frozen(kw_only=True)
class AgentEntry:
    """An agent in the list; `system` is its beginning. `budget`: its own, with what the process has spent of it."""

    name: str
    model: str = ""
    system: str = ""
    tools: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    process_id: str | None = None
    process_status: ProcessStatus | None = None
    source: Source | None = None
    display_name: str = ""
    description: str = ""
    streaming: bool = False
    budget: BudgetEntry | None = None


@attrs.frozen(kw_only=True)
class AgentMade:
    """A composed agent, after it was made or changed."""

    name: str
    model: str
    tools: tuple[str, ...] = ()
    process_id: str | None = None


@attrs.frozen(kw_only=True)
class AgentGone:
    """`until`: a document defines the agent, which is back after a restart."""

    status: str
    name: str
    until: str | None = None


@attrs.frozen(kw_only=True)
class ToolEntry:
    """A tool of an agent. `origin`: builtin, document for one that the document defines, mcp, or python."""

    name: str
    origin: str


@attrs.frozen(kw_only=True)
class SupervisionEntry:
    strategy: str
    max_restarts: int | None
    window_s: float


@attrs.frozen(kw_only=True)
class AgentDetail:
    """An agent's whole definition."""

    name: str
    model: str
    system: str
    tools: tuple[ToolEntry, ...]
    team: tuple[str, ...] = ()
    process_id: str | None = None
    process_status: ProcessStatus | None = None
    source: Source | None = None
    display_name: str = ""
    title: str = ""
    avatar: str = ""
    description: str = ""
    temperature: float | None = None
    max_tokens: int
    max_iterations: int
    supervision: SupervisionEntry | None = None
    streaming: bool = False

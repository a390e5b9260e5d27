"""The shapes of bodies and answers. A field with a default is optional: `convert.py` leaves it out while it has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

# -- bodies


@attrs.frozen
class ChatRequest:
    message: str
    session: str | None = None


@attrs.frozen
class RunOptions:
    """What may stand beside `inputs` when they are wrapped. Seconds."""

    timeout: float | None = None
    wait: float = 0.0


@attrs.frozen
class NewSession:
    agent: str
    title: str = ""


@attrs.frozen
class ForkRequest:
    """`at` is the id of an event; the others replace the agent's."""

    at: int
    model: str | None = None
    system: str | None = None


@attrs.frozen
class SessionChange:
    title: str | None = None
    archived: bool | None = None


@attrs.frozen
class Login:
    """One of the two."""

    token: str | None = None
    code: str | None = None


@attrs.frozen
class NewToken:
    user: str
    role: str = "owner"


@attrs.frozen
class McpChange:
    """A server's configuration, as far as it is to change. In `env` and `headers` null takes an entry away. Seconds."""

    transport: str | None = None
    command: str | None = None
    args: tuple[str, ...] | None = None
    env: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    url: str | None = None
    headers: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    timeout: float | None = None


@attrs.frozen
class NewMcpServer:
    """A server to be added. Without `command` and `url` it is the registry's of that name."""

    name: str
    transport: str | None = None
    command: str | None = None
    args: tuple[str, ...] | None = None
    env: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    url: str | None = None
    headers: Mapping[str, str | None] = attrs.field(factory=dict, repr=False)
    timeout: float | None = None


@attrs.frozen
class McpSwitch:
    disabled: bool


@attrs.frozen
class McpApproval:
    """The tools whose changed definitions are taken; none named: all."""

    tools: tuple[str, ...] = ()


@attrs.frozen
class ApprovalAnswer:
    """`decision`: approve or deny. `arguments` take the place of those asked for; `note` goes to the model."""

    decision: str
    arguments: Mapping[str, Any] | None = None
    note: str = ""


@attrs.frozen
class NewAgent:
    """An agent to be composed. Any key of an agent of a document may stand beside these."""

    name: str
    system: str = ""
    persona: str | None = None
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
    model: str | None = None
    tools: tuple[str, ...] | None = None
    temperature: float | None = None


# -- messages of a websocket's client


@attrs.frozen
class WsMessage:
    """What every message has; `ref` comes back in what answers it."""

    op: str
    ref: Any = None


@attrs.frozen
class WsChat:
    agent: str
    message: str
    session: str | None = None


@attrs.frozen
class WsStop:
    """One of the two."""

    session: str | None = None
    agent: str | None = None


@attrs.frozen
class WsSubscription:
    """`types`, `process_id` and `agent` filter the topic `events`."""

    topics: tuple[str, ...]
    last_event_id: int | None = None
    types: str = ""
    process_id: str | None = None
    agent: str | None = None


@attrs.frozen
class WsApproval:
    approval_id: str
    decision: str
    arguments: Mapping[str, Any] | None = None
    note: str = ""


# -- answers


@attrs.frozen(kw_only=True)
class Me:
    """`mode`: local where no credentials are asked for, else token."""

    user: str
    role: str
    mode: str


@attrs.frozen(kw_only=True)
class TokenEntry:
    id: str
    user: str
    role: str
    created_at: str


@attrs.frozen(kw_only=True)
class TokenMade:
    """A new token; what it is stands here and nowhere else."""

    id: str
    user: str
    role: str
    created_at: str
    token: str


@attrs.frozen(kw_only=True)
class EventEntry:
    """A stored event, as on the event stream."""

    id: int
    type: str
    process_id: str | None = None
    agent: str | None = None
    data: Mapping[str, Any]
    timestamp: str


@attrs.frozen(kw_only=True)
class StepEntry:
    path: str
    kind: str
    agent: str | None = None
    status: str
    attempts: int
    started_at: str | None = None
    duration_ms: int | None = None
    cost_usd: float
    error: str | None = None


@attrs.frozen(kw_only=True)
class RunEntry:
    """A run of a workflow; `result` is JSON as produced."""

    run_id: str
    workflow: str
    inputs: Mapping[str, Any]
    status: str
    result: Any = None
    error: str | None = None
    started_at: str
    completed_at: str | None = None
    cost_usd: float
    steps: tuple[StepEntry, ...]


@attrs.frozen(kw_only=True)
class SupervisorChild:
    """A child; one that is a supervisor has its own tree below."""

    id: str
    restart: str
    status: str
    process_id: str | None = None
    supervisor: SupervisorEntry | None = None


@attrs.frozen(kw_only=True)
class SupervisorEntry:
    id: str
    strategy: str
    restarts_used: int
    max_restarts: int | None
    window_s: float
    children: tuple[SupervisorChild, ...]


@attrs.frozen(kw_only=True)
class TurnMetrics:
    """`cost_usd` is null when no price is known."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    duration_ms: int


@attrs.frozen(kw_only=True)
class ChatAnswer:
    response: str
    turn_id: str
    metrics: TurnMetrics


@attrs.frozen(kw_only=True)
class ToolCallEntry:
    tool_call_id: str
    tool_name: str
    arguments: Mapping[str, Any]
    result: str
    duration_ms: int
    text_offset: int
    error: bool = False


@attrs.frozen(kw_only=True)
class ChatEntry:
    """One side of a turn."""

    role: str
    content: str
    id: str
    created_at: str
    tool_calls: tuple[ToolCallEntry, ...] = ()


@attrs.frozen(kw_only=True)
class ChatState:
    streaming: bool
    turn_id: str | None = None
    queued: int
    waiting_on: str = ""


@attrs.frozen(kw_only=True)
class NoTurn:
    """There is no turn to join."""

    streaming: bool


@attrs.frozen(kw_only=True)
class Status:
    """What was done, in one word."""

    status: str
    turn_id: str | None = None


@attrs.frozen(kw_only=True)
class SessionEntry:
    """A conversation. `message_count` counts one message of each side a turn."""

    id: str
    agent: str
    user: str
    title: str
    created_at: str
    updated_at: str
    message_count: int
    archived: bool = False


@attrs.frozen(kw_only=True)
class SessionMessage:
    """A message as it is stored; a turn has several when tools were called. `content` is its text."""

    seq: int
    turn_id: str
    role: str
    content: str
    parts: tuple[Mapping[str, Any], ...]
    created_at: str


@attrs.frozen(kw_only=True)
class AgentEntry:
    """An agent in the list; `system` is its beginning."""

    name: str
    model: str = ""
    system: str = ""
    tools: tuple[str, ...] = ()
    process_id: str | None = None
    process_status: str | None = None
    source: str | None = None
    display_name: str = ""
    description: str = ""
    streaming: bool = False


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
class MemoryLayer:
    """One layer of what an agent remembers of a user, such as profile, journal or notes."""

    user_id: str
    agent: str
    layer: str
    content: str
    created_at: str
    updated_at: str


@attrs.frozen(kw_only=True)
class MemoryEntry:
    user_id: str
    agent: str
    layers: tuple[MemoryLayer, ...]


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
    process_id: str | None = None
    process_status: str | None = None
    source: str | None = None
    display_name: str = ""
    title: str = ""
    avatar: str = ""
    description: str = ""
    temperature: float | None = None
    max_tokens: int
    max_iterations: int
    supervision: SupervisionEntry | None = None
    streaming: bool = False


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
    status: str
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
class BudgetEntry:
    """`limit_usd` is left out where there is none."""

    limit_usd: float | None = None
    spent_usd: float


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
    restarts: RestartsEntry | None = None
    incarnations: tuple[IncarnationEntry, ...]
    budget: BudgetEntry
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
    status: str
    spawn_depth: int
    spawn_reason: str = ""
    started_at: str
    children: tuple[TreeEntry, ...] = ()


@attrs.frozen(kw_only=True)
class StatsEntry:
    """Totals over all recorded processes. `uptime` reads `1h2m3s`."""

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


@attrs.frozen(kw_only=True)
class CostEntry:
    """What one agent, model, process or day has cost; `calls` are those of models."""

    key: str
    cost_usd: float
    input_tokens: int
    output_tokens: int
    calls: int


@attrs.frozen(kw_only=True)
class CostsEntry:
    """`wasted_usd` is what failed turns have cost."""

    total_usd: float
    wasted_usd: float
    budget: BudgetEntry
    rows: tuple[CostEntry, ...]


@attrs.frozen(kw_only=True)
class InputEntry:
    """An input of a workflow. `min` and `max` bound a number, or the length of a text or list."""

    type: str
    description: str = ""
    required: bool
    default: Any = None
    enum: tuple[Any, ...] = ()
    min: float | None = None
    max: float | None = None


@attrs.frozen(kw_only=True)
class WorkflowEntry:
    name: str
    description: str = ""
    steps: int
    inputs: Mapping[str, InputEntry] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class RunStarted:
    run_id: str
    status: str


@attrs.frozen(kw_only=True)
class McpServerEntry:
    """An MCP server. `tools` are its own names for them; those `changed` wait for approval and are not among them."""

    name: str
    connected: bool
    transport: str | None = None
    url: str | None = None
    command: str | None = None
    tools: tuple[str, ...]
    disabled: bool = False
    error: str = ""
    restarts: int
    changed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    source: str = ""


@attrs.frozen(kw_only=True)
class McpState:
    """What came of connecting a server."""

    name: str
    connected: bool
    tools: tuple[str, ...] = ()
    error: str = ""
    disabled: bool = False


@attrs.frozen(kw_only=True)
class McpConfigEntry:
    """A server's configuration, secrets left out: of variables and headers there are only the names."""

    name: str
    transport: str
    command: str | None = None
    args: tuple[str, ...] = ()
    env_keys: tuple[str, ...]
    url: str | None = None
    header_keys: tuple[str, ...]
    timeout: float
    disabled: bool


@attrs.frozen(kw_only=True)
class McpRegistryEntry:
    name: str
    description: str
    required_env: tuple[str, ...] = ()
    optional_env: tuple[str, ...] = ()
    connected: bool


@attrs.frozen(kw_only=True)
class McpApproved:
    approved: tuple[str, ...]


@attrs.frozen(kw_only=True)
class ApprovalEntry:
    """A tool call that waits, or waited, for a person. `changed` are the arguments that the person put instead."""

    id: str
    process_id: str
    agent: str
    tool_name: str
    arguments: Mapping[str, Any]
    reason: str
    created_at: str
    expires_at: str
    status: str
    session_id: str | None = None
    turn_id: str | None = None
    tool_call_id: str = ""
    note: str = ""
    changed: Mapping[str, Any] | None = None
    decided_at: str | None = None


@attrs.frozen(kw_only=True)
class SkillEntry:
    """A skill. `origin` is its file; an untrusted one no agent has."""

    name: str
    description: str
    origin: str
    agents: tuple[str, ...]
    tags: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    trusted: bool


@attrs.frozen(kw_only=True)
class ToolDescription:
    """A tool that agents may name. `origin`: builtin, document, python or mcp; `approval`: auto, always or never."""

    name: str
    description: str
    origin: str
    agents: tuple[str, ...]
    effects: tuple[str, ...]
    approval: str

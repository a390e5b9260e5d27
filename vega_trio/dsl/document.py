"""What a `.vega.yaml` says, as values: the result of parsing, checked and with every default filled in.

Nothing here runs. Times are float seconds, money is integer micro-dollars, places are 1-based. Texts with
`{{ }}` are compiled already (`template.py`); agents are complete, what they extend has been merged in. Tools are in
`tool.py`, steps in `workflow.py`, what they share in `policy.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import attrs

from vega_trio.agent import DEFAULT_MAX_ITERATIONS, SlidingWindow, Supervision, TokenBudget
from vega_trio.dsl.policy import BreakerDefinition, BudgetDefinition, Place, RateLimitDefinition, RetryDefinition
from vega_trio.dsl.tool import (
    BuiltinImpl,
    ExecImpl,
    FileReadImpl,
    FileWriteImpl,
    HttpImpl,
    HttpRetry,
    Implementation,
    Param,
    ShellValue,
    ToolDefinition,
)
from vega_trio.dsl.workflow import InputDefinition, Step, StepOptions, WorkflowDefinition
from vega_trio.model_call import DEFAULT_MAX_TOKENS, TOOL_TIMEOUT_S
from vega_trio.price import Price

__all__ = [
    "AgentDefinition",
    "ApprovalsDefinition",
    "BreakerDefinition",
    "BudgetDefinition",
    "BuiltinImpl",
    "ContextDefinition",
    "DelegationDefinition",
    "Document",
    "ExecImpl",
    "FileReadImpl",
    "FileWriteImpl",
    "HttpImpl",
    "HttpRetry",
    "Implementation",
    "InputDefinition",
    "LoggingDefinition",
    "McpServerDefinition",
    "Param",
    "Place",
    "RateLimitDefinition",
    "RetryDefinition",
    "Settings",
    "ShellValue",
    "SkillsDefinition",
    "Step",
    "StepOptions",
    "ToolDefinition",
    "TracingDefinition",
    "WorkflowDefinition",
]

# -- agents


@attrs.frozen
class DelegationDefinition:
    """How work reaches the team: messages of context handed over, whose, a shared board, how deep.

    `budget` and `timeout_s` hold for each piece of work that is handed out, from its beginning.
    """

    context_window: int = 6
    include_roles: tuple[str, ...] = ("user", "assistant")
    blackboard: bool = False
    max_depth: int = 5
    budget: BudgetDefinition | None = None
    timeout_s: float | None = None


@attrs.frozen
class SkillsDefinition:
    """An agent's skills: where they lie, which by name or pattern, and how many are active at a time."""

    directories: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_active: int = 3


@attrs.frozen
class ContextDefinition:
    """What of a history the model is shown. `keep` and `compact_at_tokens` are the sliding window's."""

    strategy: Literal["token_budget", "sliding_window"] = "token_budget"
    max_tokens: int = TokenBudget().max_tokens
    keep: int = SlidingWindow().keep
    compact_at_tokens: int = SlidingWindow().compact_at_tokens


@attrs.frozen(kw_only=True)
class AgentDefinition:
    """An agent as declared. `model` and `temperature` None: the settings' defaults apply.

    `tools` are names and `server__*` patterns, or "all": every tool that is no meta tool.
    """

    name: str
    system: str
    place: Place
    display_name: str = ""
    title: str = ""
    avatar: str = ""
    description: str = ""
    model: str | None = None
    fallback_model: str | None = None
    temperature: float | None = None
    max_tokens: int = DEFAULT_MAX_TOKENS
    max_iterations: int = DEFAULT_MAX_ITERATIONS
    budget: BudgetDefinition | None = None
    tools: tuple[str, ...] | Literal["all"] = ()
    knowledge: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    delegation: DelegationDefinition | None = None
    supervision: Supervision | None = None
    retry: RetryDefinition | None = None
    rate_limit: RateLimitDefinition | None = None
    circuit_breaker: BreakerDefinition | None = None
    skills: SkillsDefinition | None = None
    context: ContextDefinition | None = None


# -- settings


@attrs.frozen(kw_only=True)
class McpServerDefinition:
    """A server of MCP. Without `command` and `url` it is an entry of the registry."""

    name: str
    place: Place
    transport: Literal["stdio", "http", "sse"] = "stdio"
    command: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = attrs.field(factory=dict)
    cwd: str | None = None
    url: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    timeout_s: float = TOOL_TIMEOUT_S
    disabled: str = ""


@attrs.frozen(kw_only=True)
class LoggingDefinition:
    """Where the log goes, None being stderr, and how much of it."""

    level: str = "warning"
    file: str | None = None
    format: Literal["text", "json"] = "text"


@attrs.frozen(kw_only=True)
class TracingDefinition:
    """Where spans go; with `content` they hold what was said."""

    enabled: bool = False
    exporter: Literal["otlp", "json", "console"] = "otlp"
    endpoint: str | None = None
    content: bool = False


@attrs.frozen(kw_only=True)
class ApprovalsDefinition:
    """Which calls wait for a person: of `tools`, names and patterns, and by the rule of mixing."""

    tools: tuple[str, ...] = ()
    mixing: Literal["ask", "allow"] = "ask"
    timeout_s: float = 600.0


@attrs.frozen(kw_only=True)
class Settings:
    """The document's settings. None is "not said": the next layer of configuration decides."""

    default_model: str | None = None
    fallback_model: str | None = None
    default_temperature: float | None = None
    api_key: str | None = attrs.field(default=None, repr=False)
    sandbox: str = "./workspace"
    budget: BudgetDefinition | None = None
    supervision: Supervision | None = None
    retry: RetryDefinition | None = None
    circuit_breaker: BreakerDefinition | None = None
    delegation: DelegationDefinition | None = None
    rate_limit: RateLimitDefinition | None = None
    prices: Mapping[str, Price] = attrs.field(factory=dict)
    logging: LoggingDefinition | None = None
    tracing: TracingDefinition | None = None
    skills_directories: tuple[str, ...] = ()
    skills_trust: tuple[str, ...] = ()
    http_allow: tuple[str, ...] = ()
    commands_sandbox: Literal["bwrap", "none"] | None = None
    durability: Literal["full", "process"] = "full"
    keep_events_s: float = 30 * 86400.0
    values: Mapping[str, object] = attrs.field(factory=dict)
    expose_env: tuple[str, ...] = ()
    approvals: ApprovalsDefinition | None = None
    memory_enabled: bool = False
    memory_model: str | None = None
    max_processes: int = 1000
    idle_stop_s: float = 1800.0
    shutdown_timeout_s: float = 30.0
    limits: Mapping[str, float] = attrs.field(factory=dict)
    mcp_servers: tuple[McpServerDefinition, ...] = ()


UNSAID: Final = Settings()
"""What holds where a document says nothing, or there is none."""


@attrs.frozen(kw_only=True)
class Document:
    """A whole document. Agents that can only be extended (they have no `system`) are not among `agents`."""

    file: str
    name: str = ""
    description: str = ""
    agents: Mapping[str, AgentDefinition] = attrs.field(factory=dict)
    workflows: Mapping[str, WorkflowDefinition] = attrs.field(factory=dict)
    tools: Mapping[str, ToolDefinition] = attrs.field(factory=dict)
    settings: Settings = attrs.field(factory=Settings)

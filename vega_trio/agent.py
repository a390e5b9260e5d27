"""Blueprints: what to run and how it is to be supervised. Frozen values; a running instance is a `Process`."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs

from vega_trio.checks import (
    LONGEST_NAME,
    check_count,
    check_hook,
    check_kind,
    check_number,
    check_text,
    is_unreadable,
    member,
)
from vega_trio.exits import ExitReason
from vega_trio.model_call import DEFAULT_MAX_TOKENS as DEFAULT_MAX_TOKENS
from vega_trio.policies import Budget as Budget
from vega_trio.policies import CircuitBreaker as CircuitBreaker
from vega_trio.policies import Money as Money
from vega_trio.policies import OnExceed as OnExceed
from vega_trio.policies import RateLimit as RateLimit
from vega_trio.policies import RateStrategy as RateStrategy
from vega_trio.policies import RetryPolicy as RetryPolicy
from vega_trio.policies import SlidingWindow as SlidingWindow
from vega_trio.policies import TokenBudget as TokenBudget
from vega_trio.policies import as_budget as as_budget
from vega_trio.supervision import AutoShutdown as AutoShutdown
from vega_trio.supervision import BackoffConfig as BackoffConfig
from vega_trio.supervision import BackoffType as BackoffType
from vega_trio.supervision import Restart as Restart
from vega_trio.supervision import Strategy as Strategy
from vega_trio.supervision import Supervision as Supervision
from vega_trio.supervision import SupervisorStrategy as SupervisorStrategy
from vega_trio.supervision import check_backoff, check_intensity

if TYPE_CHECKING:
    from vega_trio.protocols import Model, PromptSource


def _as_tools(tools: Iterable[Any]) -> tuple[Any, ...]:
    if isinstance(tools, str):
        raise ValueError(f"Agent.tools must be a list, not the text {tools!r}; write [{tools!r}]")
    return tuple(tools)


DEFAULT_MAX_ITERATIONS = 50
"""Model calls of one turn."""

LEAST_THINKING = 1024
"""Below that providers refuse."""


@attrs.frozen(kw_only=True)
class Agent:
    """A blueprint: model, prompt, tools and limits. Many processes can be spawned from one.

    `model` is a model object or a string `provider:name` (a bare `claude-*` means anthropic); None takes the
    orchestrator's. `tools` are functions, Tool objects or names of built-in tools; without any the agent has
    none. `max_tokens` bounds one reply, `max_iterations` the model calls of one turn. `fallback_model` is tried once
    when `retry` is spent. `budget` (also bare dollars) covers one process over all incarnations and what works for it.
    With `output`, an attrs class, a dataclass or a JSON Schema, a reply is JSON and `Reply.output` its checked value.
    `thinking` lets the model think first: so many tokens at most (at least 1024, of `max_tokens`), or "adaptive", as it
    sees fit; None leaves it to the model.
    """

    name: str
    system: str | PromptSource = ""
    model: str | Model | None = None
    fallback_model: str | Model | None = None
    description: str = ""
    display_name: str = ""
    title: str = ""
    avatar: str = ""
    temperature: float | None = None
    max_tokens: int = DEFAULT_MAX_TOKENS
    max_iterations: int = DEFAULT_MAX_ITERATIONS
    tools: tuple[Any, ...] = attrs.field(default=(), converter=_as_tools)
    supervision: Supervision | None = None
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    rate_limit: RateLimit | None = None
    circuit_breaker: CircuitBreaker | None = None
    budget: Budget | None = attrs.field(default=None, converter=as_budget)
    context: TokenBudget | SlidingWindow = attrs.field(factory=TokenBudget)
    output: Any = attrs.field(default=None, hash=False)
    thinking: int | Literal["adaptive"] | None = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.name, str) or not 0 < len(self.name) <= LONGEST_NAME:
            raise ValueError(f"Agent.name must be a text of 1 to {LONGEST_NAME} characters, not {self.name!r}")
        if is_unreadable(self.name):
            raise ValueError(f"Agent.name must be without / : {{ }} and control characters, not {self.name!r}")
        if not isinstance(self.system, str) and not callable(getattr(self.system, "prompt", None)):
            raise ValueError(f"Agent.system must be a text or a prompt source, not {self.system!r}")
        check_kind("Agent", "retry", self.retry, RetryPolicy)
        check_kind("Agent", "context", self.context, TokenBudget, SlidingWindow)
        for field, kind in _OPTIONAL.items():
            if getattr(self, field) is not None:
                check_kind("Agent", field, getattr(self, field), kind)
        for field in ("model", "fallback_model"):
            _check_model(field, getattr(self, field))
        if self.temperature is not None:
            check_number("Agent", "temperature", self.temperature)
            if self.temperature > 2:
                raise ValueError(f"Agent.temperature must be at most 2, not {self.temperature!r}")
        if self.output is not None and not _can_be_output(self.output):
            raise ValueError(
                f"Agent.output must be an attrs class, a dataclass or a JSON Schema (a mapping), not {self.output!r}"
            )
        check_count("Agent", "max_tokens", self.max_tokens)
        if self.thinking is not None and self.thinking != "adaptive":
            check_count("Agent", "thinking", self.thinking, least=LEAST_THINKING)
            if self.thinking >= self.max_tokens:
                raise ValueError(f"Agent.thinking ({self.thinking}) must be below max_tokens ({self.max_tokens})")
        check_count("Agent", "max_iterations", self.max_iterations)


_OPTIONAL: Mapping[str, type] = {
    "supervision": Supervision,
    "rate_limit": RateLimit,
    "circuit_breaker": CircuitBreaker,
}


_MODEL = ("name", "stream", "price")  # the protocol's


def _check_model(field: str, model: Any) -> None:
    if model is not None and not isinstance(model, str) and not all(hasattr(model, each) for each in _MODEL):
        raise ValueError(f"Agent.{field} must be a Model object or a string such as 'demo', not {model!r}")


def _can_be_output(output: Any) -> bool:
    fields = isinstance(output, type) and (attrs.has(output) or dataclasses.is_dataclass(output))
    return fields or isinstance(output, Mapping)


ShutdownTime = float | Literal["brutal_kill"]
Decider = Callable[[ExitReason], Strategy | None]


def _as_restart(value: str) -> Restart:
    return member(Restart, "ChildSpec.restart", value)


def _as_strategy(value: str) -> SupervisorStrategy:
    return member(SupervisorStrategy, "SupervisorSpec.strategy", value)


def _as_auto_shutdown(value: str) -> AutoShutdown:
    return member(AutoShutdown, "SupervisorSpec.auto_shutdown", value)


@attrs.frozen
class ChildSpec:
    """One child of a supervisor (OTP `child_spec()`).

    `shutdown`: seconds to leave in after being asked, then it is killed; "brutal_kill": killed at once; None:
    5 s for a worker, no limit for a supervisor. `start_timeout`: seconds within which the body must call
    `ready()`; None: it has started at its first suspension. `on_failure` is asked at each abnormal exit.
    """

    id: str
    body: Body
    restart: Restart = attrs.field(default=Restart.PERMANENT, converter=_as_restart, kw_only=True)
    shutdown: ShutdownTime | None = attrs.field(default=None, kw_only=True)
    significant: bool = attrs.field(default=False, kw_only=True)
    start_timeout: float | None = attrs.field(default=None, kw_only=True)
    backoff: BackoffConfig | None = attrs.field(default=None, kw_only=True)
    on_failure: Strategy | Decider | None = attrs.field(default=None, kw_only=True)
    name: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_text("ChildSpec.id", self.id)
        body: Any = self.body
        if not isinstance(body, Agent | SupervisorSpec) and not callable(body):
            wanted = "an Agent, a SupervisorSpec or an async function"
            raise ValueError(f"ChildSpec.body of {self.id!r} must be {wanted}, not {body!r}")
        if self.name is not None:
            check_text(f"ChildSpec.name of {self.id!r}", self.name)
        check_backoff("ChildSpec", self.backoff)
        if isinstance(self.shutdown, str):
            if self.shutdown != "brutal_kill":
                raise ValueError(f"ChildSpec.shutdown must be seconds or 'brutal_kill', not {self.shutdown!r}")
        elif self.shutdown is not None:
            check_number("ChildSpec", "shutdown", self.shutdown)
        if self.start_timeout is not None:
            check_number("ChildSpec", "start_timeout", self.start_timeout)
        if self.significant and self.restart is Restart.PERMANENT:
            raise ValueError(f"ChildSpec.significant cannot be true for the permanent child {self.id!r}")
        if isinstance(self.on_failure, str):
            strategy = member(Strategy, "ChildSpec.on_failure", self.on_failure)
            object.__setattr__(self, "on_failure", strategy)
            if self.restart is Restart.TEMPORARY and strategy not in (Strategy.STOP, Strategy.ESCALATE):
                raise ValueError(
                    f"ChildSpec.on_failure of the temporary child {self.id!r} can be stop or escalate, not {strategy}"
                )
        else:
            check_hook("ChildSpec", "on_failure", self.on_failure)


def _as_children(children: Iterable[ChildSpec]) -> tuple[ChildSpec, ...]:
    given = tuple(children)
    for child in given:
        if not isinstance(child, ChildSpec):
            raise ValueError(f"SupervisorSpec.children must be ChildSpecs, not {child!r}")
    return given


@attrs.frozen
class SupervisorSpec:
    """A supervisor: its policy and its children in start order (OTP `supervisor:init/1`).

    It gives up when more than `max_restarts` restarts fall within `window` seconds. `dynamic` children are
    started later by `start_child`, alike and independent (OTP `simple_one_for_one`), and stop together.
    `revive=False` leaves finished and terminated children down when the group restarts.
    """

    strategy: SupervisorStrategy = attrs.field(default=SupervisorStrategy.ONE_FOR_ONE, converter=_as_strategy)
    children: tuple[ChildSpec, ...] = attrs.field(default=(), converter=_as_children)
    max_restarts: int | None = attrs.field(default=3, kw_only=True)
    window: float = attrs.field(default=5.0, kw_only=True)
    backoff: BackoffConfig | None = attrs.field(default=None, kw_only=True)
    auto_shutdown: AutoShutdown = attrs.field(default=AutoShutdown.NEVER, converter=_as_auto_shutdown, kw_only=True)
    dynamic: bool = attrs.field(default=False, kw_only=True)
    max_children: int | None = attrs.field(default=None, kw_only=True)
    revive: bool = attrs.field(default=True, kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_intensity("SupervisorSpec", self.max_restarts, self.window)
        check_backoff("SupervisorSpec", self.backoff)
        seen: set[str] = set()
        for child in self.children:
            if child.id in seen:
                raise ValueError(f"SupervisorSpec.children has the id {child.id!r} twice")
            seen.add(child.id)
            if child.significant and self.auto_shutdown is AutoShutdown.NEVER:
                raise ValueError(
                    f"SupervisorSpec.auto_shutdown must not be 'never' with the significant child {child.id!r}"
                )
        if self.dynamic and self.children:
            raise ValueError("SupervisorSpec.children must be empty when dynamic is true; use start_child")
        if self.dynamic and self.strategy is not SupervisorStrategy.ONE_FOR_ONE:
            raise ValueError(f"SupervisorSpec.strategy must be one_for_one when dynamic is true, not {self.strategy}")
        if self.max_children is not None:
            check_count("SupervisorSpec", "max_children", self.max_children, least=0)
            if len(self.children) > self.max_children:
                raise ValueError(
                    f"SupervisorSpec.max_children must be at least the number of children, {len(self.children)},"
                    f" not {self.max_children!r}"
                )


Body = Agent | SupervisorSpec | Callable[[Any], Awaitable[object]]

"""Makes the bodies of agents: resolves model and tools and hands them to the engine. Only here both sides are known."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from inspect import isfunction
from typing import Any

import attrs

from vega_trio._core.redact import Redactor
from vega_trio.agent import DEFAULT_MAX_TOKENS, Agent
from vega_trio.app.failpoints import no_failpoint
from vega_trio.app.ids import new_id
from vega_trio.engine.approvals import Approvals
from vega_trio.engine.body import agent_body
from vega_trio.engine.equipment import Equipment
from vega_trio.engine.limits import Limits
from vega_trio.engine.recollection import Recollection
from vega_trio.engine.telemetry import NoTelemetry
from vega_trio.errors import ConfigError, did_you_mean
from vega_trio.protocols import Model, Store, Telemetry, Tool, ToolSource
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process
from vega_trio.tools.threads import Threads
from vega_trio.tools.toolbox import ToolOptions, as_tool, options_of
from vega_trio.tools.typed import output_spec

DESCRIBED = 1000  # functions whose tools are kept, of a program that makes ever new ones


async def ask_by_name(orch: Orchestrator, _: Process, name: str, message: str) -> str:
    """`ToolContext.ask` of a program without an application: to the living process registered under `name`.

    Raises: UnknownName.
    """
    return str(await orch.send(name, message))


def _nothing_seen(_: str) -> frozenset[str]:
    """Who wrote the agents of a document or a program is to be trusted."""
    return frozenset()


def _no_source(_: str) -> ToolSource | None:
    """There are none."""
    return None


@attrs.define(kw_only=True)
class AgentFactory:
    """Turns blueprints into bodies. `named_tools` are those an agent may name instead of giving the object.

    `models` resolves a model string; `default_model` serves agents without one. `ask` needs what is opened with
    the bodies made here, so it is set once that is open, before an agent runs. `limits` are the application's.
    `max_tokens` is for agents that have the default. `redact` takes the secrets out of what tools and providers say.
    `threads` counts those that synchronous tools left behind. `approvals` are the requests for a person's yes. `select`
    knows the sources that names and patterns mean. `memory` is what is remembered of users. `seen_of`
    is what those had seen who wrote an agent while the program ran.
    """

    store: Store
    models: Callable[[str], Model]
    default_model: str | Model
    named_tools: Mapping[str, Tool]
    limits: Limits
    approvals: Approvals
    ask: Callable[[Process, str, str], Awaitable[str]] | None = None
    max_tokens: int = DEFAULT_MAX_TOKENS
    redact: Redactor = attrs.field(factory=Redactor)
    telemetry: Telemetry = attrs.field(factory=NoTelemetry)
    idle_stop_s: float | None = None
    failpoint: Callable[[str], None] = no_failpoint
    threads: Threads = attrs.field(factory=Threads)
    select: Callable[[str], ToolSource | None] = _no_source
    memory: Recollection | None = None
    seen_of: Callable[[str], frozenset[str]] = _nothing_seen
    _described: Callable[[Callable[..., Any], ToolOptions], Tool] = attrs.field(init=False, repr=False)

    @_described.default
    def _describing_once(self) -> Callable[[Callable[..., Any], ToolOptions], Tool]:
        """A function becomes a tool once and not for each process: reading its hints takes longer than a spawn."""
        return lru_cache(DESCRIBED)(lambda function, _options: as_tool(function, threads=self.threads))

    def model_of(self, agent: Agent) -> Model:
        """Raises: ConfigError for a model string that names no provider."""
        model = self.default_model if agent.model is None else agent.model
        return self.models(model) if isinstance(model, str) else model

    def fallback_of(self, agent: Agent) -> Model | None:
        """Raises: ConfigError for a model string that names no provider."""
        model = agent.fallback_model
        return self.models(model) if isinstance(model, str) else model

    def tools_of(self, agent: Agent) -> dict[str, Tool]:
        """By name, in the order given.

        Raises: ConfigError for an unknown name or a name given twice.
        """
        tools: dict[str, Tool] = {}
        for each in (*agent.tools, *(() if isinstance(agent.system, str) else agent.system.tools)):
            if self._source(each) is not None:
                continue
            tool = self._named(agent, each) if isinstance(each, str) else self._given(each)
            if tool.spec.name in tools:
                raise ConfigError(f"agent {agent.name!r} has two tools named {tool.spec.name!r}; rename one")
            tools[tool.spec.name] = tool
        return tools

    def sources_of(self, agent: Agent) -> tuple[ToolSource, ...]:
        """Where tools that come and go are to be had: those given, and those that names such as `fs__*` mean."""
        return tuple(source for each in agent.tools if (source := self._source(each)) is not None)

    def _source(self, given: Any) -> ToolSource | None:
        if isinstance(given, str):
            return None if given in self.named_tools else self.select(given)
        if isfunction(given):  # to ask for a protocol's members takes longer than all else here
            return None
        return given if isinstance(given, ToolSource) and not isinstance(given, Tool) else None

    def within(self, agent: Agent, most: Mapping[str, Tool]) -> Agent:
        """The blueprint with those of its tools that are among `most`. Raises: ConfigError as `tools_of`."""
        wanted = [*self.tools_of(agent), *(name for source in self.sources_of(agent) for name in source.tools)]
        return attrs.evolve(agent, tools=tuple(most[name] for name in dict.fromkeys(wanted) if name in most))

    def _given(self, given: Any) -> Tool:
        return self._described(given, options_of(given)) if isfunction(given) else as_tool(given, threads=self.threads)

    def _named(self, agent: Agent, name: str) -> Tool:
        tool = self.named_tools.get(name)
        if tool is None:
            hint = did_you_mean(name, self.named_tools)
            raise ConfigError(f"agent {agent.name!r} names the tool {name!r}, which does not exist{hint}")
        return tool

    def _with_max_tokens(self, agent: Agent) -> Agent:
        """Raises: ConfigError when the agent is to think for longer than it may answer."""
        if agent.max_tokens != DEFAULT_MAX_TOKENS:
            return agent
        if isinstance(agent.thinking, int) and agent.thinking >= self.max_tokens:
            message = f"agent {agent.name!r} may think for {agent.thinking} tokens, of the {self.max_tokens} that"
            raise ConfigError(f"{message} VEGA_MAX_TOKENS gives an answer; raise it, or set the agent's max_tokens")
        return attrs.evolve(agent, max_tokens=self.max_tokens)

    def body(self, agent: Agent) -> Callable[[Process], Awaitable[object]]:
        assert self.ask is not None
        agent = self._with_max_tokens(agent)
        equipment = Equipment(
            model=self.model_of(agent),
            tools=self.tools_of(agent),
            sources=self.sources_of(agent),
            store=self.store,
            wall_clock=time.time,
            new_id=new_id,
            ask=self.ask,
            within=self.within,
            approvals=self.approvals,
            idle_stop_s=self.idle_stop_s,
            failpoint=self.failpoint,
            fallback=self.fallback_of(agent),
            output=None if agent.output is None else output_spec(agent.output, agent.name),
            limits=self.limits,
            redact=self.redact,
            telemetry=self.telemetry,
            memory=self.memory,
            seen=self.seen_of(agent.name),
        )
        return agent_body(agent, equipment)

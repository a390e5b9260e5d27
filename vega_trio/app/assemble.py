"""Puts an application together: what its agents are made with, then, over a running kernel, the application itself."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path

import attrs
import trio

from vega_trio._core.redact import redactor, secrets_of
from vega_trio.app.agent_factory import AgentFactory
from vega_trio.app.agents import Agents, Workshop, open_agents
from vega_trio.app.application import App
from vega_trio.app.approvals import ApprovalDesk, Approvals, rules_of
from vega_trio.app.chat import Chat
from vega_trio.app.compose import Composer
from vega_trio.app.config import Config
from vega_trio.app.costs import Spending
from vega_trio.app.cron import local_zone
from vega_trio.app.drill import Drill
from vega_trio.app.files import Files
from vega_trio.app.knowledge import resources_of
from vega_trio.app.limits import answer_tokens, limits_of_document, open_book
from vega_trio.app.mcp import Mcp
from vega_trio.app.memory import place_of
from vega_trio.app.meta import Catalog, add_builtin_agents
from vega_trio.app.overview import Overview
from vega_trio.app.recovery import Recovery
from vega_trio.app.runs import Runs
from vega_trio.app.schedules import Schedules
from vega_trio.app.sessions import Sessions
from vega_trio.app.skills import open_skills
from vega_trio.app.source import Order
from vega_trio.app.teamwork import Teamwork
from vega_trio.app.tool_values import ToolValues
from vega_trio.app.toolbelt import named_tools_of, sandbox_of
from vega_trio.app.tools import ToolList
from vega_trio.app.user_layers import Layering
from vega_trio.app.user_memory import Memories, user_of_process
from vega_trio.app.watch import watch_store
from vega_trio.llm.names import small_model
from vega_trio.llm.resolve import Models
from vega_trio.protocols import Model, Store, Telemetry
from vega_trio.runtime.orchestrator import Orchestrator

log = logging.getLogger("vega_trio.app")


@attrs.frozen
class Parts:
    """What agents are made with, complete but for the agents: they need a kernel that MCP servers can run in."""

    workshop: Workshop
    catalogue: Agents
    mcp: Mcp
    memories: Memories
    tool_values: ToolValues

    @property
    def factory(self) -> AgentFactory:
        return self.workshop.factory


async def make_parts(
    order: Order,
    store: Store,
    models: Models,
    telemetry: Telemetry,
    approve: tuple[str, ...],
    unattended: str | None,
) -> Parts:
    """Takes in what the store has on record of approvals, servers and spending.

    Raises: ConfigError, StoreError, MissingExtra.
    """
    rules = rules_of(order.settings.approvals, approve)
    approvals = Approvals(store=store, wall_clock=time.time, rules=rules, unattended=unattended)
    await approvals.load()
    mcp = Mcp(store=store, env=order.env, base=order.base, approvals=approvals)
    await mcp.load(order.settings.mcp_servers)
    redact = redactor(secrets_of(order.keyed))
    tool_values = ToolValues(store, order.settings.values, redact)
    await tool_values.load()
    factory = await _factory(order, store, models, telemetry, approvals, mcp, tool_values)
    skills = open_skills(order.document, order.base, order.home)
    catalogue = Agents({})
    teams = Teamwork(lambda name: catalogue.get(name).agent)
    layering = Layering(store, catalogue, partial(_writer, order, catalogue))
    memories = Memories(store, layering)
    if order.settings.memory_enabled:
        factory.memory = layering
        if order.settings.memory_model is not None:
            models.get(order.settings.memory_model)  # a wrong name is found at start
    workshop = Workshop(
        document=order.document,
        model=order.model,
        factory=factory,
        skills=skills,
        teams=teams,
        memory=memories.tools() if order.settings.memory_enabled else (),
    )
    return Parts(workshop, catalogue, mcp, memories, tool_values)


def _writer(order: Order, agents: Agents, agent: str) -> str | Model | None:
    """The model that writes what an agent remembers. A program that brings its model as an object has it to itself."""
    if order.memory_model is not None:
        return order.memory_model
    if isinstance(order.model, str):
        return small_model(order.model)
    if order.settings.memory_model is not None:
        return order.settings.memory_model
    return small_model(agents.get(agent).model) if order.model is None else None


async def _factory(
    order: Order,
    store: Store,
    models: Models,
    telemetry: Telemetry,
    approvals: Approvals,
    mcp: Mcp,
    tool_values: ToolValues,
) -> AgentFactory:
    settings, env = order.settings, order.env
    return AgentFactory(
        store=store,
        failpoint=order.failpoint,
        models=models.get,
        approvals=approvals,
        threads=order.threads,
        limits=await open_book(limits_of_document(settings, env), settings.budget, store),
        default_model=order.default_model,
        max_tokens=answer_tokens(env),
        redact=tool_values.redact,
        telemetry=telemetry,
        named_tools=named_tools_of(order, order.document, mcp.resource_tool(), tool_values.stored),
        idle_stop_s=settings.idle_stop_s,
        select=mcp.select,
    )


async def assemble(
    order: Order, parts: Parts, orch: Orchestrator, *, memory: str | Path | None, resume: bool, meta: bool
) -> App:
    """The application at work: its servers connect, its agents are known, and with `resume` what was left goes on.

    Raises: ConfigError, StoreError.
    """
    factory, catalogue, store = parts.factory, parts.catalogue, parts.factory.store
    await _gather(parts, orch)
    sessions = Sessions(catalogue, orch, store)
    composer = await _composer(parts, sessions, meta=meta)
    chats = Chat(sessions)
    runs = Runs(order.document, catalogue, orch, store, order.env, place_of(store, memory), parts.factory.telemetry)
    _tie(parts, orch, chats, runs)
    watch_store(orch, store)
    memories = parts.memories
    recovery = Recovery(orch, sessions, runs, None if factory.memory is None else memories.layering)
    schedules = Schedules(chats=chats, zone=local_zone(order.env))
    await schedules.load()
    if resume:
        await recovery.run()
    tool_list = ToolList(factory.named_tools, order.document, parts.mcp)
    files = Files(sandbox_of(order.base, order.settings))
    return App(
        config=_config(order, parts, composer, runs, tool_list, files),
        orch=orch,
        store=store,
        model_note=order.note,
        started_at=time.time(),
        catalogue=catalogue,
        chats=chats,
        composer=composer,
        spending=Spending(factory.limits.budget),
        overview=Overview(orch, store, trio.current_time()),
        runs=runs,
        recovery=recovery,
        desk=ApprovalDesk(factory.approvals, orch),
        threads=order.threads,
        tool_list=tool_list,
        mcp=parts.mcp,
        memories=memories,
        tool_values=parts.tool_values,
        schedules=schedules,
        drill=Drill(factory.models, orch),
        files=files,
    )


def _tie(parts: Parts, orch: Orchestrator, chats: Chat, runs: Runs) -> None:
    """Gives what was made before the kernel and the conversations what it wants of them."""
    factory, memories = parts.factory, parts.memories
    factory.ask, factory.approvals.emit = chats.ask_for, orch.bus.emit
    memories.user_of = memories.layering.user_of = partial(user_of_process, runs, orch)


def _config(order: Order, parts: Parts, composer: Composer, runs: Runs, tool_list: ToolList, files: Files) -> Config:
    return Config(
        order=order,
        workshop=parts.workshop,
        agents=parts.catalogue,
        composer=composer,
        runs=runs,
        tool_list=tool_list,
        tool_values=parts.tool_values,
        mcp=parts.mcp,
        files=files,
        warnings=order.warnings,
    )


async def _gather(parts: Parts, orch: Orchestrator) -> None:
    """The document's agents, who may know resources of servers that connect meanwhile."""
    workshop, mcp = parts.workshop, parts.mcp
    workshop.teams.group = orch.group
    await mcp.open(orch)
    known = await mcp.resources(resources_of(workshop.document.agents.values()))
    open_agents(parts.catalogue, workshop, known)


async def _composer(parts: Parts, sessions: Sessions, *, meta: bool) -> Composer:
    """With the agents that were composed before; one that cannot be made any more is logged."""
    catalogue, workshop = parts.catalogue, parts.workshop
    composer = Composer(catalogue, sessions, parts.factory.store, workshop, parts.memories)
    parts.factory.seen_of = composer.seen
    if meta:
        add_builtin_agents(Catalog(catalogue, workshop, parts.mcp, composer))
    for wrong in await composer.load():
        log.warning("%s", wrong)
    return composer

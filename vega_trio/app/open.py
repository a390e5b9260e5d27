"""Opens the runtime: `open_orchestrator` for programs that bring their agents, `open_app` for whole documents."""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import attrs
import trio

from vega_trio._core.redact import redactor, secrets_of
from vega_trio.agent import Money
from vega_trio.app.agents import Agents, Workshop, open_agents
from vega_trio.app.application import App
from vega_trio.app.approvals import NOBODY, Approvals, Desk, rules_of
from vega_trio.app.chat import Chat
from vega_trio.app.compose import Composer
from vega_trio.app.costs import Spending
from vega_trio.app.disk import Disk, directory_of
from vega_trio.app.failpoints import failpoint_of
from vega_trio.app.knowledge import resources_of
from vega_trio.app.limits import Rates, answer_tokens, limits_of_document, limits_of_program, open_book, read_timeout
from vega_trio.app.mcp import Mcp
from vega_trio.app.memory import place_of
from vega_trio.app.meta import Catalog, add_builtin_agents
from vega_trio.app.models import with_key
from vega_trio.app.outfit import Outfitter, ask_by_name, open_ids
from vega_trio.app.overview import Overview
from vega_trio.app.recovery import Recovery, look, quarantine
from vega_trio.app.runs import Runs
from vega_trio.app.sessions import Sessions
from vega_trio.app.skills import open_skills
from vega_trio.app.teamwork import Teamwork
from vega_trio.app.toolbelt import named_tools
from vega_trio.app.tools import ToolList
from vega_trio.app.user_memory import Memories, user_of_process
from vega_trio.app.watch import watch_store
from vega_trio.diagnostics import Diagnostic
from vega_trio.dsl.builtin import BUILTIN_NAME, BUILTIN_TEXT
from vega_trio.dsl.document import Document, Settings
from vega_trio.dsl.parse import parse_document, parse_text
from vega_trio.dsl.words import BUILTIN_TOOLS
from vega_trio.engine.telemetry import NoTelemetry
from vega_trio.errors import DocumentError
from vega_trio.llm.names import DEFAULT_MODEL, providers
from vega_trio.llm.pull import installed
from vega_trio.llm.resolve import Models
from vega_trio.protocols import Model, Store, Tool
from vega_trio.runtime.health import HealthConfig
from vega_trio.runtime.orchestrator import Orchestrator, open_kernel
from vega_trio.runtime.recovered import Recovered
from vega_trio.store.memory import MemoryStore
from vega_trio.telemetry.setup import telemetry_of
from vega_trio.tools.demo import PUBLISH
from vega_trio.tools.plugins import load_plugins
from vega_trio.tools.threads import Threads
from vega_trio.tools.toolbox import as_tool

log = logging.getLogger("vega_trio.app")

MAX_PROCESSES = 1000
MAILBOX = 64  # messages that may wait in each process
SHUTDOWN_TIMEOUT_S = 30.0


@asynccontextmanager
async def open_orchestrator(
    *,
    model: str | Model | None = None,
    store: str | Path | Store | None = None,
    max_processes: int = MAX_PROCESSES,
    rate_limits: Rates | None = None,
    budget: Money | None = None,
    shutdown_timeout: float = SHUTDOWN_TIMEOUT_S,
    health: HealthConfig | None = None,
) -> AsyncIterator[Orchestrator]:
    """The runtime for a Trio program. Leaving the block stops every process in order; nothing outlives it.

    `model` serves agents without their own: a Model object or a string such as "anthropic:claude-...", "demo",
    "local"; None is `VEGA_MODEL`, else the newest Claude Sonnet. `store`: None keeps everything in memory, a path
    opens SQLite. `rate_limits`: a RateLimit that holds for each model, or one per name. `budget`, also in bare dollars,
    is what all may spend together within the block. `shutdown_timeout`: seconds, after which what still runs is killed.
    `health` sets the limits of alerts.

    Raises: StoreError, MissingExtra, ConfigError, ValueError, TypeError on entry; from the block SupervisorGaveUp or
        Escalated.
    """
    _check(model, max_processes, shutdown_timeout)
    env = os.environ
    threads = Threads()
    others = load_plugins(threads, BUILTIN_TOOLS)
    failpoint = failpoint_of(env)
    limits = limits_of_program(rate_limits, budget, env)
    models_of = Models(env=env, home=home_of(env), read_timeout_s=read_timeout(env))
    async with _open_store(store, "full", failpoint, Settings().keep_events_s) as opened, models_of as models:
        outfitter = Outfitter(
            store=opened,
            failpoint=failpoint,
            models=models.get,
            limits=limits,
            max_tokens=answer_tokens(env),
            redact=redactor(secrets_of(env)),
            telemetry=telemetry_of(env) or NoTelemetry(),
            approvals=Approvals(store=opened, wall_clock=time.time, unattended=NOBODY),
            default_model=model if model is not None else env.get("VEGA_MODEL") or DEFAULT_MODEL,
            named_tools=named_tools(Settings(), {}, others, base=Path(), env=env, canned_search=model == "demo"),
            threads=threads,
        )
        left = await look(opened)
        async with _open_kernel(outfitter, max_processes, shutdown_timeout, left, health) as orch:
            outfitter.ask, outfitter.approvals.emit = partial(ask_by_name, orch), orch.bus.emit
            watch_store(orch, opened)
            await quarantine(orch)
            yield orch


@asynccontextmanager
async def open_app(
    source: str | Path | Document | None = None,
    *,
    model: str | Model | None = None,
    store: str | Path | Store | None = None,
    tools: Iterable[Any] = (),
    env: Mapping[str, str] | None = None,
    home: Path | None = None,
    shutdown_timeout: float | None = None,
    memory: str | Path | None = None,
    approve: Iterable[str] = (),
    unattended: str | None = None,
    resume: bool = True,
    meta: bool = False,
    on_document: Callable[[Document], None] | None = None,
) -> AsyncIterator[App]:
    """A whole application: a document's agents, tools and workflows over one store, in any Trio program.

    `source`: a file or directory, a parsed document, or None for the built-in document. `model` overrides every
    agent's. `tools` are Python tools that agents and definitions may name. `env` defaults to the environment,
    `home` to `VEGA_HOME`, else `~/.vega`. `shutdown_timeout` overrides the document's, in seconds. Calls of the tools
    `approve`, names and patterns, need no approval. `unattended` says why nobody can be asked, where that is so: then
    what needs an approval is denied at once, with these words. Without a `store`, what workflows `remember` is kept in
    the file `memory`, which programs may share; without that it ends with the app. `resume`: whether what an earlier
    program left behind is taken up here, or only by `App.resume`. `meta` adds Mother and Hermes.
    `on_document` is called with the document before anything is opened for it.

    Raises: DocumentError, ConfigError, StoreError, MissingExtra.
    """
    _check(model, MAX_PROCESSES, SHUTDOWN_TIMEOUT_S if shutdown_timeout is None else shutdown_timeout)
    env = os.environ if env is None else env
    home = home_of(env) if home is None else home
    note = ""
    if source is None and model is None:
        model, note = _model_without_key(env, home)
    threads = Threads()
    given = [*load_plugins(threads, BUILTIN_TOOLS), *(as_tool(each, threads=threads) for each in tools)]
    document, warnings = _document(source, model, given, env, home)
    if on_document is not None:
        on_document(document)
    settings = document.settings
    keyed = with_key(env, settings)
    failpoint = failpoint_of(env)
    default = model if model is not None else env.get("VEGA_MODEL") or settings.default_model or DEFAULT_MODEL
    async with AsyncExitStack() as stack:
        kept = _open_store(store, settings.durability, failpoint, settings.keep_events_s)
        opened = await stack.enter_async_context(kept)
        models = await stack.enter_async_context(Models(env=keyed, home=home, read_timeout_s=read_timeout(env)))
        approvals = Approvals(
            store=opened,
            wall_clock=time.time,
            rules=rules_of(settings.approvals, tuple(approve)),
            unattended=unattended,
        )
        await approvals.load()
        base = directory_of(document.file)
        mcp = Mcp(store=opened, env=env, base=base, approvals=approvals)
        await mcp.load(settings.mcp_servers)
        outfitter = Outfitter(
            store=opened,
            failpoint=failpoint,
            models=models.get,
            approvals=approvals,
            threads=threads,
            limits=await open_book(limits_of_document(settings, env), settings.budget, opened),
            default_model=default,
            max_tokens=answer_tokens(env),
            redact=redactor(secrets_of(keyed)),
            telemetry=telemetry_of(env) or NoTelemetry(),
            named_tools=named_tools(
                settings,
                document.tools,
                (mcp.resource_tool(), *given),
                base=base,
                env=env,
                canned_search=default == "demo",
            ),
            idle_stop_s=settings.idle_stop_s,
            select=mcp.select,
        )
        skills = open_skills(document, base, home)
        catalogue = Agents({})
        teams = Teamwork(lambda name: catalogue.get(name).agent)
        memories = Memories(opened)
        workshop = Workshop(
            document=document,
            model=model,
            outfitter=outfitter,
            skills=skills,
            teams=teams,
            memory=memories.tools() if settings.memory_enabled else (),
        )
        left = await look(opened)
        patience = settings.shutdown_timeout_s if shutdown_timeout is None else shutdown_timeout
        mailbox = int(settings.limits.get("mailbox", MAILBOX))
        kernel = _open_kernel(outfitter, settings.max_processes, patience, left, mailbox=mailbox)
        orch = await stack.enter_async_context(kernel)
        teams.group = orch.group
        await mcp.open(orch)
        known = await mcp.resources(resources_of(document.agents.values()))
        open_agents(catalogue, workshop, known)
        sessions = Sessions(catalogue, orch, opened)
        composer = Composer(catalogue, sessions, opened, workshop)
        if meta:
            add_builtin_agents(Catalog(catalogue, workshop, mcp, composer))
        for wrong in await composer.load():
            log.warning("%s", wrong)
        chats = Chat(sessions)
        runs = Runs(document, catalogue, orch, opened, env, place_of(opened, memory if store is None else None))
        outfitter.ask, approvals.emit = chats.ask_for, orch.bus.emit
        memories.user_of = partial(user_of_process, runs, orch)
        watch_store(orch, opened)
        recovery = Recovery(orch, sessions, runs)
        if resume:
            await recovery.run()
        yield App(
            document=document,
            warnings=warnings,
            orch=orch,
            store=opened,
            model_note=note,
            started_at=time.time(),
            catalogue=catalogue,
            chats=chats,
            composer=composer,
            spending=Spending(outfitter.limits.budget),
            overview=Overview(orch, opened, trio.current_time()),
            runs=runs,
            recovery=recovery,
            desk=Desk(approvals, orch),
            skills=skills,
            threads=threads,
            tool_list=ToolList(outfitter.named_tools, document, mcp),
            mcp=mcp,
        )


def _check(model: object, max_processes: object, shutdown_timeout: object) -> None:
    """Arguments that a type checker would have refused, before anything is opened for them."""
    if model is not None and not isinstance(model, str | Model):
        raise TypeError(f"model must be a Model object or a string such as 'demo', not {model!r}")
    if isinstance(max_processes, bool) or not isinstance(max_processes, int) or max_processes < 1:
        raise ValueError(f"max_processes must be a whole number of at least 1, not {max_processes!r}")
    if isinstance(shutdown_timeout, bool) or not isinstance(shutdown_timeout, int | float) or not shutdown_timeout >= 0:
        raise ValueError(f"shutdown_timeout must be a number of seconds, at least 0, not {shutdown_timeout!r}")


def home_of(env: Mapping[str, str]) -> Path:
    """Where vega keeps what belongs to its user."""
    return Path(env["VEGA_HOME"]) if env.get("VEGA_HOME") else Path.home() / ".vega"


def _model_without_key(env: Mapping[str, str], home: Path) -> tuple[str | None, str]:
    """The built-in document's model when none was chosen and no key is set, and the line that says so."""
    if env.get("VEGA_MODEL") or env.get("ANTHROPIC_API_KEY"):
        return None, ""
    if installed(home) and find_spec("xllamacpp") and find_spec("httpx"):
        return "local", "no ANTHROPIC_API_KEY is set: answering with the local model; set the key or use --model"
    return "demo", "no ANTHROPIC_API_KEY is set: answering with the scripted demo model; set the key or use --model"


def _document(
    source: str | Path | Document | None,
    model: str | Model | None,
    tools: Iterable[Tool],
    env: Mapping[str, str],
    home: Path,
) -> tuple[Document, tuple[Diagnostic, ...]]:
    if isinstance(source, Document):
        return source, ()
    if model is not None:  # an agent without a model of its own is complete, then
        env = {**env, "VEGA_MODEL": model if isinstance(model, str) else model.name}
    if source is not None:
        parsed = parse_document(
            str(source), Disk(), env=env, tools=[tool.spec.name for tool in tools], providers=providers()
        )
        if parsed.missing_env:
            raise DocumentError(parsed.missing_env)
        return parsed.document, parsed.warnings
    parsed = parse_text(BUILTIN_TEXT, BUILTIN_NAME, Disk(), env={"VEGA_MODEL": DEFAULT_MODEL, **env})
    settings = attrs.evolve(parsed.document.settings, sandbox=str(home / "workspace"))
    document = attrs.evolve(parsed.document, settings=settings)
    if env.get("VEGA_MODEL") == "demo":
        shown = {name: attrs.evolve(each, tools=(*each.tools, PUBLISH)) for name, each in document.agents.items()}
        document = attrs.evolve(document, agents=shown)
    return document, parsed.warnings


@asynccontextmanager
async def _open_store(
    store: str | Path | Store | None,
    durability: Literal["full", "process"],
    failpoint: Callable[[str], None],
    keep_events_s: float,
) -> AsyncIterator[Store]:
    if store is None:
        yield MemoryStore()
    elif isinstance(store, str | Path):
        from vega_trio.store.sqlite import open_sqlite  # only who has a database pays for its packages

        opening = open_sqlite(store, durability=durability, keep_events_s=keep_events_s, failpoint=failpoint)
        async with opening as opened:
            yield opened
    elif callable(getattr(store, "submit", None)):
        yield store
    else:
        raise TypeError(f"store must be a path, a Store object or None, not {store!r}")


def _open_kernel(
    outfitter: Outfitter,
    max_processes: int,
    shutdown_timeout: float,
    recovered: Recovered,
    health: HealthConfig | None = None,
    mailbox: int = MAILBOX,
) -> AbstractAsyncContextManager[Orchestrator]:
    return open_kernel(
        store=outfitter.store,
        make_body=outfitter.body,
        wall_clock=time.time,
        rand=random.random,
        new_id=open_ids(),
        max_processes=max_processes,
        shutdown_timeout=shutdown_timeout,
        health=health,
        mailbox=mailbox,
        recovered=recovered,
    )


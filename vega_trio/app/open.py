"""Opens the runtime: `open_orchestrator` for programs that bring their agents, `open_app` for whole documents."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from vega_trio._core.redact import redactor, secrets_of
from vega_trio.agent import Money
from vega_trio.app.agent_factory import AgentFactory, ask_by_name
from vega_trio.app.application import App
from vega_trio.app.approvals import NOBODY, Approvals
from vega_trio.app.assemble import assemble, make_parts
from vega_trio.app.failpoints import failpoint_of
from vega_trio.app.figures import figures_of
from vega_trio.app.foundation import MAILBOX, open_kernel_of, open_store
from vega_trio.app.limits import Rates, answer_tokens, limits_of_program, read_timeout
from vega_trio.app.recovery import look, quarantine
from vega_trio.app.source import Order, home_of, order_of
from vega_trio.app.toolbelt import named_tools
from vega_trio.app.watch import watch_store
from vega_trio.dsl.document import UNSAID, Document, Settings
from vega_trio.dsl.words import BUILTIN_TOOLS
from vega_trio.engine.limits import Limits
from vega_trio.engine.telemetry import NoTelemetry
from vega_trio.llm.names import DEFAULT_MODEL
from vega_trio.llm.resolve import Models
from vega_trio.price import Price
from vega_trio.protocols import Model, Store
from vega_trio.runtime.health import HealthConfig
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.recovered import Recovered
from vega_trio.telemetry.setup import open_telemetry, telemetry_of
from vega_trio.tools.plugins import load_plugins
from vega_trio.tools.threads import Threads


@asynccontextmanager
async def open_orchestrator(
    *,
    model: str | Model | None = None,
    store: str | Path | Store | None = None,
    max_processes: int = UNSAID.max_processes,
    rate_limits: Rates | None = None,
    budget: Money | None = None,
    shutdown_timeout: float = UNSAID.shutdown_timeout_s,
    health: HealthConfig | None = None,
    prices: Mapping[str, Price] | None = None,
) -> AsyncIterator[Orchestrator]:
    """The runtime for a Trio program. Leaving the block stops every process in order; nothing outlives it.

    `model` serves agents without their own: a Model object or a string such as "anthropic:claude-...", "demo",
    "local"; None is `VEGA_MODEL`, else the newest Claude Sonnet. `store`: None keeps everything in memory, a path
    opens SQLite. `rate_limits`: a RateLimit that holds for each model, or one per name. `budget`, also in bare dollars,
    is what all may spend together within the block. `shutdown_timeout`: seconds, after which what still runs is killed.
    `health` sets the limits of alerts. `prices` are those of models, by name, that the price list does not know, or not
    as you pay them.

    Raises: StoreError, MissingExtra, ConfigError, ValueError, TypeError on entry; from the block SupervisorGaveUp or
        Escalated.
    """
    _check(model, max_processes, shutdown_timeout)
    if health is not None and not isinstance(health, HealthConfig):
        raise TypeError(f"health must be a vega.HealthConfig, not {health!r}")
    env = os.environ
    failpoint = failpoint_of(env)
    limits = limits_of_program(rate_limits, budget, env)
    models_of = Models(env=env, home=home_of(env), read_timeout_s=read_timeout(env), prices=_priced(prices))
    async with open_store(store, "full", failpoint, UNSAID.keep_events_s) as opened, models_of as models:
        factory = _factory_of_program(model, opened, models, limits, failpoint, env)
        left = await look(opened)
        async with open_kernel_of(factory, max_processes, shutdown_timeout, left, health) as orch:
            factory.ask, factory.approvals.emit = partial(ask_by_name, orch), orch.bus.emit
            watch_store(orch, opened)
            await quarantine(orch, opened)
            with factory.telemetry.watch(partial(figures_of, orch, limits.budget)):
                yield orch


def _factory_of_program(
    model: str | Model | None,
    store: Store,
    models: Models,
    limits: Limits,
    failpoint: Callable[[str], None],
    env: Mapping[str, str],
) -> AgentFactory:
    """What agents are made with where there is no document: built-in tools, those of plugins, and the environment."""
    threads = Threads()
    plugged = load_plugins(threads, BUILTIN_TOOLS)
    return AgentFactory(
        store=store,
        failpoint=failpoint,
        models=models.get,
        limits=limits,
        max_tokens=answer_tokens(env),
        redact=redactor(secrets_of(env)),
        telemetry=telemetry_of(env) or NoTelemetry(),
        approvals=Approvals(store=store, wall_clock=time.time, unattended=NOBODY),
        default_model=model if model is not None else env.get("VEGA_MODEL") or DEFAULT_MODEL,
        named_tools=named_tools(UNSAID, {}, plugged, base=Path(), env=env, canned_search=model == "demo"),
        threads=threads,
    )


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
    memory_model: str | Model | None = None,
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
    the file `memory`, which programs may share; without that it ends with the app. `memory_model` writes what agents
    remember of users, where the document enables that, instead of the document's model for it. `resume`: whether what
    an earlier program left behind is taken up here, or only by `App.resume`. `meta` adds Mother and Hermes.
    `on_document` is called with the document before anything is opened for it.

    Raises: DocumentError, ConfigError, StoreError, MissingExtra.
    """
    _check(model, UNSAID.max_processes, UNSAID.shutdown_timeout_s if shutdown_timeout is None else shutdown_timeout)
    _check_model(memory_model)
    order = order_of(source, model, tools, os.environ if env is None else env, home)
    order = attrs.evolve(order, memory_model=memory_model)
    if on_document is not None:
        on_document(order.document)
    settings = order.settings
    async with (
        open_store(store, settings.durability, order.failpoint, settings.keep_events_s) as opened,
        _models_of(order) as models,
        open_telemetry(order.env, settings.tracing) as telemetry,
    ):
        parts = await make_parts(order, opened, models, telemetry or NoTelemetry(), tuple(approve), unattended)
        left = await look(opened)
        async with _kernel_of_document(settings, parts.factory, left, shutdown_timeout) as orch:
            app = await assemble(order, parts, orch, memory=memory if store is None else None, resume=resume, meta=meta)
            with parts.factory.telemetry.watch(app.figures):
                yield app


def _models_of(order: Order) -> Models:
    timeout_s = read_timeout(order.env)
    return Models(env=order.keyed, home=order.home, read_timeout_s=timeout_s, prices=order.settings.prices)


def _kernel_of_document(
    settings: Settings, factory: AgentFactory, left: Recovered, shutdown_timeout: float | None
) -> AbstractAsyncContextManager[Orchestrator]:
    patience = settings.shutdown_timeout_s if shutdown_timeout is None else shutdown_timeout
    mailbox = int(settings.limits.get("mailbox", MAILBOX))
    return open_kernel_of(factory, settings.max_processes, patience, left, mailbox=mailbox)


def _priced(prices: Mapping[str, Price] | None) -> Mapping[str, Price]:
    for each in (prices or {}).values():
        if not isinstance(each, Price):
            raise TypeError(f"prices must be a vega.Price per model's name, not {each!r}")
    return prices or {}


def _check_model(model: object) -> None:
    if model is not None and not isinstance(model, str | Model):
        raise TypeError(f"model must be a Model object or a string such as 'demo', not {model!r}")


def _check(model: object, max_processes: object, shutdown_timeout: object) -> None:
    """Arguments that a type checker would have refused, before anything is opened for them."""
    _check_model(model)
    if isinstance(max_processes, bool) or not isinstance(max_processes, int) or max_processes < 1:
        raise ValueError(f"max_processes must be a whole number of at least 1, not {max_processes!r}")
    if isinstance(shutdown_timeout, bool) or not isinstance(shutdown_timeout, int | float) or not shutdown_timeout >= 0:
        raise ValueError(f"shutdown_timeout must be a number of seconds, at least 0, not {shutdown_timeout!r}")

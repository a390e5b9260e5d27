"""Starts the bot below a supervisor of its own: whatever befalls it, the application goes on."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any, Final

import trio

from vega_trio.agent import BackoffConfig, ChildSpec, Restart, SupervisorSpec
from vega_trio.app.application import App
from vega_trio.errors import MissingExtra, UnknownAgent
from vega_trio.telegram.settings import Settings, settings_of

log = logging.getLogger("vega_trio.telegram")

NAME: Final = "telegram"
BOT: Final = "vega_trio.telegram.bot"
SHUTDOWN_S: Final = 2.0
_BACKOFF: Final = BackoffConfig(initial=1.0, max=60.0, jitter=0.1)


async def start_telegram(app: App, env: Mapping[str, str], ready: trio.Event) -> None:
    """Has the bot begin when `ready` is set, if the environment names a token. Returns at once.

    Raises: ConfigError for a variable of Telegram's that cannot be used.
    """
    settings = settings_of(env)
    if settings is None:
        return
    # A setting that others may change, as agents come and go, must not keep the server from starting.
    try:
        app.agent(settings.agent)
    except UnknownAgent as error:
        log.error("telegram bot not started: TELEGRAM_AGENT: %s", error)
        return
    spec = SupervisorSpec(dynamic=True, max_restarts=None, window=60.0, backoff=_BACKOFF)
    supervisor = await app.orch.supervise(spec, name=NAME, fatal=False)
    body = partial(_body, app, settings, ready)
    await supervisor.start_child(
        ChildSpec(NAME, body, restart=Restart.TRANSIENT, shutdown=SHUTDOWN_S, name=f"{NAME}:bot")
    )


async def _body(app: App, settings: Settings, ready: trio.Event, _: Any) -> None:
    await ready.wait()
    try:
        # Half a second of imports at the first start, off the server's thread.
        bot: Any = sys.modules.get(BOT) or await trio.to_thread.run_sync(import_module, BOT)
    except ModuleNotFoundError as error:
        log.error("telegram bot not started: %s", MissingExtra("telegram", f"TELEGRAM_BOT_TOKEN ({error.name})"))
        return
    await bot.run_bot(app, settings)

"""The whole bot, over an application with a scripted model, against the fake Bot API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from vega_trio.app.application import App
from vega_trio.app.disk import Disk
from vega_trio.app.open import open_app
from vega_trio.changes import Change
from vega_trio.dsl.document import ApprovalsDefinition, Document
from vega_trio.dsl.parse import parse_text
from vega_trio.errors import StoreReadOnly
from vega_trio.protocols import Model, Store
from vega_trio.store.commit import StoreCommit
from vega_trio.telegram import bot  # noqa: F401  # half a second that no test should wait for
from vega_trio.telegram.start import start_telegram
from vega_trio.testing import MemoryStore
from vega_trio.testing.fake_telegram import TOKEN, FakeTelegram

ME = 7
STRANGER = 666


TEXT = b"""
name: talked
agents:
  assistant: {system: You help., description: Helps with anything.}
  reviewer: {system: You review.}
settings: {default_model: scripted}
"""


def document(tools: Iterable[Any] = (), needing_approval: Iterable[str] = ()) -> Document:
    names = [tool.spec.name for tool in tools]
    parsed = parse_text(TEXT, "talked.vega.yaml", Disk(), env={}, tools=names).document
    agents = {**parsed.agents, "assistant": attrs.evolve(parsed.agents["assistant"], tools=tuple(names))}
    approvals = ApprovalsDefinition(tools=tuple(needing_approval))
    return attrs.evolve(parsed, agents=agents, settings=attrs.evolve(parsed.settings, approvals=approvals))


@attrs.define(eq=False)
class RefusingStore:
    """As on a full disk: while it is `full`, nothing is written."""

    inner: MemoryStore
    full: bool = False

    def submit(self, change: Change) -> Any:
        if not self.full:
            return self.inner.submit(change)
        commit = StoreCommit()
        commit.settle(StoreReadOnly("the disk is full"))
        return commit

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@attrs.frozen
class Talk:
    app: App
    server: FakeTelegram
    model: Model

    async def answered(self, count: int = 1, user: int = ME) -> list[str]:
        """What the user is shown, once so many messages are there and none is under way."""
        await self.server.until(lambda: len(self.server.said(user)) >= count and not self.busy(user))
        return self.server.said(user)

    def busy(self, user: int) -> bool:
        return any("Stop" in sent.buttons for sent in self.server.messages.values() if sent.chat == user)


@asynccontextmanager
async def talking(
    model: Model,
    *,
    server: FakeTelegram | None = None,
    store: Store | None = None,
    tools: Iterable[Any] = (),
    needing_approval: Iterable[str] = (),
    env: Mapping[str, str] = {},
    max_tokens: int | None = None,
) -> AsyncIterator[Talk]:
    """A server at work; users write to `talk.server`. ME is allowed unless `env` says otherwise."""
    given = tuple(tools)
    async with open_server(server) as telegram:
        whole = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": telegram.base_url, "TELEGRAM_AGENT": "assistant"}
        whole = {**whole, "TELEGRAM_ALLOW": str(ME), **env}
        source = document(given, needing_approval)
        if max_tokens is not None:
            agents = {name: attrs.evolve(each, max_tokens=max_tokens) for name, each in source.agents.items()}
            source = attrs.evolve(source, agents=agents)
        async with open_app(source, model=model, store=store, tools=given, env={}) as app:
            ready = trio.Event()
            await start_telegram(app, whole, ready)
            ready.set()
            yield Talk(app, telegram, model)


@asynccontextmanager
async def open_server(server: FakeTelegram | None) -> AsyncIterator[FakeTelegram]:
    """The one that is open already, or a new one."""
    if server is not None:
        yield server
        return
    async with FakeTelegram().open() as opened:
        yield opened

"""A kernel for tests: ids count up, chance is fixed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Any

import trio

import vega_trio as vega
from vega_trio.runtime import Orchestrator, Process, open_kernel
from vega_trio.store.memory import MemoryStore

OpenKernel = Callable[..., AbstractAsyncContextManager[Orchestrator]]


def echo_agent(agent: vega.Agent) -> Callable[[Process], Awaitable[object]]:
    """An agent body without a model: answers with what it was sent; `crash` and `hang` do so."""

    async def body(me: Process) -> object:
        async for mail in me.inbox:
            with mail.handling() as scope:
                if mail.message == "crash" or (mail.message == "crash once" and mail.attempt == 1):
                    raise ValueError("as told")
                if mail.message == "hang":
                    await trio.sleep_forever()
                mail.reply((mail.message, mail.attempt))
            if scope.cancelled_caught:
                me.emit(vega.TurnStopped(turn_id=mail.id, root_turn_id=mail.root_id))
                mail.fail(vega.TurnCancelled(mail.id))
        return None

    return body


@asynccontextmanager
async def kernel(**options: Any) -> AsyncIterator[Orchestrator]:
    ids = count(1)
    fields: dict[str, Any] = {
        "store": MemoryStore(),
        "make_body": echo_agent,
        "wall_clock": trio.current_time,
        "rand": lambda: 0.5,
        "new_id": lambda: f"id{next(ids)}",
        **options,
    }
    async with open_kernel(**fields) as orch:
        yield orch

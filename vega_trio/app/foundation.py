"""What everything stands on: a store and a kernel, opened for whichever way into the runtime was taken."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Literal

from vega_trio.app.agent_factory import AgentFactory
from vega_trio.app.ids import open_ids
from vega_trio.protocols import Store
from vega_trio.runtime.health import HealthConfig
from vega_trio.runtime.orchestrator import Orchestrator, open_kernel
from vega_trio.runtime.recovered import Recovered
from vega_trio.store.memory import MemoryStore

MAILBOX = 64  # messages that may wait in each process


@asynccontextmanager
async def open_store(
    store: str | Path | Store | None,
    durability: Literal["full", "process"],
    failpoint: Callable[[str], None],
    keep_events_s: float,
) -> AsyncIterator[Store]:
    """None keeps everything in memory, a path opens SQLite. Raises: StoreError, TypeError."""
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


def open_kernel_of(
    factory: AgentFactory,
    max_processes: int,
    shutdown_timeout: float,
    recovered: Recovered,
    health: HealthConfig | None = None,
    mailbox: int = MAILBOX,
) -> AbstractAsyncContextManager[Orchestrator]:
    """The kernel whose agents the factory makes, over its store."""
    return open_kernel(
        store=factory.store,
        make_body=factory.body,
        wall_clock=time.time,
        rand=random.random,
        new_id=open_ids(),
        max_processes=max_processes,
        shutdown_timeout=shutdown_timeout,
        health=health,
        mailbox=mailbox,
        recovered=recovered,
        redact=factory.redact,
    )

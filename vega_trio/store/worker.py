"""A thread that owns one database connection, and how Trio tasks speak with it.

Items go in through a `SimpleQueue`, so that handing one over never blocks; what the thread has to say comes back
as a function to be run in the Trio thread. An SQLite connection belongs to the thread that opened it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs
import outcome
import trio

if TYPE_CHECKING:
    from sqlite_utils import Database

Item = TypeVar("Item")
Tell = Callable[[Callable[[], object]], None]
Work = Callable[["Database", "SimpleQueue[Item | None]", Tell], None]


@attrs.define(eq=False)
class Worker(Generic[Item]):
    """The Trio side of the thread. Once `closed`, nothing may be put any more."""

    _queue: SimpleQueue[Item | None] = attrs.field(factory=SimpleQueue)
    closed: bool = False

    def put(self, item: Item) -> None:
        """Hands an item over, without waiting."""
        self._queue.put(item)


@asynccontextmanager
async def open_worker(
    name: str, connect: Callable[[], Database], work: Work[Item], refuse: Callable[[Item], None]
) -> AsyncIterator[Worker[Item]]:
    """Runs `connect` and then `work` in a thread called `name`, until the block is left.

    `work` must return when it takes None from the queue; then the connection is closed. Leaving the block waits for
    that, cancelled or not. `refuse` is called in the Trio thread with each item that came too late for the thread.
    Raises: what `connect` raises.
    """
    queue: SimpleQueue[Item | None] = SimpleQueue()
    worker = Worker(queue)
    connected: list[outcome.Outcome[Database]] = []
    ready, ended = trio.Event(), trio.Event()
    tell = partial(_tell, trio.lowlevel.current_trio_token())

    def run() -> None:
        connection = outcome.capture(connect)
        connected.append(connection)
        tell(ready.set)
        if isinstance(connection, outcome.Value):
            work(connection.value, queue, tell)
            connection.value.close()
        tell(ended.set)

    # A daemon: should Trio itself fall, the program must still be able to end. Nothing unacknowledged was promised.
    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        await ready.wait()
        connected[0].unwrap()
        yield worker
    finally:
        with trio.CancelScope(shield=True):
            queue.put(None)
            await ended.wait()
        thread.join()  # it has nothing left to do
        worker.closed = True
        for item in _rest(queue):
            refuse(item)


def _rest(queue: SimpleQueue[Item | None]) -> list[Item]:
    items = [queue.get_nowait() for _ in range(queue.qsize())]
    return [item for item in items if item is not None]


def _tell(token: trio.lowlevel.TrioToken, message: Callable[[], object]) -> None:
    with suppress(trio.RunFinishedError):  # nobody is left to be told
        token.run_sync_soon(message)

"""Monitors: one Down about one incarnation, in a private queue."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs
import trio

from vega_trio.exits import Down, NoProcess
from vega_trio.runtime.incarnation import running

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process


@attrs.define(eq=False)
class Monitor:
    """A private queue for one Down. `watcher` is None when who watches is no process."""

    watcher: Process | None
    send: trio.MemorySendChannel[Down]
    receive: trio.MemoryReceiveChannel[Down]

    def tell(self, down: Down) -> None:
        """The one message; then the queue ends."""
        self.send.send_nowait(down)
        self.send.close()


@asynccontextmanager
async def open_monitor_of(process: Process) -> AsyncIterator[trio.MemoryReceiveChannel[Down]]:
    """A private queue that gets one Down and then ends. Leaving the block discards it."""
    me = running()
    monitor = Monitor(me.process if me is not None else None, *trio.open_memory_channel[Down](math.inf))
    watched = process.live
    if watched is None:
        down = Down(process.id, process.agent_name, process.incarnation, NoProcess(), trio.current_time())
        monitor.tell(down)
    else:
        watched.add_monitor(monitor)
    try:
        yield monitor.receive
    finally:
        if watched is not None:
            watched.drop_monitor(monitor)
        monitor.receive.close()

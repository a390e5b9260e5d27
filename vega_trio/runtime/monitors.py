"""Monitors: one Down about one incarnation, in a private queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from vega_trio.changes import Unwatch, Watch
from vega_trio.exits import Down, NoProcess
from vega_trio.runtime.incarnation import running
from vega_trio.runtime.ties import keep, new_monitor

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process


@asynccontextmanager
async def open_monitor_of(process: Process) -> AsyncIterator[trio.MemoryReceiveChannel[Down]]:
    """A private queue that gets one Down and then ends. Leaving the block discards it."""
    me = running()
    watcher, watched = me.process if me is not None else None, process.live
    left = process.kernel.recovered.monitors.pop((watcher.id, process.id), None) if watcher is not None else None
    monitor = left or new_monitor(watcher)
    if left is None and watched is not None:
        watched.add_monitor(monitor)
        if watcher is not None:
            keep(watcher, process, Watch(watcher.id, process.id))
    elif left is None:
        monitor.tell(Down(process.id, process.agent_name, process.incarnation, NoProcess(), trio.current_time()))
    try:
        yield monitor.receive
    finally:
        if watched is not None:
            watched.drop_monitor(monitor)
            if watcher is not None and not process.kernel.closing:
                keep(watcher, process, Unwatch(watcher.id, process.id))
        monitor.receive.close()

"""The files of a document's project, watched for changes."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from functools import partial

import trio

from vega_trio.app.disk import directory_of
from vega_trio.errors import MissingExtra

POLL_MS = 200  # how long the watcher's thread may outlive a cancellation
SETTLE_MS = 300  # an editor writes a file in several steps
WATCHED = (".yaml", ".yml", ".md", ".txt", ".json")


async def report_changes(
    source: str, command: str, *, task_status: trio.TaskStatus[trio.MemoryReceiveChannel[None]]
) -> None:
    """Sends on the channel it starts with when a file of the project has changed; changes not taken count as one.

    Raises: MissingExtra, for `command`.
    """
    try:
        from watchfiles import watch
    except ImportError as error:
        raise MissingExtra("cli", command) from error
    folder = directory_of(source)
    stop = threading.Event()
    batches = watch(
        folder,
        watch_filter=lambda _, path: path.endswith(WATCHED) and os.sep + "." not in os.path.relpath(path, folder),
        debounce=SETTLE_MS,
        rust_timeout=POLL_MS,
        stop_event=stop,
        raise_interrupt=False,
        yield_on_timeout=True,
    )
    send, changes = trio.open_memory_channel[None](1)
    wait = partial(trio.to_thread.run_sync, next, batches, None, abandon_on_cancel=True)
    try:
        await wait()  # its first answer says that it watches: what is saved from now on is seen
        task_status.started(changes)
        while (batch := await wait()) is not None:
            if batch:
                with suppress(trio.WouldBlock):
                    send.send_nowait(None)
    finally:
        stop.set()  # the thread ends by itself within POLL_MS

"""What `vega watch` does: runs, waits for a file to change, and runs again."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from functools import partial

import attrs
import trio

from vega_trio.app.disk import directory_of
from vega_trio.cli.config import Setup, open_setup
from vega_trio.cli.documents import need_document
from vega_trio.cli.failure import Failure, show
from vega_trio.cli.log_output import Log, start_logging
from vega_trio.cli.options import Shared
from vega_trio.cli.output import Output, parse_output
from vega_trio.cli.runner import Request, parse_timeout, run_once
from vega_trio.cli.signals import INTERRUPTS
from vega_trio.errors import MissingExtra, VegaError

POLL_MS = 200  # how long the watcher's thread may outlive a cancellation
SETTLE_MS = 300  # an editor writes a file in several steps
WATCHED = (".yaml", ".yml", ".md", ".txt", ".json")


def watch_document(request: Request, shared: Shared) -> int:
    """Runs until Ctrl-C. Raises: what stops it before the first run."""
    setup = open_setup(shared.home)
    log = start_logging(shared, setup.env)
    output = parse_output(request.output)
    timeout_s = parse_timeout(request.timeout)
    source = need_document(request.file, "watch")
    request = attrs.evolve(request, reads_stdin=False)
    return trio.run(partial(_main, request, shared, setup, output, timeout_s, source, log))


async def _main(
    request: Request, shared: Shared, setup: Setup, output: Output, timeout_s: float | None, source: str, log: Log
) -> int:
    async with trio.open_nursery() as nursery:
        changes = await nursery.start(_report_changes, source)
        while True:
            with trio.CancelScope() as again:
                async with trio.open_nursery() as run:
                    run.start_soon(_cancel_on_change, changes, again)
                    try:
                        code = await run_once(request, shared, setup, output, timeout_s, log)
                    except (VegaError, Failure) as error:
                        show(error, no_color=shared.no_color)
                        code = 0
                    if code <= 128:
                        with trio.open_signal_receiver(*INTERRUPTS) as signals:
                            if not shared.quiet:
                                _say(f"watching {source}: save a file to run again, Ctrl-C to stop")
                            code = 128 + await anext(aiter(signals))
                    run.cancel_scope.cancel()
                nursery.cancel_scope.cancel()
                return code
            _say("changed: running again")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


async def _cancel_on_change(changes: trio.MemoryReceiveChannel[None], scope: trio.CancelScope) -> None:
    await changes.receive()
    scope.cancel()


async def _report_changes(source: str, *, task_status: trio.TaskStatus[trio.MemoryReceiveChannel[None]]) -> None:
    """Sends on the channel it starts with when a file of the project has changed; changes not taken count as one."""
    try:
        from watchfiles import watch
    except ImportError as error:
        raise MissingExtra("cli", "vega watch") from error
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

"""What `vega watch` does: runs, waits for a file to change, and runs again."""

from __future__ import annotations

import sys
from functools import partial

import attrs
import trio

from vega_trio.cli.changes import report_changes
from vega_trio.cli.config import Setup, open_setup
from vega_trio.cli.documents import need_document
from vega_trio.cli.failure import Failure, show
from vega_trio.cli.log_output import Log, start_logging
from vega_trio.cli.options import Shared
from vega_trio.cli.output import Output, parse_output
from vega_trio.cli.runner import Request, parse_timeout, run_once
from vega_trio.cli.signals import INTERRUPTS
from vega_trio.errors import VegaError


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
        changes = await nursery.start(report_changes, source, "vega watch")
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

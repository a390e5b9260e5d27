"""What `vega run` does: opens the document, binds the inputs, runs the workflow and prints its result."""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import attrs
import trio

from vega_trio.app.application import App
from vega_trio.app.run import Run
from vega_trio.cli.asking import asking, nobody
from vega_trio.cli.config import Setup, open_setup
from vega_trio.cli.documents import choose_workflow, database_or_memory, need_document, read_document
from vega_trio.cli.failure import INTERRUPTED, Failure, usage
from vega_trio.cli.inputs import MAX_BYTES, Given, bind, decode_text
from vega_trio.cli.live import closing_line, show_progress
from vega_trio.cli.log_output import Log, start_logging
from vega_trio.cli.opened import open_here
from vega_trio.cli.options import Shared
from vega_trio.cli.output import Output, parse_output, write
from vega_trio.cli.rehearsal import show_rehearsal
from vega_trio.cli.signals import on_interrupt
from vega_trio.cli.terminal import can_animate
from vega_trio.dsl.inputs import bind as bind_inputs
from vega_trio.dsl.rehearse import rehearse
from vega_trio.dsl.units import parse_duration
from vega_trio.dsl.workflow import WorkflowDefinition
from vega_trio.errors import RunCancelled, RunFailed

PATIENCE_S = 3.0


@attrs.frozen(kw_only=True)
class Request:
    """One call of `vega run`, as given. `options` are the command's own, for a slip of one."""

    file: str | None
    workflow: str | None
    given: tuple[Given, ...]
    options: tuple[str, ...]
    timeout: str | None
    output: str | None
    model: str | None
    db: str | None
    resume: str | None = None
    dry_run: bool = False
    reads_stdin: bool = True
    approve: tuple[str, ...] = ()


@attrs.define
class _Watch:
    """The run, and the signal that ended it, if one did: it may come before the run has started."""

    run: Run | None = None
    signal: int = 0

    async def cancel(self, number: int) -> None:
        self.signal = number
        if self.run is not None:
            await self.run.cancel()

    async def finish(self, start: Callable[[], Awaitable[Run]]) -> tuple[RunFailed | RunCancelled | None, Any]:
        """(what went wrong, result) of a run that Ctrl-C cancels."""
        async with on_interrupt(self.cancel):
            self.run = await start()
            if self.signal:
                await self.run.cancel()
            try:
                return None, await self.run.wait()
            except (RunFailed, RunCancelled) as error:
                return error, None


def run_document(request: Request, shared: Shared) -> int:
    """Runs and returns the exit code. Raises: whatever stops it; `failure.py` knows what that means."""
    setup = open_setup(shared.home)
    log = start_logging(shared, setup.env)
    output = parse_output(request.output)
    timeout_s = parse_timeout(request.timeout)
    return trio.run(partial(run_once, request, shared, setup, output, timeout_s, log))


def parse_timeout(text: str | None) -> float | None:
    """Seconds. Raises: Failure."""
    if text is None:
        return None
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise usage(f"--timeout {text!r} is no duration", "write for example 90s, 30m or 1h30m") from error
    if seconds <= 0:
        raise usage(f"--timeout {text!r} leaves no time", "write for example 90s, 30m or 1h30m")
    return seconds


async def run_once(
    request: Request, shared: Shared, setup: Setup, output: Output, timeout_s: float | None, log: Log
) -> int:
    """One run, from reading the document to writing the result. Returns the exit code."""
    source = need_document(request.file, "run")
    if request.dry_run:
        return await _rehearsed(source, request, shared, setup, output)
    store = database_or_memory(request.db, setup)
    if request.resume is not None:
        _check_resume(request, timeout_s, store)
    opening = open_here(
        source,
        setup,
        log,
        model=request.model,
        store=store,
        approve=request.approve,
        unattended=nobody(),
        resume=False,
    )
    async with opening as app:
        left = None if request.resume is None else await app.run(request.resume)
        if left is not None and left["status"] not in ("running", "interrupted"):
            write(ended_result(left), output)
            return 0
        start = await _start(app, request, timeout_s, quiet=shared.quiet)
        watch = _Watch()
        finish = partial(_quietly, app) if shared.quiet else partial(_shown, app, shared, left)
        error, result = await finish(watch, start)
    if isinstance(error, RunCancelled):
        return 128 + watch.signal if watch.signal else INTERRUPTED
    if error is not None:
        raise error
    write(result, output)
    return 0


async def _rehearsed(source: str, request: Request, shared: Shared, setup: Setup, output: Output) -> int:
    """`--dry-run`: shows the steps and calls nobody. Returns the exit code."""
    document = read_document(source, setup, request.model)
    definition = choose_workflow(document, request.workflow)
    inputs, primary_text = await _inputs(request, definition, quiet=shared.quiet)
    bound = bind_inputs(definition, inputs, primary_text=primary_text)
    return show_rehearsal(rehearse(document, definition.name, bound, setup.env), output)


def _check_resume(request: Request, timeout_s: float | None, store: str | None) -> None:
    """Raises: Failure."""
    if store is None:
        raise usage("--resume needs the database that holds the run", "give it with --db PATH or VEGA_DB")
    if request.given or request.workflow is not None or timeout_s is not None:
        message = "--resume goes on with the workflow, inputs and timeout that the run has"
        raise usage(message, f"write: vega run FILE --db {store} --resume {request.resume}")


async def _start(app: App, request: Request, timeout_s: float | None, *, quiet: bool) -> Callable[[], Awaitable[Run]]:
    """What begins the run, or has it go on."""
    if request.resume is not None:
        return partial(_go_on, app, request.resume)
    workflow = choose_workflow(app.document, request.workflow)
    inputs, primary_text = await _inputs(request, workflow, quiet=quiet)
    return partial(app.run_workflow, workflow.name, inputs, primary_text=primary_text, timeout=timeout_s)


async def _go_on(app: App, run_id: str) -> Run:
    """Raises: Failure when it cannot, which is on record then."""
    run = await app.resume_run(run_id)
    if run is None:
        ended_result(await app.run(run_id))
        raise Failure(f"the run {run_id} has ended meanwhile", "run the command again to see its result")
    return run


async def _inputs(
    request: Request, workflow: WorkflowDefinition, *, quiet: bool
) -> tuple[dict[str, object], str | None]:
    """What `bind` gives. In a thread: what is piped in may take its time, and Ctrl-C must not wait for it."""
    async with trio.open_nursery() as nursery:
        if not quiet:
            nursery.start_soon(_say_who_is_waited_for)
        bound = await trio.to_thread.run_sync(
            bind,
            request.given,
            workflow,
            read_stdin if request.reads_stdin else no_stdin,
            request.options,
            abandon_on_cancel=True,
        )
        nursery.cancel_scope.cancel()
    return bound


async def _say_who_is_waited_for() -> None:
    """Nobody should wonder about an open stdin that was never meant as input."""
    await trio.sleep(PATIENCE_S)
    sys.stderr.write("waiting for the primary input on stdin (--task TEXT gives it here)\n")
    sys.stderr.flush()


async def _quietly(
    app: App, watch: _Watch, start: Callable[[], Awaitable[Run]]
) -> tuple[RunFailed | RunCancelled | None, Any]:
    async with asking(app):
        return await watch.finish(start)


async def _shown(
    app: App, shared: Shared, left: Mapping[str, Any] | None, watch: _Watch, start: Callable[[], Awaitable[Run]]
) -> tuple[RunFailed | RunCancelled | None, Any]:
    """As `_Watch.finish`, showing the steps while they happen."""
    started_at = time.time()
    showing = show_progress(app, live=_live(shared), run=left)
    async with showing as progress, asking(app, hush=progress.pause):
        ended = await watch.finish(start)
    cost_usd = watch.run.cost_usd if watch.run is not None else 0.0
    sys.stderr.write(closing_line(progress, started_at, cost_usd) + "\n")
    sys.stderr.flush()
    return ended


def _live(shared: Shared) -> bool:
    """Whether the step tree may repaint itself: on a capable terminal, with nothing logged in between."""
    talkative = shared.verbose or shared.debug
    capable = can_animate(sys.stderr, no_color=shared.no_color)
    return capable and not talkative and importlib.util.find_spec("rich") is not None


def ended_result(row: Mapping[str, Any]) -> Any:
    """The result of a run that has completed before. Raises: RunFailed, Failure when it has none."""
    if row["status"] == "failed":
        raise RunFailed(row["error"], row["error_class"], row["run_id"])
    if row["status"] != "completed":
        said = f": {row['error']}" if row["error"] else ""
        message = f"the run {row['run_id']} is {row['status']} and does not go on{said}"
        raise Failure(message, "start it anew, without --resume")
    return row["result"]


def no_stdin(_asked: bool) -> None:
    """Of a command that runs several times."""


def read_stdin(asked: bool) -> str | None:
    """What is piped or redirected into stdin, or, when asked for, typed; None when there is nothing.

    Reads the descriptor itself: a thread that is abandoned in `sys.stdin` would hold its lock at exit.
    """
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return None
    if not (asked or stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)):
        return None
    data = b""
    while chunk := os.read(0, 65536):
        data += chunk
        if len(data) > MAX_BYTES:
            break
    return decode_text(data, "stdin") or None

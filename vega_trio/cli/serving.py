"""What `vega serve` does: opens the document and the database and hands the application to the server."""

from __future__ import annotations

import gc
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import attrs
import trio

from vega_trio.app.application import App
from vega_trio.app.open import open_app
from vega_trio.app.source import Order, order_of
from vega_trio.app.wipe import wipe
from vega_trio.cli.browser import open_in_browser
from vega_trio.cli.config import Setup, open_setup
from vega_trio.cli.documents import choose_document, environment, need_database
from vega_trio.cli.log_output import Log, start_logging
from vega_trio.cli.options import Shared
from vega_trio.cli.reloading import start_reloading
from vega_trio.cli.remote import DEFAULT_PORT
from vega_trio.cli.summary import counts
from vega_trio.cli.terminal import safe
from vega_trio.errors import MissingExtra
from vega_trio.mcp_server.mount import open_mount
from vega_trio.telegram.start import start_telegram

DATABASE = ".vega-serve.db"
GC_THRESHOLD = 10_000  # allocations between collections; what a server makes lives for a request or for ever


@attrs.frozen(kw_only=True)
class Request:
    """One call of `vega serve`, as given."""

    file: str | None
    addr: str | None
    db: str | None
    demo: bool
    model: str | None
    watch: bool
    open_page: bool
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    token: bool
    read_only: bool
    trust_user_header: bool
    mcp_commands: bool


def serve_document(request: Request, shared: Shared) -> int:
    """Serves until a signal and returns the exit code. Raises: what stops it; `failure.py` knows what that means."""
    setup = open_setup(shared.home)
    log = start_logging(shared, setup.env)
    with ExitStack() as stack:
        if request.demo and request.db is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vega-demo-"))
            database = str(Path(folder) / "demo.db")
        else:
            database = need_database(choose_database(request.db, setup))
        trio.run(partial(_main, request, shared, setup, database, log))
    return 0


def choose_database(flag: str | None, setup: Setup) -> str:
    return flag or setup.env.get("VEGA_DB") or setup.config.db or DATABASE


def choose_address(flag: str | None, setup: Setup) -> str:
    return flag or setup.env.get("VEGA_ADDR") or setup.config.addr or f":{DEFAULT_PORT}"


async def _main(request: Request, shared: Shared, setup: Setup, database: str, log: Log) -> None:
    """Serves until a signal; from the beginning again, with an empty database, when the operator asks for that."""
    source = choose_document(request.file)
    listener = await _serve(source, request, shared, setup, database, log, None)
    while listener is not None:
        with listener:  # whoever connects waits in its queue
            wipe(database)
            gc.unfreeze()  # what the one before had loaded goes with it
            _say("reset: the database is empty")
            again = attrs.evolve(request, open_page=False)
            listener = await _serve(source, again, shared, setup, database, log, listener)


async def _serve(
    source: str | None,
    request: Request,
    shared: Shared,
    setup: Setup,
    database: str,
    log: Log,
    listener: socket.socket | None,
) -> socket.socket | None:
    """Serves once, on a socket that listens already if one is given. Returns it when there is to be another time."""
    try:
        from vega_trio.serve.desk import Renewal
        from vega_trio.serve.exchange import user_of_scope
        from vega_trio.serve.listener import parse_address
        from vega_trio.serve.server import Access, serve
    except ModuleNotFoundError as error:
        raise MissingExtra("serve", "vega serve") from error
    addr = choose_address(request.addr, setup)
    parse_address(addr)  # a wrong one is found before anything is opened
    access = Access(
        home=setup.home,
        token=request.token,
        read_only=request.read_only,
        trust_user_header=request.trust_user_header,
    )
    gc.set_threshold(GC_THRESHOLD)
    async with _open(source, request, setup, database, log) as app:
        _introduce(app, shared)
        app.mcp.any_command, app.drill.allowed = request.mcp_commands, request.demo
        on_ready = await _start_companions(app, source, request, shared, setup)
        async with open_mount(app, user_of_scope) as mcp:
            return await serve(
                app,
                addr=addr,
                allow_hosts=request.hosts,
                allow_origins=request.origins,
                access=access,
                on_ready=on_ready,
                shutdown_timeout=app.document.settings.shutdown_timeout_s,
                mcp=mcp if find_spec("mcp") is not None else None,
                listener=listener,
                renewal=Renewal(partial(_order, source, request, setup)),
            )


def _order(source: str | None, request: Request, setup: Setup) -> Order:
    """What `_open` would open. Raises: DocumentError, ConfigError."""
    model = _model(request)
    return order_of(source, model, (), environment(setup, source, model), setup.home)


def _model(request: Request) -> str | None:
    return "demo" if request.demo else request.model


def _open(
    source: str | None, request: Request, setup: Setup, database: str, log: Log
) -> AbstractAsyncContextManager[App]:
    """The application. What an earlier server left behind is taken up once this one is ready."""
    model = _model(request)
    return open_app(
        source,
        model=model,
        store=database,
        env=environment(setup, source, model),
        home=setup.home,
        resume=False,
        meta=True,
        on_document=log.follow,
    )


def _introduce(app: App, shared: Shared) -> None:
    if not shared.quiet:
        _say(f"{app.document.file}: {counts(app.document)}")
        if app.warnings:
            _say(f"{len(app.warnings)} warnings: vega validate {app.document.file} shows them")
    if app.model_note:
        _say(app.model_note)


async def _start_companions(
    app: App, source: str | None, request: Request, shared: Shared, setup: Setup
) -> Callable[[str], None]:
    """Starts what works beside the server. Gives what is to be called with its address once it listens."""
    serving = trio.Event()
    told, address = trio.open_memory_channel[str](1)
    await start_telegram(app, setup.env, serving)
    if request.open_page:
        await open_in_browser(app, address)
    if request.watch:
        await start_reloading(app, source, shared)
    return partial(_ready, serving, told)


def _ready(serving: trio.Event, told: trio.MemorySendChannel[str], url: str) -> None:
    """Says where the dashboard is, and takes what has been loaded out of the garbage collector's sight."""
    _say(f"Dashboard: {url}")
    serving.set()
    told.send_nowait(url)
    gc.collect()
    gc.freeze()


def _say(line: str) -> None:
    sys.stderr.write(safe(line) + "\n")
    sys.stderr.flush()

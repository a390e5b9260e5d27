"""Runs the server: open the address, serve, and on a signal stop in order.

running     connections are accepted on our socket; one task keeps the event ring up to date
stopping    a first signal: nothing new is accepted, `server.stopping` goes out, turns may drain and with them the
            requests that wait for them; all other requests are cut after a moment
down        whatever still hangs is cut; a client that reads nothing is the kernel's to cut (`listener.py`)
at once     a second signal ends the program, exit 130; what was under way is in the store
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import cast

import attrs
import trio
from hypercorn.config import Config

from vega_trio.app.application import App
from vega_trio.app.tokens import Tokens, home_secret
from vega_trio.errors import ConfigError
from vega_trio.events import ServerStopping
from vega_trio.serve.assets import WEB_FOLDER, read_bundle
from vega_trio.serve.chat import begin_turn
from vega_trio.serve.connections import serve_connections
from vega_trio.serve.desk import Desk, Renewal, limits_of
from vega_trio.serve.door import Door, Mode
from vega_trio.serve.exchange import Asgi, Receive, Scope, Send
from vega_trio.serve.guard import MAX_HEAD, MCP_PATHS, Policy, open_policy
from vega_trio.serve.idempotency import Ledger
from vega_trio.serve.listener import Address, open_listener, parse_address
from vega_trio.serve.rates import Rate
from vega_trio.serve.reception import Reception
from vega_trio.serve.ring import EventRing
from vega_trio.serve.turns import TurnLogs
from vega_trio.serve.web import all_routes, open_web
from vega_trio.serve.websocket import Websockets

log = logging.getLogger("vega_trio.serve")

EXIT_INTERRUPTED = 130
CUT_S = 2.0  # from the end of the drain until connections are cancelled


async def serve(
    app: App,
    *,
    addr: str,
    allow_hosts: Iterable[str] = (),
    allow_origins: Iterable[str] = (),
    access: Access,
    on_ready: Callable[[str], None],
    shutdown_timeout: float,
    mcp: Asgi | None = None,
    listener: socket.socket | None = None,
    renewal: Renewal | None = None,
) -> socket.socket | None:
    """Serves the application until SIGINT or SIGTERM, then stops in order and returns. A second signal exits 130.

    `on_ready` is called once with the address to open, such as `http://localhost:3001`; where a token is asked for
    it carries a one-time code. `shutdown_timeout`: seconds for the turns under way, watched or not; everything else
    is down within five. `mcp` answers on `/mcp`, behind the same guard and door.

    `renewal`: by it the operator may ask for an empty database. Then the server stops at once and the listening socket
    is returned, in whose queue clients wait until it is given, as `listener`, to the next `serve`.

    Raises: ConfigError for an address that cannot be used or is taken, a host or an origin that is none, a token
        file that cannot be used.
    """
    address = parse_address(addr)
    kept: list[socket.socket] = []
    with listener or open_listener(address) as listener:
        port = listener.getsockname()[1]
        limits = limits_of(app.document.settings.limits)
        bound = None if address.any or address.host in ("127.0.0.1", "::1") else address.name
        policy = open_policy(port, allow_hosts, allow_origins, limits.body, bound=bound)
        door = await open_door(app, access, port, loopback=address.loopback)
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            await nursery.start(_watch_signals, stop, kept)
            if renewal is not None:
                nursery.start_soon(_stop_for_reset, renewal.asked, stop, listener, kept)
            ready = partial(_tell, on_ready, door, address, port)
            served = partial(run, app, listener, policy, door, stop=stop, mcp=mcp, renewal=renewal)
            await served(on_ready=ready, shutdown_timeout=shutdown_timeout)
            nursery.cancel_scope.cancel()
    return kept[0] if kept else None


async def _stop_for_reset(
    asked: trio.Event, stop: trio.Event, listener: socket.socket, kept: list[socket.socket]
) -> None:
    """Keeps the address while the server stops."""
    await asked.wait()
    if not stop.is_set():
        kept.append(listener.dup())
        stop.set()


@attrs.frozen(kw_only=True)
class Access:
    """Whom the server asks for what. `home` holds the file `token`; `token` asks for one on loopback too."""

    home: Path
    token: bool = False
    read_only: bool = False
    trust_user_header: bool = False


async def open_door(app: App, access: Access, port: int, *, loopback: bool) -> Door:
    """The door, with the tokens of the store behind it. Raises: ConfigError, StoreError."""
    mode: Mode = "token" if access.token or not loopback else "local"
    if access.trust_user_header and mode == "local":
        raise ConfigError("--trust-user-header needs credentials, or anybody could name himself; add --token")
    tokens = Tokens(app.store)
    secret = await trio.to_thread.run_sync(home_secret, access.home / "token") if mode == "token" else None
    await tokens.load(secret)
    return Door(mode, tokens, port, access.read_only, access.trust_user_header)


def _tell(on_ready: Callable[[str], None], door: Door, address: Address, port: int) -> None:
    host = "localhost" if address.host == "127.0.0.1" or address.any else address.name
    path = f"/login?code={door.new_code()}" if door.mode == "token" else ""
    on_ready(f"http://{host}:{port}{path}")


async def run(
    app: App,
    listener: socket.socket,
    policy: Policy,
    door: Door,
    *,
    on_ready: Callable[[], None],
    stop: trio.Event,
    shutdown_timeout: float,
    mcp: Asgi | None = None,
    renewal: Renewal | None = None,
) -> None:
    """Serves on a listening socket, which it closes, until `stop` is set; returns when all of the server is down.

    When the operator asks for a `renewal`, nothing is waited for, since nothing of it will remain.
    """
    bundle = await trio.to_thread.run_sync(read_bundle, WEB_FOLDER)
    limits = limits_of(app.document.settings.limits)
    ring, turns, drained = EventRing(), TurnLogs(), trio.Event()
    with app.orch.bus.tapped(turns.take):
        async with trio.open_nursery() as nursery:
            await nursery.start(ring.follow, app)
            nursery.start_soon(ring.beat)
            await app.resume()  # not before: a turn that goes on can be followed from its first event
            turns.expect(app.open_turns())
            desk = Desk(app, ring, turns, limits, bundle, stop, drained, door, tuple(all_routes(bundle)), renewal)
            app.schedules.send = partial(begin_turn, desk)
            await app.schedules.open(app.orch)
            ledger = Ledger(app.store, nursery)
            nursery.start_soon(ledger.tidy)
            reception = Reception(
                _beside(cast("Asgi", open_web(desk)), mcp),
                policy,
                door,
                Websockets(desk, limits.websockets),
                Rate(limits.requests_per_s, limits.requests_per_s),
                ledger,
            )
            most = limits.connections if door.mode == "token" else None
            async with trio.open_nursery() as connections:
                await connections.start(serve_connections, reception, _config(), listener, stop, most)
                on_ready()
                await stop.wait()
                anew = renewal is not None and renewal.asked.is_set()
                await _drain(app, reception, 0 if anew else shutdown_timeout)
                drained.set()
                reception.cut()
                connections.cancel_scope.deadline = trio.current_time() + CUT_S
            nursery.cancel_scope.cancel()


async def _drain(app: App, reception: Reception, patience: float) -> None:
    """Takes in nothing new; returns when the turns under way are over, or after `patience` seconds."""
    log.info("stopping: turns may take %g s to end", patience)
    reception.stop()
    app.orch.bus.emit(ServerStopping())
    with trio.move_on_after(patience):
        await turns_over(app)


def _beside(web: Asgi, mcp: Asgi | None) -> Asgi:
    """The routes of the web framework, and MCP beside them."""
    if mcp is None:
        return web
    beside = mcp

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        theirs = scope.get("path") in MCP_PATHS and not _wants_page(scope)  # a lifespan has no path
        await (beside if theirs else web)(scope, receive, send)

    return answer


def _wants_page(scope: Scope) -> bool:
    """Whether a person's browser opens the address, where the dashboard has a page as well.

    Of the GETs that MCP has, each asks for an event stream (streamable HTTP, "Listening for Messages").
    """
    if scope["method"] not in ("GET", "HEAD"):
        return False
    accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
    return b"text/html" in accept and b"text/event-stream" not in accept


async def turns_over(app: App) -> None:
    """Returns when no run and no turn is under way and no message waits, whether a client watches or not.

    A turn that waits for a person is not waited for: it goes on at the next start.
    """
    while True:
        for run in list(app.runs.by_id.values()):
            await run.ended.wait()
        agents = [process for process in app.orch.processes() if process.agent is not None and process.alive]
        busy = [process for process in agents if not process.waiting_on]
        waiting = [mail for process in busy if (mail := process.current or process.mailbox.first) is not None]
        tasks = [process for process in busy if process.task is not None]
        if waiting:
            await waiting[0].finish()
        elif tasks:
            await tasks[0].wait()
        else:
            return


async def _watch_signals(stop: trio.Event, kept: list[socket.socket], *, task_status: trio.TaskStatus[None]) -> None:
    """The first signal stops the server in order, and for good, a reset under way or not; the second at once."""
    signalled = False
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            if signalled:
                # Unwinding would wait for clients and tools; what was acknowledged is in the store as after a kill.
                os._exit(EXIT_INTERRUPTED)
            signalled = True
            while kept:
                kept.pop().close()
            stop.set()


def _config() -> Config:
    config = Config()
    config.errorlog = log
    config.accesslog = None
    config.include_server_header = False
    config.h11_max_incomplete_size = MAX_HEAD
    config.keep_alive_max_requests = sys.maxsize  # a client that asks often is no reason to have it connect anew
    return config

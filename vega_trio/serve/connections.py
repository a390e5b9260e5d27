"""Accepts connections and keeps what goes wrong in one of them there.

hypercorn's own loop runs all connections in one nursery, so that an error in its protocol code (a CONNECT over HTTP/2,
a path of bytes that are no UTF-8, a frame behind a refused upgrade) ends the server. Its parts are put together here
with a guard round each connection.
"""

from __future__ import annotations

import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import attrs
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from vega_trio.serve.connection import Connection

log = logging.getLogger("vega_trio.serve")

TURN_AWAY_S = 1.0
_BODY = (
    b'{"error":"your address has too many connections open","code":"too_many_connections","status":429,'
    b'"hint":"close some, or raise settings.limits.connections"}'
)
TOO_MANY = (
    b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


async def serve_connections(
    app: Any,
    config: Config,
    listener: socket.socket,
    stop: trio.Event,
    most: int | None = None,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves on a listening socket, which it closes when `stop` is set; returns when the last connection is over.

    `most` connections may one address have; more are told so and closed.
    """
    state: Any = {}
    asgi = ASGIWrapper(app)
    context = WorkerContext(None)
    lifespan = Lifespan(asgi, config, state)
    served = _Connections(asgi, config, context, state, most)
    async with trio.open_nursery() as life:
        await life.start(lifespan.handle_lifespan)
        await lifespan.wait_for_startup()
        async with trio.open_nursery() as connections:
            accept = partial(trio.serve_listeners, served.serve, handler_nursery=connections)
            await _accept_until(stop, listener, accept, task_status)
            await context.terminated.set()
            served.leave()
        await lifespan.wait_for_shutdown()
        life.cancel_scope.cancel()


@attrs.define(eq=False)
class _Connections:
    """Those that are open, and how many each address has."""

    _asgi: ASGIWrapper
    _config: Config
    _context: WorkerContext
    _state: Any
    _most: int | None
    _count: Counter[str] = attrs.field(factory=Counter, init=False)
    _opened: set[Connection] = attrs.field(factory=set, init=False)

    async def serve(self, stream: trio.SocketStream) -> None:
        """Until it is over, or turns it away."""
        address = _address_of(stream)
        if self._most is not None and self._count[address] >= self._most:
            await _turn_away(stream)
            return
        self._count[address] += 1
        try:
            await self._guarded(stream)
        finally:
            self._count[address] -= 1
            if not self._count[address]:
                del self._count[address]

    async def _guarded(self, stream: trio.SocketStream) -> None:
        connection = Connection(stream, self._config, self._context)
        self._opened.add(connection)
        try:
            await connection.serve(self._asgi, ConnectionState(self._state.copy()))
        except* Exception as errors:  # noqa: BLE001 - a guard round foreign protocol code, one connection wide
            # Whatever a client can provoke in the protocol code is that client's affair.
            log.warning("a connection was closed by an error: %s", _first(errors))
            await trio.aclose_forcefully(stream)
        finally:
            self._opened.discard(connection)

    def leave(self) -> None:
        """The server stops."""
        for each in self._opened:
            each.leave()


async def _accept_until(
    stop: trio.Event,
    listener: socket.socket,
    accept: Callable[..., Awaitable[object]],
    task_status: trio.TaskStatus[None],
) -> None:
    """Hands the listening socket to `accept`, and closes it when `stop` is set."""
    async with trio.open_nursery() as accepting:
        accepting.start_soon(accept, [trio.SocketListener(trio.socket.from_stdlib_socket(listener))])
        task_status.started()
        await stop.wait()
        accepting.cancel_scope.cancel()


def _address_of(stream: trio.SocketStream) -> str:
    try:
        return str(stream.socket.getpeername()[0])
    except OSError:  # it has left already
        return ""


async def _turn_away(stream: trio.SocketStream) -> None:
    """Answers, and drops what still comes: closing with unread bytes would reset the answer away."""
    with trio.move_on_after(TURN_AWAY_S):
        try:
            await stream.send_all(TOO_MANY)
            await stream.send_eof()
            while await stream.receive_some(65536):
                pass
        except trio.BrokenResourceError:
            log.debug("a connection was gone before it was refused")
    await trio.aclose_forcefully(stream)


def _first(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"

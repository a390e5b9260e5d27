"""`/mcp` on the HTTP server: MCP over streamable HTTP. Who may call has been judged before a request comes here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import attrs
import trio

from vega_trio.app.application import App

IDLE_S = 30 * 60.0
MAX_SESSIONS = 1000

UserOf = Callable[[Mapping[str, Any]], str]
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


@asynccontextmanager
async def open_mount(app: App, user_of: UserOf) -> AsyncIterator[Asgi]:
    """The ASGI application for `/mcp`. The SDK is loaded at the first request: most servers never have one."""
    async with trio.open_nursery() as nursery:
        mount = _Mount(app, user_of, nursery)
        yield mount.serve
        nursery.cancel_scope.cancel()


@attrs.define(eq=False)
class _Mount:
    app: App
    user_of: UserOf
    nursery: trio.Nursery
    _ready: trio.Event | None = None
    _manager: Any = None

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        if self._ready is None:
            self._ready = trio.Event()
            self.nursery.start_soon(self._run, self._ready)
        await self._ready.wait()
        await self._manager.handle_request(scope, receive, send)

    async def _run(self, ready: trio.Event) -> None:
        """Holds the sessions until the server is down."""
        http = await trio.to_thread.run_sync(import_module, "mcp.server.streamable_http_manager")
        server = await trio.to_thread.run_sync(import_module, "vega_trio.mcp_server.server")
        self._manager = http.StreamableHTTPSessionManager(
            server.make_server(self.app, self.user_of), session_idle_timeout=IDLE_S, max_sessions=MAX_SESSIONS
        )
        async with self._manager.run():
            ready.set()
            await trio.sleep_forever()

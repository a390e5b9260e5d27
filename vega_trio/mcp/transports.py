"""The streams to a server, whatever it is reached by, and the news that they have ended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Final

import attrs
import httpx2
import trio
from mcp.client._transport import TransportStreams
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from vega_trio.mcp.config import ServerConfig
from vega_trio.mcp.failures import McpLost
from vega_trio.mcp.stdio import MAX_LINE, open_stdio

CONNECT_S: Final = 5.0
SESSION: Final = "mcp-session-id"
SILENCE_S: Final = 300.0  # on an open stream of events: servers say nothing for long, and then something


@attrs.define
class Refusals:
    """What HTTP said that the SDK does not pass on. `session`: a request was refused that named our session."""

    session: bool = False


def open_transport(
    config: ServerConfig, host: Mapping[str, str], refusals: Refusals, auth: httpx2.Auth | None = None
) -> AbstractAsyncContextManager[TransportStreams]:
    """`auth` signs the requests to an address.

    Raises: McpUnavailable, McpLost; from HTTP httpx2's errors and groups of them.
    """
    match config.transport:
        case "stdio":
            return open_stdio(config, host)
        case "http":
            return _open_http(config, refusals, auth)
        case "sse":
            return _open_sse(config, auth)


@asynccontextmanager
async def _open_http(
    config: ServerConfig, refusals: Refusals, auth: httpx2.Auth | None
) -> AsyncIterator[TransportStreams]:
    assert config.url is not None
    async with _client(dict(config.headers), auth=auth, refusals=refusals) as client:
        async with streamable_http_client(config.url, http_client=client, max_sse_event_size=MAX_LINE) as streams:
            yield streams


@asynccontextmanager
async def _open_sse(config: ServerConfig, auth: httpx2.Auth | None) -> AsyncIterator[TransportStreams]:
    assert config.url is not None
    opened = sse_client(config.url, dict(config.headers), CONNECT_S, SILENCE_S, _client, auth)
    async with opened as streams:
        yield streams


def _client(
    headers: dict[str, str] | None = None,
    timeout: httpx2.Timeout | None = None,
    auth: httpx2.Auth | None = None,
    refusals: Refusals | None = None,
) -> httpx2.AsyncClient:
    """No proxy, key or certificate comes out of the environment; the author named the server, nobody else does."""
    limits = httpx2.Timeout(CONNECT_S, read=SILENCE_S)
    transport = _Bounded(httpx2.AsyncHTTPTransport(trust_env=False), refusals or Refusals())
    return httpx2.AsyncClient(
        headers=headers, timeout=timeout or limits, auth=auth, trust_env=False, transport=transport
    )


@attrs.define
class _BoundedBody(httpx2.AsyncByteStream):
    """A body that is read up to `MAX_LINE`; a stream of events, whose events are bounded one by one, has no end."""

    inner: Any

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = 0
        async for chunk in self.inner:
            total += len(chunk)
            if total > MAX_LINE:
                raise McpLost(f"an MCP server answered with more than {MAX_LINE:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self.inner.aclose()


@attrs.define
class _Bounded(httpx2.AsyncBaseTransport):
    """The library knows no limit for bodies, and the SDK tells no status."""

    inner: httpx2.AsyncHTTPTransport
    refusals: Refusals

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self.inner.handle_async_request(request)
        if response.status_code in (400, 404) and SESSION in request.headers and request.method == "POST":
            self.refusals.session = True
        if not response.headers.get("content-type", "").lower().startswith("text/event-stream"):
            response.stream = _BoundedBody(response.stream)
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


@attrs.define
class Watched:
    """A transport that says when its streams have ended: nothing else in the SDK does."""

    opened: AbstractAsyncContextManager[TransportStreams]
    ended: trio.Event = attrs.field(factory=trio.Event)

    async def __aenter__(self) -> TransportStreams:
        read, write = await self.opened.__aenter__()
        return _Reading(read, self.ended), write

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self.opened.__aexit__(kind, error, trace)


@attrs.define
class _Reading:
    """The SDK's read stream, and the event that is set at its end."""

    inner: Any
    ended: trio.Event

    @property
    def last_context(self) -> Any:
        return getattr(self.inner, "last_context", None)

    async def receive(self) -> Any:
        return await self.inner.receive()

    async def aclose(self) -> None:
        await self.inner.aclose()

    def __aiter__(self) -> _Reading:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.inner.__anext__()
        except StopAsyncIteration:
            self.ended.set()
            raise

    async def __aenter__(self) -> _Reading:
        await self.inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.inner.__aexit__(kind, error, trace)

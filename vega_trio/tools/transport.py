"""One HTTP exchange: redirects followed, sizes bounded, addresses guarded on every hop. The only module on httpx."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Any, Final, cast

import httpcore
import httpx
import trio

from vega_trio._version import __version__
from vega_trio.errors import ToolError
from vega_trio.tools.exchange import Outgoing, Page, Unreachable, Web
from vega_trio.tools.guard import Guard

CONNECT_TIMEOUT_S: Final = 10.0
_KEPT: Final = frozenset(
    {"accept", "accept-encoding", "accept-language", "content-type", "content-length", "host", "user-agent"}
)


async def fetch(web: Web, outgoing: Outgoing) -> Page:
    """Raises: ToolError for whatever the network, the server or the guard has against it."""
    try:
        return await _fetch(web, outgoing)
    except (httpcore.TimeoutException, httpx.TimeoutException) as error:
        raise Unreachable(f"{outgoing.label} did not answer in time") from error
    except httpx.InvalidURL as error:
        raise ToolError(f"{outgoing.label!r} is not a valid URL: {error}") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, httpx.HTTPError) as error:
        raise Unreachable(f"{outgoing.label} cannot be fetched: {error or type(error).__name__}") from error


async def _fetch(web: Web, outgoing: Outgoing) -> Page:
    guard = Guard(httpcore.TrioBackend(), web.allow, web.resolve)
    async with httpx.AsyncClient(
        transport=_Transport(guard),
        trust_env=False,
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
        headers={"user-agent": f"vega-trio/{__version__}", "accept": "*/*", "accept-encoding": "identity"},
    ) as client:
        headers = [(name.encode(), value.encode()) for name, value in outgoing.headers.items()]
        url = _url(outgoing.url, outgoing.label)
        request = client.build_request(outgoing.method, url, headers=headers, content=outgoing.content)
        for _ in range(web.max_redirects + 1):
            response = await client.send(request, stream=True)
            try:
                if response.next_request is None:
                    return await _page(response, outgoing.label, web.max_read)
                request = _next_hop(request, response.next_request)
            finally:
                await response.aclose()
        raise ToolError(f"{outgoing.label} redirects more than {web.max_redirects} times")


def _url(text: str, label: str) -> httpx.URL:
    url = httpx.URL(text)
    if url.scheme not in ("http", "https") or not url.host:
        raise ToolError(f"{label!r} is not a URL of a web page; it must begin with http:// or https:// and a host")
    return url


def _next_hop(before: httpx.Request, after: httpx.Request) -> httpx.Request:
    """A redirect to another origin takes no header along that could be a secret: httpx drops Authorization only."""
    _url(str(after.url), str(after.url))
    if (before.url.scheme, before.url.host, before.url.port) != (after.url.scheme, after.url.host, after.url.port):
        for name in set(after.headers) - _KEPT:
            del after.headers[name]
    return after


async def _page(response: httpx.Response, label: str, limit: int) -> Page:
    raw, complete = await _read(response, limit)
    return Page(
        status=response.status_code,
        reason=response.reason_phrase,
        label=label,
        content_type=response.headers.get("content-type", ""),
        body=_decoded(raw, response.headers.get("content-encoding", ""), limit),
        complete=complete,
    )


async def _read(response: httpx.Response, limit: int) -> tuple[bytes, bool]:
    """The first `limit` bytes, and whether that is all.

    Breaking out of the loop would leave httpcore's generators to the garbage collector, which Trio warns of; a
    cancel ends them in order.
    """
    data = bytearray()
    stream = cast("AsyncIterator[bytes]", response.stream)
    with trio.CancelScope() as scope:
        async for chunk in stream:
            if len(data) <= limit:
                data += chunk
            if len(data) > limit:
                scope.cancel()
    return bytes(data[:limit]), len(data) <= limit


def _decoded(raw: bytes, encoding: str, limit: int) -> bytes:
    """What a server compressed though it was asked not to, unfolded as far as the limit goes: a bomb stays small."""
    match encoding.strip().lower():
        case "" | "identity":
            return raw
        case "gzip" | "x-gzip":
            wbits = 31
        case "deflate":
            wbits = 15
        case other:
            raise ToolError(f"the server sent the content encoding {other!r}, which was not asked for")
    try:
        return zlib.decompressobj(wbits).decompress(raw, limit)
    except zlib.error as error:
        raise ToolError(f"the server's {encoding} content is broken: {error}") from error


class _Transport(httpx.AsyncBaseTransport):
    """httpx over a guarded httpcore pool; httpcore's own exceptions pass through."""

    def __init__(self, guard: Guard) -> None:
        self._pool = httpcore.AsyncConnectionPool(network_backend=cast("Any", guard))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        inner = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        response = await self._pool.handle_async_request(inner)
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Stream(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __aiter__(self) -> AsyncIterator[bytes]:
        return cast("AsyncIterator[bytes]", self._inner.__aiter__())

    async def aclose(self) -> None:
        await self._inner.aclose()

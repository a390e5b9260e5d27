"""Lets tools connect to public addresses, and to those the owner allowed, where the connecting is done.

A check of the URL before the request would be answered by one look-up and the connection made by another: a name
can point elsewhere by then, as can a redirect. So the guard stands in httpcore's network backend: every connection
of every hop is resolved once, judged, and made to the very address that was judged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address
from typing import Any

import attrs
import trio

from vega_trio.destinations import Allow, is_public
from vega_trio.errors import ToolError

Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve_host(host: str, port: int) -> list[str]:
    """The addresses of a host, in the order to try them. Raises: OSError, UnicodeError."""
    found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@attrs.frozen
class Guard:
    """An httpcore network backend around `inner`, the real one, that makes no connection it should not."""

    inner: Any
    allow: Allow = attrs.field(factory=Allow)
    resolve: Resolve = resolve_host

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Any:
        """Raises: ToolError for an address that is not to be reached; httpcore's errors."""
        import httpcore

        *others, last = await self._judged(host, port)
        for address in others:
            try:
                return await self.inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # the next address; what the last one says counts
        return await self.inner.connect_tcp(last, port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> Any:
        raise ToolError(f"a tool may not connect to the socket {path!r}")

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)

    async def _judged(self, host: str, port: int) -> list[str]:
        """All of the host's addresses, or none: a name with one private address among public ones is a trap."""
        try:
            texts = await self.resolve(host, port)
            addresses = [ip_address(text) for text in texts]
        except (OSError, UnicodeError) as error:
            raise ToolError(f"the host {host!r} cannot be found: {error}") from error
        if not addresses:
            raise ToolError(f"the host {host!r} has no address")
        for address in addresses:
            if not is_public(address) and not self.allow.permits(host, address, port):
                raise ToolError(
                    f"the address {address} of {host!r} is not public, so tools may not connect to it; "
                    f"its owner can add '{host}:{port}' to settings.http.allow"
                )
        return texts

"""Which addresses tools may connect to: public ones, and those the owner allowed. Checked where the connecting is done.

A check of the URL before the request would be answered by one look-up and the connection made by another: a name
can point elsewhere by then, as can a redirect. So the guard stands in httpcore's network backend: every connection
of every hop is resolved once, judged, and made to the very address that was judged.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

import attrs
import trio

from vega_trio.errors import ConfigError, ToolError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[list[str]]]

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
# What `is_global` of Python 3.11 lets pass though it leads to private networks or nowhere: tunnels that embed an
# IPv4 address (6to4 and its relays, Teredo), protocol assignments, documentation.
_NOT_PUBLIC: Final[tuple[Network, ...]] = (
    IPv6Network("2002::/16"),
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("192.0.0.0/24"),
)
_HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?")


def is_public(address: Address) -> bool:
    """Whether anybody on the Internet would reach the same machine at that address."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _GLOBAL_UNICAST:  # also refuses 64:ff9b::/96, which wraps any IPv4 address
            return False
    if any(address in network for network in _NOT_PUBLIC if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


@attrs.frozen
class Allow:
    """Destinations the owner opened though they are not public. A port of None means any."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[Network, int | None], ...] = ()

    def permits(self, host: str, address: Address, port: int) -> bool:
        name = _folded(host)
        if (name, None) in self.hosts or (name, port) in self.hosts:
            return True
        plain = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
        return any(
            plain in network
            for network, allowed in self.networks
            if network.version == plain.version and allowed in (None, port)
        )


def parse_allow(entries: Iterable[str]) -> Allow:
    """Entries are a host, host:port, an address, address:port, or a network such as 10.0.0.0/8.

    Raises: ConfigError naming the entry that is none of these.
    """
    hosts: set[tuple[str, int | None]] = set()
    networks: list[tuple[Network, int | None]] = []
    for entry in entries:
        text, port = _split_port(entry.strip(), entry)
        try:
            networks.append((ip_network(text, strict=False), port))
        except ValueError:
            if not _HOST.fullmatch(text):
                raise _bad_entry(entry) from None
            hosts.add((_folded(text), port))
    return Allow(frozenset(hosts), tuple(networks))


def _split_port(text: str, entry: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", text)
    plain = re.fullmatch(r"([^:/]+):(\d+)", text)
    match = bracketed or plain
    if match is None:
        return text, None
    port = None if match[2] is None else int(match[2])
    if port is not None and not 0 < port < 65536:
        raise _bad_entry(entry)
    return match[1], port


def _bad_entry(entry: str) -> ConfigError:
    return ConfigError(
        f"settings.http.allow: {entry!r} is not a host, host:port or network; write such as 'localhost:3001' "
        "or '10.0.0.0/8', without scheme and path"
    )


def _folded(host: str) -> str:
    return host.rstrip(".").lower()


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

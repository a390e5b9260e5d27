"""Which addresses tools may connect to: public ones, and those the owner allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

import attrs

from vega_trio.errors import ConfigError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

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

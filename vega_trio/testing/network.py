"""No network: a guard on the sockets of this program."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class NetworkBlocked(RuntimeError):
    """The program tried to leave this machine under `block_network()`. No OSError, so that no retry hides it."""


@contextmanager
def block_network() -> Iterator[None]:
    """Within the block every connect, datagram and name lookup that is not for this machine raises `NetworkBlocked`.

    It holds for Trio and for blocking code, in every thread, and may be nested. Unix sockets, and sockets that
    were connected before, go on.
    """
    connect, connect_ex, sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
    lookup = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any, /) -> None:
        _check(self.family, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any, /) -> int:
        _check(self.family, address)
        return connect_ex(self, address)

    def guarded_sendto(self: socket.socket, data: Any, *where: Any) -> int:
        _check(self.family, where[-1])
        return sendto(self, data, *where)

    def guarded_lookup(host: bytes | str | None, *args: Any, **options: Any) -> Any:
        if not _is_here(host):
            raise NetworkBlocked(f"block_network() refused to look up {host!r}")
        return lookup(host, *args, **options)

    _install(guarded_connect, guarded_connect_ex, guarded_sendto, guarded_lookup)
    try:
        yield
    finally:
        _install(connect, connect_ex, sendto, lookup)


def _install(connect: Any, connect_ex: Any, sendto: Any, lookup: Any) -> None:
    # The one seam below Trio, httpx and blocking clients alike.
    socket.socket.connect = connect  # type: ignore[method-assign]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
    socket.socket.sendto = sendto  # type: ignore[method-assign]
    socket.getaddrinfo = lookup


def _check(family: int, address: Any) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
        raise NetworkBlocked(f"block_network() refused a connection to {address[0]}:{address[1]}")


def _is_here(host: bytes | str | None) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or name in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    # 0.0.0.0 and :: mean this machine when connected to.
    return (mapped or address).is_loopback or address.is_unspecified

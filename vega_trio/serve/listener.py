"""The listening socket. It is our own, since the server library sends without a time limit.

`TCP_USER_TIMEOUT` lets the kernel cut a client that takes nothing, and keepalive one that is gone; connections
inherit both from the listening socket.
"""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
import sys

import attrs

from vega_trio.errors import ConfigError

STUCK_MS = 3000
SEND_BUFFER = 256 * 1024  # what the kernel keeps for a client that does not read, before it counts as stuck
BACKLOG = 4096  # connections that wait while the loop is busy
TCP_USER_TIMEOUT = 18  # socket.TCP_USER_TIMEOUT exists on Linux only


@attrs.frozen
class Address:
    """Where to listen. Port 0 lets the system pick."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"

    @property
    def name(self) -> str:
        """The host as it stands in an address."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return _is_loopback(self.host)

    @property
    def any(self) -> bool:
        """Whether it listens on every interface."""
        return self.host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def parse_address(text: str) -> Address:
    """`:PORT`, `PORT` or `HOST:PORT`; without a host it is loopback. Raises: ConfigError for what is no address."""
    host, _, port = text.strip().rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ConfigError(f"--addr {text!r} is no address: write :3001 or 127.0.0.1:3001 (:0 picks a free port)")
    name = host.removeprefix("[").removesuffix("]")
    if name in ("", "localhost"):
        return Address("127.0.0.1", int(port))
    if re.fullmatch(r"[A-Za-z0-9.-]+", name) is None and not _is_ipv6(name):
        raise ConfigError(f"--addr {text!r} is no address: write :3001 or 192.168.1.5:3001")
    return Address(name.lower(), int(port))


def open_listener(address: Address) -> socket.socket:
    """A socket that listens. Raises: ConfigError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if sys.platform == "linux":
            listener.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, STUCK_MS)
        listener.bind((address.host, address.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _refusal(address, error) from error
    listener.setblocking(False)
    return listener


def _refusal(address: Address, error: OSError) -> ConfigError:
    match error.errno:
        case errno.EADDRINUSE:
            remedy = f"stop the program that listens there (ss -ltnp 'sport = :{address.port}' names it)"
            return ConfigError(f"the address {address} is taken; {remedy}, or use --addr :0 for a free port")
        case errno.EACCES:
            return ConfigError(f"the port of {address} needs rights that you do not have; use one from 1024 on")
        case _:
            return ConfigError(f"cannot listen on {address}: {error.strerror}; check --addr")


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

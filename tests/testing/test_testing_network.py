import socket
from functools import partial

import pytest
import trio

from vega_trio.testing import NetworkBlocked, block_network


async def _hello(stream: trio.SocketStream) -> None:
    await stream.send_all(b"hello")


async def test_loopback_works_and_the_world_does_not() -> None:
    with trio.fail_after(5), block_network():
        async with trio.open_nursery() as nursery:
            listener, *_ = await nursery.start(partial(trio.serve_tcp, _hello, 0, host="127.0.0.1"))
            port = listener.socket.getsockname()[1]
            async with await trio.open_tcp_stream("localhost", port) as stream:
                assert await stream.receive_some() == b"hello"
            nursery.cancel_scope.cancel()
        with pytest.raises(NetworkBlocked, match=r"192\.0\.2\.1:80"):
            with trio.socket.socket() as sock:
                await sock.connect(("192.0.2.1", 80))


def test_names_are_not_looked_up() -> None:
    with block_network(), pytest.raises(NetworkBlocked, match=r"example\.org"):
        socket.create_connection(("example.org", 80))


@pytest.mark.parametrize("address", [("192.0.2.1", 9), ("10.0.0.1", 9)])
def test_blocking_sockets_are_blocked_in_every_way(address: tuple[str, int]) -> None:
    with block_network(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for attempt in (sock.connect, sock.connect_ex, lambda where: sock.sendto(b"x", where)):
            with pytest.raises(NetworkBlocked):
                attempt(address)


def test_an_ipv4_address_dressed_as_ipv6_is_seen_through() -> None:
    with block_network(), pytest.raises(NetworkBlocked):
        socket.getaddrinfo("::ffff:192.0.2.1", 80)


def test_the_guard_goes_when_the_block_ends_also_nested() -> None:
    before = (socket.socket.connect, socket.getaddrinfo)
    with block_network():
        with block_network():
            pass
        with pytest.raises(NetworkBlocked):
            socket.getaddrinfo("example.org", 80)
    assert (socket.socket.connect, socket.getaddrinfo) == before

"""What breaks the protocol code in one connection ends that connection and nothing else."""

from __future__ import annotations

from typing import Any

import h2.config
import h2.connection
import pytest
import trio

UPGRADE = (
    b"GET /api/ws HTTP/1.1\r\nHost: localhost:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\x81\x85\x00\x00\x00\x00hello"
)


def http2(*headers: tuple[bytes, bytes]) -> bytes:
    """A request over HTTP/2 with prior knowledge, checked by nobody."""
    config = h2.config.H2Configuration(
        client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding=None
    )
    connection = h2.connection.H2Connection(config=config)
    connection.initiate_connection()
    connection.send_headers(1, headers, end_stream=True)
    return connection.data_to_send()


def connect(port: int) -> bytes:
    return http2((b":method", b"CONNECT"), (b":authority", b"localhost:%d" % port))


def bad_path(port: int) -> bytes:
    return http2(
        (b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"localhost:%d" % port), (b":path", b"/\xff")
    )


def early_frame(port: int) -> bytes:
    return UPGRADE % port


@pytest.mark.parametrize("attack", [connect, bad_path, early_frame])
async def test_a_request_that_breaks_the_protocol_code_leaves_the_others_alone(serving: Any, attack: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hello"]) as served:
            stream = await trio.open_tcp_stream("127.0.0.1", served.port)
            async with stream:
                await stream.send_all(attack(served.port))
                with trio.move_on_after(1):
                    while await stream.receive_some():
                        pass
            assert (await served.http.get("/healthz")).status_code == 200

"""One connection, to servers that are mute, huge, or send us elsewhere."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio

import vega_trio as vega
from vega_trio.mcp.config import ServerConfig
from vega_trio.mcp.connection import Connection
from vega_trio.mcp.peer import Peer

pytestmark = pytest.mark.e2e

HOSTILE = Path(__file__).with_name("hostile.py")

Answer = Callable[[trio.SocketStream, bytes], Awaitable[None]]


@asynccontextmanager
async def http(answer: Answer, *, whole: bool = False) -> AsyncIterator[str]:
    """The URL of a server that does with every request what `answer` does, given the body, or the `whole` request."""

    async def serve(stream: trio.SocketStream) -> None:
        data = b""
        async for chunk in stream:
            data += chunk
            head, found, body = data.partition(b"\r\n\r\n")
            lengths = [int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-le")]
            if found and len(body) >= sum(lengths):
                await answer(stream, data if whole else body)
                return

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield f"http://127.0.0.1:{listener.socket.getsockname()[1]}/mcp"
        nursery.cancel_scope.cancel()


def reply(status: str, body: bytes, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: application/json", *headers, "", ""]
    return "\r\n".join(head).encode() + body


async def failure(config: ServerConfig) -> vega.McpError:
    """What becomes of a connection that never stands."""

    def listed(tools: list[dict[str, Any]]) -> None:
        raise AssertionError(f"it is connected, with {tools}")

    with trio.fail_after(10), pytest.raises(vega.McpError) as caught:
        await Connection(config, {"PATH": "/usr/bin:/bin"}, Peer()).run(listed)
    return caught.value


async def test_a_program_that_says_nothing_is_given_up_in_time() -> None:
    command = (sys.executable, "-I", "-S", str(HOSTILE), "mute")
    error = await failure(ServerConfig(name="s", command=command, start_s=0.3))
    assert (type(error), str(error)) == (vega.McpUnavailable, "the MCP server 's' was not ready within 0.3 s")


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_an_address_that_says_nothing_is_given_up_in_time(transport: Any) -> None:
    async def mute(_: trio.SocketStream, __: bytes) -> None:
        await trio.sleep_forever()

    async with http(mute) as url:
        error = await failure(ServerConfig(name="s", transport=transport, url=url, start_s=0.3))
    assert "not ready within 0.3 s" in str(error)


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_an_address_where_nobody_is_says_so(transport: Any) -> None:
    error = await failure(ServerConfig(name="s", transport=transport, url="http://127.0.0.1:9/mcp"))
    assert isinstance(error, vega.McpUnavailable)
    assert "cannot be reached (http://127.0.0.1:9/mcp)" in str(error)


async def test_what_is_said_of_a_server_that_is_not_there_shows_no_secret() -> None:
    url = "http://me:canary@127.0.0.1:9/mcp?api_key=canary"
    error = await failure(ServerConfig(name="s", transport="http", url=url))
    assert "cannot be reached (http://127.0.0.1:9/mcp)" in str(error)
    assert "canary" not in str(error)
    command = (sys.executable, "-c", "pass", "--api-key", "canary", "TOKEN=canary")
    error = await failure(ServerConfig(name="s", command=command))
    assert "--api-key *** TOKEN=***" in str(error)
    assert "canary" not in str(error)
    with pytest.raises(vega.ConfigError) as refused:
        ServerConfig(name="s", transport="http", url="ftp://me:canary@h?token=canary")
    assert "canary" not in str(refused.value)


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def endless(stream: trio.SocketStream, _: bytes) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        with contextlib.suppress(trio.BrokenResourceError):
            while True:
                await stream.send_all(b"x" * 65536)

    async with http(endless) as url:
        error = await failure(ServerConfig(name="s", transport="http", url=url))
    assert "more than 16,777,216 bytes" in str(error)


async def test_a_redirect_to_somebody_else_is_not_followed_and_takes_no_secret_along() -> None:
    reached: list[bytes] = []

    async def canary(stream: trio.SocketStream, body: bytes) -> None:
        reached.append(body)
        await stream.send_all(reply("200 OK", b"{}"))

    async with http(canary) as other:

        async def redirect(stream: trio.SocketStream, _: bytes) -> None:
            await stream.send_all(reply("307 Temporary Redirect", b"", f"location: {other}"))

        async with http(redirect) as url:
            secret = {"authorization": "Bearer canary"}
            error = await failure(ServerConfig(name="s", transport="http", url=url, headers=secret, start_s=5))
    assert reached == []
    assert "canary" not in str(error)


async def test_nonsense_in_the_handshake_is_an_error_of_ours() -> None:
    for result in ([], {"protocolVersion": 7}, {"protocolVersion": "1999-01-01", "capabilities": {}}, "x" * 1000):

        async def nonsense(stream: trio.SocketStream, body: bytes, result: Any = result) -> None:
            answer = {"jsonrpc": "2.0", "id": json.loads(body or b"{}").get("id"), "result": result}
            await stream.send_all(reply("200 OK", json.dumps(answer).encode()))

        async with http(nonsense) as url:
            error = await failure(ServerConfig(name="s", transport="http", url=url, start_s=3))
        assert isinstance(error, vega.McpUnavailable)


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_requests_are_signed_by_what_the_program_gives_and_the_server_is_asked_again(transport: Any) -> None:
    signed: list[bytes] = []

    class Signing(httpx2.Auth):
        def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
            answer = yield request
            request.headers["authorization"] = f"Bearer {answer.headers['x-nonce']}"
            yield request

    async def wants_a_name(stream: trio.SocketStream, data: bytes) -> None:
        if b"authorization: bearer n1" in data.lower():
            signed.append(data)
            await stream.send_all(reply("403 Forbidden", b""))
        else:
            await stream.send_all(reply("401 Unauthorized", b"", "x-nonce: n1"))

    async with http(wants_a_name, whole=True) as url:
        with trio.fail_after(30), pytest.raises(vega.McpUnavailable):
            async with vega.open_mcp(name="s", url=url, transport=transport, auth=Signing()):
                raise AssertionError("it is connected")
    assert signed

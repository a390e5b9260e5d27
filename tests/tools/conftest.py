"""What the tests of tools share: a context for calls, and the resources of this process before and after."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from vega_trio.context import ToolContext
from vega_trio.exits import ExitReason, Shutdown
from vega_trio.protocols import Tool


@attrs.frozen
class Caller:
    """A process as far as a tool sees it, of a program that has none."""

    id: str = "p1"
    name: str | None = None
    agent_name: str | None = "tester"
    incarnation: int = 1

    async def send(self, message: Any, *, timeout: float | None = None) -> Any:
        raise NotImplementedError

    async def post(self, message: Any) -> bool:
        raise NotImplementedError

    def exit(self, reason: ExitReason = Shutdown()) -> None:  # noqa: B008
        raise NotImplementedError


async def _ask(name: str, message: str) -> str:
    return f"{name}: {message}"


@pytest.fixture
def context() -> ToolContext:
    return ToolContext(process=Caller(), turn_id="t1", tool_call_id="c1", spawn=lambda *_, **__: None, ask=_ask)


@pytest.fixture
def call(context: ToolContext) -> Callable[..., Awaitable[str]]:
    """`await call(tool, argument=...)`."""

    async def run(tool: Tool, /, **arguments: Any) -> str:
        return await tool.call(arguments, context)

    return run


@attrs.frozen
class Resources:
    """What a call must leave as it found it. Threads that idle in Trio's cache do not count, those of tools do."""

    descriptors: int
    children: frozenset[int]


@pytest.fixture
def resources() -> Callable[[], Resources]:
    return lambda: Resources(len(os.listdir("/proc/self/fd")), frozenset(_descendants()))


def _descendants() -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    while more := {pid for pid, parent in parents.items() if parent in found | {os.getpid()}} - found:
        found |= more
    return found


Answer = Callable[["Asked"], bytes]


@attrs.frozen
class Asked:
    """A request as the loopback server got it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@attrs.define
class WebServer:
    """A real HTTP server on loopback. `routes` maps paths to whole raw responses; all it was asked is in `asked`."""

    port: int
    routes: dict[str, Answer | bytes] = attrs.field(factory=dict)
    asked: list[Asked] = attrs.field(factory=list)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def handle(self, stream: trio.SocketStream) -> None:
        async with stream:
            asked = await _receive(stream)
            if asked is None:
                return
            self.asked.append(asked)
            answer = self.routes.get(asked.target.partition("?")[0], respond(b"no such page", status="404 Not Found"))
            try:
                await stream.send_all(answer(asked) if callable(answer) else answer)
                if asked.target.startswith("/hang"):
                    await trio.sleep_forever()
            except trio.BrokenResourceError:
                return


async def _receive(stream: trio.SocketStream) -> Asked | None:
    data = bytearray()
    while b"\r\n\r\n" not in data:
        chunk = await stream.receive_some(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += await stream.receive_some(65536)
    method, target, _ = first.split(" ")
    return Asked(method, target, headers, body)


def respond(body: bytes = b"", *, status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture
def reply() -> Callable[..., bytes]:
    return respond


@pytest.fixture
async def server(nursery: trio.Nursery) -> WebServer:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    made = WebServer(listener.socket.getsockname()[1])
    await nursery.start(trio.serve_listeners, made.handle, [listener])
    return made

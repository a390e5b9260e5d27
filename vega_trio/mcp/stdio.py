"""The streams to a server that is a program: one JSON-RPC message a line, in both directions (MCP 2025-11-25, stdio).

What a hostile program may send costs it its connection, and us no more than these bounds: a line of 16 MiB, a hundred
lines that are no messages, a thousand messages a second that nobody asked for. Its stderr goes to the log.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import attrs
import trio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client._transport import TransportStreams
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCNotification, JSONRPCRequest, jsonrpc_message_adapter
from pydantic import ValidationError

from vega_trio.mcp.config import ServerConfig, environment
from vega_trio.mcp.failures import McpLost
from vega_trio.mcp.process import Program, start, stop

MAX_LINE: Final = 16 * 1024 * 1024
MAX_GARBAGE: Final = 100
MAX_UNASKED: Final = 1000  # requests and notifications a second
MAX_LOG_LINE: Final = 1000
KEPT_LOG: Final = 5
LAST_WORDS_S: Final = 0.3

Incoming = SessionMessage | Exception


@asynccontextmanager
async def open_stdio(config: ServerConfig, host: Mapping[str, str]) -> AsyncIterator[TransportStreams]:
    """Runs the program and gives its streams; leaving ends it and all it has started.

    Raises: McpUnavailable when it cannot be started; McpLost, also out of the block, when it breaks the bounds.
    """
    said = _Said(config.name)
    with start(config.command, environment(config, host), config.cwd) as program:
        incoming, read = anyio.create_memory_object_stream[Incoming](0)
        write, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(said.listen, program)
                nursery.start_soon(_receive, program, incoming, said)
                nursery.start_soon(_send, program, outgoing)
                with incoming, read, write, outgoing:
                    yield read, write
                nursery.cancel_scope.cancel()
        finally:
            await stop(program)


async def _receive(program: Program, sink: MemoryObjectSendStream[Incoming], said: _Said) -> None:
    """Until the program closes its output; then nobody waits for an answer any longer."""
    bounds, lines = _Bounds(said.server), _Lines(said.server)
    with sink:
        async for chunk in program.stdout:
            for line in lines.feed(chunk):
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValidationError:
                    bounds.garbage(line)
                    continue
                if isinstance(message, JSONRPCRequest | JSONRPCNotification):
                    bounds.unasked(trio.current_time())
                await sink.send(SessionMessage(message))
        with trio.move_on_after(LAST_WORDS_S):  # they come by another pipe, and may come after the end of this one
            await said.ended.wait()
    if said.last:
        raise McpLost(f"the MCP server {said.server!r} ended; its last words: {said.text}")


@attrs.define
class _Lines:
    """Cuts what comes into lines; empty ones are nothing."""

    server: str
    _rest: bytearray = attrs.field(factory=bytearray)

    def feed(self, chunk: bytes | bytearray) -> list[bytes]:
        """Raises: McpLost for a line that is too long."""
        self._rest += chunk
        whole: list[bytes] = []
        if b"\n" in chunk:
            *parts, rest = self._rest.split(b"\n")
            whole, self._rest = [bytes(part) for part in parts if part.strip()], rest
        if len(self._rest) > MAX_LINE:
            raise McpLost(f"the MCP server {self.server!r} sent a message of more than {MAX_LINE:,} bytes")
        return whole


async def _send(program: Program, source: MemoryObjectReceiveStream[SessionMessage]) -> None:
    with source:
        async for message in source:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            try:
                await program.stdin.send_all(text.encode("utf-8", "replace") + b"\n")
            except trio.BrokenResourceError:
                return  # it closed its input: its output ends next


@attrs.define
class _Bounds:
    """Counts what a server should not send. Raises: McpLost, from both methods, when it has been too much."""

    server: str
    _garbage: int = 0
    _second: float = 0.0
    _unasked: int = 0

    def garbage(self, line: bytes) -> None:
        self._garbage += 1
        logging.getLogger("vega_trio.mcp").debug("%s said what is no message: %r", self.server, line[:MAX_LOG_LINE])
        if self._garbage > MAX_GARBAGE:
            raise McpLost(f"the MCP server {self.server!r} speaks no JSON-RPC: {bytes(line[:100])!r}")

    def unasked(self, now: float) -> None:
        if now - self._second >= 1.0:
            self._second, self._unasked = now, 0
        self._unasked += 1
        if self._unasked > MAX_UNASKED:
            raise McpLost(f"the MCP server {self.server!r} sent more than {MAX_UNASKED} messages in a second, unasked")


@attrs.define
class _Said:
    """What the server's program wrote to stderr: in the log, and the end of it for the error message."""

    server: str
    last: deque[str] = attrs.field(factory=lambda: deque(maxlen=KEPT_LOG))
    ended: trio.Event = attrs.field(factory=trio.Event)

    @property
    def text(self) -> str:
        return " | ".join(self.last)[-MAX_LOG_LINE:]

    async def listen(self, program: Program) -> None:
        log: Any = logging.getLogger("vega_trio.mcp")
        pending = b""
        async for chunk in program.stderr:
            *whole, pending = (pending + chunk).split(b"\n")
            pending = pending[-MAX_LOG_LINE:]
            for line in whole:
                text = line[:MAX_LOG_LINE].decode("utf-8", "replace").strip()
                if text:
                    self.last.append(text)
                    log.info("%s: %s", self.server, text)
        self.ended.set()

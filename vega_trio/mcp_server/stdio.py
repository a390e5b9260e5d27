"""`vega mcp serve`: the application on stdin and stdout, one JSON-RPC message a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import anyio
import attrs
import trio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError, jsonrpc_message_adapter
from pydantic import ValidationError

from vega_trio.app.application import App
from vega_trio.mcp_server.server import make_server
from vega_trio.session import DEFAULT_USER

MAX_LINE: Final = 16 * 1024 * 1024

Incoming = SessionMessage | Exception


async def serve_stdio(app: App) -> None:
    """Serves until the client closes our input. Whatever else the program prints goes to stderr meanwhile."""
    server = make_server(app, lambda _: DEFAULT_USER, one_guest=True)
    incoming, read = anyio.create_memory_object_stream[Incoming](0)
    write, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    with _private_streams() as (stdin, stdout), incoming, read, write, outgoing:
        async with stdin, stdout, trio.open_nursery() as nursery:
            nursery.start_soon(_receive, stdin, incoming, write.clone())
            nursery.start_soon(_send, stdout, outgoing)
            await server.run(read, write, server.create_initialization_options())
            nursery.cancel_scope.cancel()


@contextmanager
def _private_streams() -> Iterator[tuple[trio.lowlevel.FdStream, trio.lowlevel.FdStream]]:
    """Our stdin and stdout for the protocol alone: a tool that prints must not speak to the client."""
    stdin, stdout = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        yield trio.lowlevel.FdStream(stdin), trio.lowlevel.FdStream(stdout)
    finally:
        os.close(nothing)


async def _receive(
    stdin: trio.lowlevel.FdStream,
    sink: MemoryObjectSendStream[Incoming],
    answers: MemoryObjectSendStream[SessionMessage],
) -> None:
    """What is no message is answered here: the SDK says nothing to it, and its sender would wait."""
    lines = _Lines()
    with sink, answers:
        async for chunk in stdin:
            for line in lines.feed(chunk):
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValidationError:
                    await answers.send(SessionMessage(_refusal(line)))
                else:
                    await sink.send(SessionMessage(message))


def _refusal(line: bytes) -> JSONRPCError:
    """To the request's own id, where one can be made out (JSON-RPC 2.0, section 5)."""
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        error = ErrorData(code=PARSE_ERROR, message="the line is no JSON; send one JSON-RPC message a line")
        return JSONRPCError(jsonrpc="2.0", id=None, error=error)
    id_ = found.get("id") if isinstance(found, dict) else None
    known = id_ if isinstance(id_, str | int) and not isinstance(id_, bool) else None
    error = ErrorData(code=INVALID_REQUEST, message="the line is no JSON-RPC message, or holds text that is no Unicode")
    return JSONRPCError(jsonrpc="2.0", id=known, error=error)


@attrs.define
class _Lines:
    """Cuts what comes into lines. One that is too long is dropped; its sender waits in vain for an answer."""

    _rest: bytearray = attrs.field(factory=bytearray)
    _skipping: bool = False

    def feed(self, chunk: bytes | bytearray) -> list[bytes]:
        *whole, rest = (self._rest + chunk).split(b"\n")
        self._rest = bytearray(rest)
        if whole and self._skipping:
            del whole[0]
            self._skipping = False
        if len(self._rest) > MAX_LINE:
            self._skipping = True
            self._rest.clear()
        return [bytes(line) for line in whole if line.strip()]


async def _send(stdout: trio.lowlevel.FdStream, source: MemoryObjectReceiveStream[SessionMessage]) -> None:
    with source:
        async for message in source:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            try:
                await stdout.send_all(text.encode("utf-8", "replace") + b"\n")
            except trio.BrokenResourceError:
                return  # the client is gone; our input ends next

"""One connection: hypercorn's protocol code, between reading and writing of our own.

write      an answer's head waits for its body, so that both leave in one piece; what the kernel takes at once does
           not pass through the scheduler
rest       one deadline is moved about, where hypercorn starts and cancels a task between any two requests
end        a stop closes connections that rest; the others when their answer is out, or nobody has taken any of it
           for a while
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from typing import Any

import attrs
import trio
from hypercorn.config import Config
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol import ProtocolWrapper
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from hypercorn.utils import parse_socket_addr

MOST_READ = 65536
STUCK_S = 3.0  # after which a stop waits no longer for a client that does not read
AT_ONCE = 65536  # larger pieces go through the scheduler, so that nobody who sends much keeps the others waiting

GONE = (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError)


@attrs.define(eq=False)
class Connection:
    """`_held` is the head of an answer whose body is about to come; `_resting`: no request is under way."""

    _stream: trio.SocketStream
    _config: Config
    _context: WorkerContext
    _protocol: Any = attrs.field(default=None, init=False)
    _patience: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _writing: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _held: bytes = attrs.field(default=b"", init=False)
    _resting: bool = attrs.field(default=True, init=False)
    _sending: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    async def serve(self, app: Any, state: ConnectionState) -> None:
        """Serves until either side ends it. Raises: what the protocol code raises."""
        try:
            place = self._stream.socket
            client = parse_socket_addr(place.family, place.getpeername())
            server = parse_socket_addr(place.family, place.getsockname())
            async with TaskGroup() as group:
                self._protocol = ProtocolWrapper(
                    app, self._config, self._context, group, state, False, client, server, self._send, "http/1.1"
                )
                await self._protocol.initiate()
                self._rest()
                await self._read()
        except OSError:
            return  # it was gone before it was served
        finally:
            await self._close()

    def leave(self) -> None:
        """The server stops: closes the connection if no request is under way, and bounds what is being sent."""
        if self._resting:
            self._patience.cancel()
        self._sending.deadline = trio.current_time() + STUCK_S

    async def _read(self) -> None:
        with self._patience:
            while True:
                try:
                    data = await self._stream.receive_some(MOST_READ)
                except GONE:
                    break
                await self._protocol.handle(RawData(bytes(data)))
                if not data:
                    break
        await self._protocol.handle(Closed())

    async def _send(self, event: Any) -> None:
        """What the protocol code has to tell."""
        match event:
            case RawData(data=data) if _awaits_body(data):
                self._held += data
            case RawData(data=data) if data or self._held:  # the end of an answer of known length is no bytes
                await self._write(data)
            case Closed():
                await self._close()
                await self._protocol.handle(Closed())
            case Updated(idle=True):
                self._rest()
            case Updated():
                self._resting = False
                self._patience.deadline = math.inf

    def _rest(self) -> None:
        self._resting = True
        patience = 0.0 if self._context.terminated.is_set() else self._config.keep_alive_timeout
        self._patience.deadline = trio.current_time() + patience

    async def _write(self, data: bytes) -> None:
        """Writes what was held and this. What is begun is written whole, or the client could make nothing of it."""
        if self._writing.locked():
            await self._writing.acquire()
        else:
            self._writing.acquire_nowait()
        try:
            data, self._held = self._held + data, b""
            rest = memoryview(data)[self._write_now(data) :]
            if rest:
                with trio.CancelScope(shield=True, deadline=self._send_deadline()) as self._sending:
                    await self._stream.send_all(rest)
                if self._sending.cancelled_caught:
                    await trio.aclose_forcefully(self._stream)
                    await self._protocol.handle(Closed())
        except GONE:
            await self._protocol.handle(Closed())
        finally:
            self._writing.release()

    def _send_deadline(self) -> float:
        return trio.current_time() + STUCK_S if self._context.terminated.is_set() else math.inf

    def _write_now(self, data: bytes) -> int:
        """How much of it the kernel has taken without waiting."""
        if len(data) > AT_ONCE:
            return 0
        try:
            return os.write(self._stream.socket.fileno(), data)
        except OSError:
            return 0  # it would block; or it is gone, as the stream then says in its own words

    async def _close(self) -> None:
        with suppress(*GONE):
            await self._stream.send_eof()
        await self._stream.aclose()


def _awaits_body(data: bytes) -> bool:
    """Whether these bytes are the head of an answer whose body is there already; a stream's may be long in coming."""
    return data.startswith(b"HTTP/1.1 ") and data[9:10] != b"1" and b"\r\ncontent-length: " in data.lower()

"""Bodies of answers that go on: what the web framework iterates while a turn or the world produces."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Self

import attrs
import trio
from quart import Response
from quart.wrappers.response import ResponseBody

SSE_HEADERS = {"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"}


def sse_answer(body: ResponseBody, method: str) -> Response:
    """The answer around an endless body. It is not cut after a time, and a HEAD request gets its head alone."""
    answer = Response(b"" if method == "HEAD" else body, 200, SSE_HEADERS)
    answer.timeout = None
    return answer


@attrs.define(eq=False)
class Relay:
    """Carries the bytes of one stream from the task that makes them to the task that sends them.

    Bounded: a client that does not read makes the producer wait. `failure` is what broke the producer; the sender
    raises it, so that it is reported as the request's own.
    """

    _send: trio.MemorySendChannel[bytes]
    _receive: trio.MemoryReceiveChannel[bytes]
    failure: Exception | None = None

    async def put(self, data: bytes) -> None:
        if data:
            await self._send.send(data)

    def finish(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self._send.close()

    async def take(self) -> bytes:
        """Everything that is waiting, in one piece; empty at the end."""
        try:
            pieces = [await self._receive.receive()]
        except trio.EndOfChannel:
            if self.failure is not None:
                raise self.failure from None
            return b""
        with suppress(trio.WouldBlock, trio.EndOfChannel):
            while True:
                pieces.append(self._receive.receive_nowait())
        return b"".join(pieces)


def open_relay(pieces: int = 256) -> Relay:
    send, receive = trio.open_memory_channel[bytes](pieces)
    return Relay(send, receive)


@attrs.define(eq=False)
class RelayBody(ResponseBody):
    """The sending side of a relay, as the web framework wants it."""

    _relay: Relay

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type, error: BaseException, trace: TracebackType) -> None:
        return None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        data = await self._relay.take()
        if not data:
            raise StopAsyncIteration
        return data

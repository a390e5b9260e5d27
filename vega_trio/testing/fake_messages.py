"""A model server on loopback: scripted, or answering any prompt, and able to fail in every known way.

It speaks the Messages API, and chat completions for clients of OpenAI's (`OPENAI_BASE_URL` is its address and `/v1`).
`python -m vega_trio.testing.fake_messages --port 8399` runs it by itself; point `ANTHROPIC_BASE_URL` at it.
"""

from __future__ import annotations

import inspect
import signal
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, Final

import attrs
import click
import h11
import msgspec
import trio

from vega_trio.testing.fake_answers import answer_any_prompt
from vega_trio.testing.fake_chat import chat_frames, whole_chat
from vega_trio.testing.fake_replies import FakePart, FakeReply, HttpFault, Mute, event_frames, whole_body
from vega_trio.testing.fake_request import FakeRequest

__all__ = ["FakeMessagesServer", "FakeReply", "FakeRequest", "HttpFault", "Mute"]

_MESSAGES: Final = "/v1/messages"
_COUNT: Final = "/v1/messages/count_tokens"
_CHAT: Final = "/chat/completions"
_EVENT_STREAM: Final = [("content-type", "text/event-stream; charset=utf-8")]

Answer = FakePart | Sequence[FakePart] | FakeReply | HttpFault | Mute
AnswerTo = Callable[[FakeRequest], Answer | Awaitable[Answer]]


class Gone(Exception):
    """The client has left, or is to find that we have: the connection ends."""


@attrs.define(eq=False)
class FakeMessagesServer:
    """`async with FakeMessagesServer(["hello", HttpFault(529)]) as server:` serves at `server.base_url`.

    A step answers one request: text, a `ToolCall`, a sequence of these, a `FakeReply`, a fault, or a function of
    the `FakeRequest`. A function in place of the steps answers every request; without any, each prompt gets a
    sensible answer. Leaving the block without an error fails on a step that was not used and on a request for
    which there was none. `requests` holds what came; `connections` counts the open ones.
    """

    _script: Iterable[Answer | AnswerTo] | AnswerTo = answer_any_prompt
    port: int = attrs.field(default=0, kw_only=True)
    requests: list[FakeRequest] = attrs.field(factory=list, init=False, repr=False)
    connections: int = attrs.field(default=0, init=False)
    _left: deque[Answer | AnswerTo] = attrs.field(init=False, repr=False)
    _unexpected: int = attrs.field(default=0, init=False, repr=False)
    _running: AbstractAsyncContextManager[None] | None = attrs.field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._left = deque() if callable(self._script) else deque(self._script)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def check(self) -> None:
        """Raises: AssertionError."""
        if self._unexpected:
            raise AssertionError(f"the fake server got {self._unexpected} request(s) for which it had no step")
        if self._left:
            raise AssertionError(f"{len(self._left)} step(s) of the fake server were not used: {list(self._left)!r}")

    async def __aenter__(self) -> FakeMessagesServer:
        self._running = self._serving()
        await self._running.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._running is not None
        # The block's own error passes by the nursery, which would wrap it in a group.
        await self._running.__aexit__(None, None, None)
        if error is None:
            self.check()

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            serve = partial(trio.serve_tcp, self._connection, self.port, host="127.0.0.1")
            listeners = await nursery.start(serve)
            self.port = listeners[0].socket.getsockname()[1]
            yield
            nursery.cancel_scope.cancel()

    async def _connection(self, stream: trio.SocketStream) -> None:
        self.connections += 1
        wire = Wire(stream)
        try:
            async with stream:
                while await self._exchange(wire):
                    pass
        except (Gone, trio.BrokenResourceError, h11.RemoteProtocolError):
            return  # a client that leaves, also mid-word, is what this server is for
        finally:
            self.connections -= 1

    async def _exchange(self, wire: Wire) -> bool:
        """One request and its answer; whether another may follow."""
        request = await wire.receive()
        self.requests.append(request)
        path = request.path.partition("?")[0]
        if path.endswith(_COUNT) and request.method == "POST":
            await wire.send_whole(200, [], msgspec.json.encode({"input_tokens": len(str(request.body)) // 4 + 1}))
            return wire.next()
        if not path.endswith((_MESSAGES, _CHAT)) or request.method != "POST":
            await wire.send_fault(HttpFault(404, "not_found_error", f"no route {request.method} {request.path}"))
            return wire.next()
        match await self._answer(request):
            case Mute():
                await wire.wait_for_the_end()
            case HttpFault() as fault:
                await wire.send_fault(fault)
            case FakeReply() as reply if request.body.get("stream"):
                await wire.send_stream(reply, _frames(reply, request, chat=path.endswith(_CHAT)))
            case FakeReply() as reply:
                write = whole_chat if path.endswith(_CHAT) else whole_body
                await wire.send_whole(200, [], write(reply, str(request.body.get("model"))))
            case parts:
                raise TypeError(f"the fake server cannot answer with {parts!r}")
        return wire.next()

    async def _answer(self, request: FakeRequest) -> Answer:
        step: Any
        if callable(self._script):
            step = self._script
        elif self._left:
            step = self._left.popleft()
        else:
            self._unexpected += 1
            step = HttpFault(500, "api_error", "the fake server has no step left")
        if callable(step):
            result = step(request)
            step = await result if inspect.isawaitable(result) else result
        return FakeReply(step) if isinstance(step, FakePart | list | tuple) else step


@attrs.define
class Wire:
    """HTTP/1.1 on one connection."""

    _stream: trio.SocketStream
    _http: h11.Connection = attrs.field(factory=lambda: h11.Connection(h11.SERVER), init=False)

    async def receive(self) -> FakeRequest:
        head = await self._next_event()
        if not isinstance(head, h11.Request):
            raise Gone
        if self._http.they_are_waiting_for_100_continue:
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        parts: list[bytes] = []
        while isinstance(event := await self._next_event(), h11.Data):
            parts.append(bytes(event.data))
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
        method, path, data = head.method.decode("ascii"), head.target.decode("latin-1"), b"".join(parts)
        return FakeRequest(method, path, headers, _json(data), data)

    async def send_fault(self, fault: HttpFault) -> None:
        await self.send_whole(fault.status, fault.headers, fault.body)

    async def send_whole(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        headers = [("content-type", "application/json"), ("content-length", str(len(body))), *headers]
        await self._send(h11.Response(status_code=status, headers=headers))
        await self._send(h11.Data(data=body))
        await self._send(h11.EndOfMessage())

    async def send_stream(self, reply: FakeReply, frames: Iterable[bytes]) -> None:
        await self._send(h11.Response(status_code=200, headers=_EVENT_STREAM))
        limit = reply.cut_after_bytes if reply.cut_after_bytes is not None else reply.stall_after_bytes
        for piece in _body_pieces(reply, frames, limit):
            await trio.sleep(reply.delay_s)
            await self._send(h11.Data(data=piece))
        if reply.cut_after_bytes is not None:
            raise Gone
        if reply.stall_after_bytes is not None:
            await self.wait_for_the_end()
        await self._send(h11.EndOfMessage())

    async def wait_for_the_end(self) -> None:
        """Sends nothing until the client has gone."""
        while await self._stream.receive_some():
            pass
        raise Gone

    def next(self) -> bool:
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def _next_event(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._stream.receive_some())
        return event

    async def _send(self, event: Any) -> None:
        data = self._http.send(event)
        if data:
            await self._stream.send_all(data)


def _frames(reply: FakeReply, request: FakeRequest, *, chat: bool) -> Iterable[bytes]:
    model, options = str(request.body.get("model")), request.body.get("stream_options") or {}
    return chat_frames(reply, model, counted=bool(options.get("include_usage"))) if chat else event_frames(reply, model)


def _body_pieces(reply: FakeReply, frames: Iterable[bytes], limit: int | None) -> Iterable[bytes]:
    if reply.fragment_bytes is None and limit is None:
        return frames
    body = b"".join(frames)[:limit]
    size = reply.fragment_bytes or len(body) or 1
    return [body[start : start + size] for start in range(0, len(body), size)]


def _json(data: bytes) -> Mapping[str, Any]:
    try:
        body = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return {}
    return body if isinstance(body, dict) else {}


@click.command()
@click.option("--port", default=0, show_default=True, help="0 picks a free one.")
def main(port: int) -> None:
    """Serves a fake Messages API on loopback until it is interrupted."""
    trio.run(_run, port)


async def _run(port: int) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with FakeMessagesServer(port=port) as server:
            click.echo(f"ANTHROPIC_BASE_URL={server.base_url}")
            async for _ in signals:
                return


if __name__ == "__main__":
    main()

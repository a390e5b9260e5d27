"""One request and its answer, with what every answer has. ASGI, below the web framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs
import trio

from vega_trio.serve.door import Identity
from vega_trio.serve.problems import Problem
from vega_trio.serve.sse import to_json

Message = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

LINGER_S = 1.0
LINGER_BYTES = 8 * 1024 * 1024
GRACE_S = 1.0  # for requests under way when the server stops, once they have no turn to wait for
SCOPE_KEY = "vega.exchange"

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)


@attrs.define(eq=False)
class Exchange:
    """One request and its answer. `turn_id` is what a turn that it begins is to be called, if that matters.
    `waits_for_turn` is set by handlers whose answer is a turn's or a run's.

    `answered`: the head of the answer is on its way, with `status`; `ending`: its last piece is; `size`: bytes of body.
    """

    id: str
    origin: str | None
    identity: Identity = attrs.field(factory=Identity)
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    waits_for_turn: bool = attrs.field(default=False, kw_only=True)
    turn_id: str | None = None
    answered: bool = False
    status: int = 0
    size: int = 0
    ending: bool = False

    @property
    def user(self) -> str:
        return self.identity.user

    def cut(self) -> None:
        self.scope.deadline = min(self.scope.deadline, trio.current_time() + GRACE_S)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Those that every answer has, names in lower case."""
        out = [*HEADERS, (b"x-request-id", self.id.encode())]
        if self.origin is not None:
            out.append((b"access-control-allow-origin", self.origin.encode()))
            out.append((b"access-control-expose-headers", b"link, x-request-id"))
            out.append((b"vary", b"origin"))
        return out


def user_of_scope(scope: Mapping[str, Any]) -> str:
    """Who asks, for an ASGI application beside the web framework's."""
    exchange: Exchange = scope[SCOPE_KEY]
    return exchange.user


@attrs.define(eq=False)
class Answering:
    """The way out of one exchange."""

    _exchange: Exchange
    _send: Send

    async def send(self, message: Message) -> None:
        """Passes an ASGI message on; the head of the answer gets the headers that all answers have."""
        if message["type"] == "http.response.start":
            self._exchange.answered = True
            self._exchange.status = message["status"]
            headers = list(message.get("headers", ()))
            present = {bytes(name).lower() for name, _ in headers}
            headers += [each for each in self._exchange.headers() if each[0] not in present]
            message = {**message, "headers": headers}
        else:
            self._exchange.size += len(message.get("body", b""))
            self._exchange.ending = not message.get("more_body", False)
        try:
            await self._send(message)
        except trio.BusyResourceError:
            # The server is closing the connection because of what the client sent behind its request.
            self._exchange.scope.cancel()
            await trio.lowlevel.checkpoint()

    async def start(self, status: int, headers: dict[str, str]) -> None:
        encoded = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": encoded})

    async def end(self) -> None:
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def refuse(self, problem: Problem, receive: Receive | None) -> None:
        """Answers with a problem. What is still coming of the body is read and dropped for a moment.

        Closing with unread bytes would reset the connection and take the answer with it.
        """
        body = to_json(problem.body(self._exchange.id))
        await self.start(problem.status, problem.headers() | {"content-length": str(len(body))})
        await self.send({"type": "http.response.body", "body": body, "more_body": True})
        if receive is not None:
            await _drop_body(receive)
        await self.end()


async def _drop_body(receive: Receive) -> None:
    dropped = 0
    with trio.move_on_after(LINGER_S):
        while dropped <= LINGER_BYTES:
            message = await receive()
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return
            dropped += len(message.get("body", b""))

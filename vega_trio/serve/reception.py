"""Every request passes here before it is routed, and every answer on its way out.

    arrive    gets an id; the guard judges its head; its body is read whole, within the limit
    answer    gets the headers that every answer has
    leave     when the server stops, requests that wait for a turn are left alone while turns may drain; the others
              are given a moment, then cut

This is ASGI, below the web framework, so that no route can be reached around it.
"""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import trio

from vega_trio.errors import StoreError
from vega_trio.serve.door import Door, Identity
from vega_trio.serve.exchange import SCOPE_KEY, Answering, Asgi, Exchange, Message, Receive, Scope, Send
from vega_trio.serve.guard import Head, Policy, allowed_origin, is_preflight, judge, too_large
from vega_trio.serve.idempotency import Asked, Ledger
from vega_trio.serve.problems import Problem, problem_of, stopping
from vega_trio.serve.rates import Rate

log = logging.getLogger("vega_trio.serve")
access = logging.getLogger("vega_trio.access")

BODY_TIMEOUT_S = 30.0
WEBSOCKET_PATH = "/api/ws"
CLOSE_CODES = {401: 4401, 403: 4403}

CORS_ANSWER = {
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
    "access-control-allow-headers": "authorization, content-type, idempotency-key, last-event-id",
    "access-control-max-age": "600",
}

Websockets = Callable[[Exchange, Receive, Send, list[str]], Awaitable[None]]
"""Serves a websocket whose client was let in, with the subprotocols it offers."""


@attrs.define(eq=False)
class Reception:
    """The ASGI application around the web framework's own."""

    inner: Asgi
    policy: Policy
    door: Door = attrs.field(factory=Door)
    websockets: Websockets | None = None
    rate: Rate | None = None
    ledger: Ledger | None = None
    _open: set[Exchange] = attrs.field(factory=set, init=False, repr=False)
    _stopping: bool = attrs.field(default=False, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "websocket":
                await self._websocket(scope, receive, send)
            case _:
                await self.inner(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = _head(scope)
        exchange = Exchange(secrets.token_hex(8), allowed_origin(head, self.policy))
        out = Answering(exchange, send)
        begun = trio.current_time()
        with self._registered(exchange):
            with exchange.scope:
                await self._serve(head, exchange, scope, receive, out)
            if exchange.scope.cancelled_caught and not exchange.answered:
                await out.refuse(stopping(), None)
        if access.isEnabledFor(logging.INFO):
            _note(exchange, head, scope, trio.current_time() - begun)

    @contextmanager
    def _registered(self, exchange: Exchange) -> Iterator[None]:
        self._open.add(exchange)
        try:
            yield
        finally:
            self._open.discard(exchange)

    async def _serve(self, head: Head, exchange: Exchange, scope: Scope, receive: Receive, out: Answering) -> None:
        problem = _judge_version(scope) or judge(head, self.policy)
        if problem is None and self._stopping:
            problem = stopping()
        if problem is None:
            problem = self._too_fast(scope)
        preflight = problem is None and is_preflight(head, self.policy)
        if problem is None and not preflight:
            problem = self._identify(head, exchange)
        if problem is not None:
            await self._refuse(head, problem, receive, out)
        elif preflight:
            await out.start(204, CORS_ANSWER)
            await out.end()
        else:
            body = await _whole_body(receive, self.policy)
            match body:
                case bytes():
                    await self._route(head, exchange, scope, body, receive, out)
                case Problem():
                    await out.refuse(body, receive)
                case None:
                    log.debug("request %s: the client left before its body was whole", exchange.id)

    def _too_fast(self, scope: Scope) -> Problem | None:
        """Whether the address asks too often. Who needs no credentials is on this machine, and is not counted."""
        if self.rate is None or self.door.mode == "local":
            return None
        wait = self.rate.take(address_of(scope), trio.current_time())
        if not wait:
            return None
        text = "your address sends more requests than are allowed"
        return Problem(429, "too_many_requests", text, "ask less often", retry_after_s=math.ceil(wait))

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A wrong origin or no credentials are told by a close code, which takes a handshake; all else by none."""
        head = _head(scope)
        exchange = Exchange(secrets.token_hex(8), None, waits_for_turn=True)
        problem = judge(head, self.policy) or self._too_fast(scope) or self._identify(head, exchange)
        code = None if problem is None else CLOSE_CODES.get(problem.status)
        if code is not None:
            await turn_away(receive, send, code)
        elif problem is not None or head.path != WEBSOCKET_PATH or self._stopping or self.websockets is None:
            await send({"type": "websocket.close", "code": 1000})  # refuses the handshake
        else:
            offered = [each.strip() for each in head.headers.get("sec-websocket-protocol", "").split(",")]
            with self._registered(exchange), exchange.scope:
                await self.websockets(exchange, receive, send, offered)

    def _identify(self, head: Head, exchange: Exchange) -> Problem | None:
        match self.door.identify(head):
            case Identity() as identity:
                exchange.identity = identity
                return None
            case Problem() as problem:
                return problem

    async def _refuse(self, head: Head, problem: Problem, receive: Receive, out: Answering) -> None:
        """A browser that wants a page is shown where to log in."""
        if problem.status == 401 and not head.api and "text/html" in head.headers.get("accept", ""):
            query = f"?{head.query}" if head.query.startswith("code=") else ""
            await out.start(303, {"location": f"/login{query}", "content-length": "0"})
            await out.end()
        else:
            await out.refuse(problem, receive)

    async def _route(
        self, head: Head, exchange: Exchange, scope: Scope, body: bytes, receive: Receive, out: Answering
    ) -> None:
        first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Any:
            if first:
                return first.pop()
            message = await receive()
            if exchange.ending:
                # The end of our own answer, told as if the client had left. The framework would cancel itself for
                # it, and with itself the server's closing of the connection.
                await trio.sleep_forever()
            return message

        scope[SCOPE_KEY] = exchange
        asked = _asked(head, exchange.user, body)
        if asked is None or self.ledger is None:
            await self.inner(scope, replay, out.send)
            return
        first_only = iter(first)

        async def run(send: Send, turn_id: str) -> None:
            exchange.turn_id = turn_id
            await self.inner(scope, lambda: _once(first_only), send)

        try:
            problem = await self.ledger.answer(asked, run, out.send)
        except StoreError as error:
            problem = problem_of(error)
        if problem is not None:
            await out.refuse(problem, None)

    def stop(self) -> None:
        """From now on new requests are refused, and those that wait for no turn are cut after a moment."""
        self._stopping = True
        for exchange in self._open:
            if not exchange.waits_for_turn:
                exchange.cut()

    def cut(self) -> None:
        """Whoever is still there is cut after a moment, in which the last words of a turn can go out."""
        for exchange in self._open:
            exchange.cut()


async def _once(messages: Iterator[Message]) -> Message:
    """The request, and after it nothing: who does a request once is not told that its client has left."""
    message = next(messages, None)
    if message is None:
        await trio.sleep_forever()
    assert message is not None
    return message


async def turn_away(receive: Receive, send: Send, code: int) -> None:
    """Accepts a websocket, as only then a code can be given, and closes it."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": code})


def _asked(head: Head, user: str, body: bytes) -> Asked | None:
    """The request, if it has a key under which it is to be done once."""
    key = head.headers.get("idempotency-key")
    if key is None or head.method != "POST" or not head.path.startswith("/api/"):
        return None
    return Asked(key=key, user=user, method=head.method, path=head.path, query=head.query, body=body)


def _judge_version(scope: Scope) -> Problem | None:
    """The server library takes HTTP/2 in clear text too; nothing here was made for it."""
    if scope.get("http_version", "1.1").startswith("1."):
        return None
    return Problem(505, "http_version", "this server speaks HTTP/1.1 only", "ask without HTTP/2")


def _note(exchange: Exchange, head: Head, scope: Scope, seconds: float) -> None:
    """One line of the access log. The query is left out: it may hold what is for nobody's eyes."""
    told = {
        "request_id": exchange.id,
        "user": exchange.user,
        "address": address_of(scope),
        "method": head.method,
        "path": head.path[:500],
        "status": exchange.status,
        "bytes": exchange.size,
        "ms": round(seconds * 1000, 1),
    }
    access.info("%(method)s %(path)s %(status)d %(bytes)d bytes %(ms)g ms for %(user)s", told, extra={"vega": told})


def address_of(scope: Scope) -> str:
    """The client's address, without its port."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _head(scope: Scope) -> Head:
    """A header that comes twice counts as both values, which no allow-list holds."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    query = scope.get("query_string", b"").decode("latin-1")
    line = len(scope.get("raw_path", b"")) + len(query)
    size = line + sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    return Head(method=scope.get("method", "GET"), path=scope["path"], headers=headers, size=size, query=query)


async def _whole_body(receive: Receive, policy: Policy) -> bytes | Problem | None:
    """The body, a problem with it, or None when the client left."""
    body = bytearray()
    with trio.move_on_after(BODY_TIMEOUT_S):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > policy.max_body:
                return too_large(policy)
            if not message.get("more_body", False):
                return bytes(body)
    return Problem(408, "slow_body", f"the body did not arrive within {BODY_TIMEOUT_S:g} s", "send it again")

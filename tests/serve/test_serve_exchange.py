"""The reception, spoken to in ASGI."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from vega_trio.serve.exchange import SCOPE_KEY, Exchange, Receive, Scope, Send
from vega_trio.serve.guard import open_policy
from vega_trio.serve.reception import Reception

HOST = (b"host", b"localhost:3001")
JSON = (b"content-type", b"application/json")


@attrs.define
class Client:
    """One request and what came back. Without more pieces the client is silent."""

    pieces: deque[dict[str, Any]] = attrs.field(factory=deque)
    status: int = 0
    headers: dict[str, str] = attrs.field(factory=dict)
    body: bytes = b""
    ended: bool = False

    async def receive(self) -> dict[str, Any]:
        await trio.lowlevel.checkpoint()
        if not self.pieces:
            await trio.sleep_forever()
        return self.pieces.popleft()

    async def send(self, message: dict[str, Any]) -> None:
        await trio.lowlevel.checkpoint()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")
            self.ended = not message.get("more_body", False)


def sending(*pieces: bytes) -> Client:
    last = len(pieces) - 1
    return Client(
        deque({"type": "http.request", "body": each, "more_body": at < last} for at, each in enumerate(pieces))
    )


def scope(method: str = "GET", path: str = "/api/x", *headers: tuple[bytes, bytes]) -> Scope:
    return {"type": "http", "method": method, "path": path, "headers": [HOST, *headers]}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with the body."""
    message = await receive()
    assert not message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": message["body"]})


def reception(inner: Any = echo) -> Reception:
    return Reception(inner, open_policy(3001, [], ["https://app.example.com"], 10))


async def test_the_application_gets_the_whole_body_at_once() -> None:
    client = sending(b"ab", b"cd", b"")
    with trio.fail_after(5):
        asked = scope("POST", "/api/x", JSON, (b"transfer-encoding", b"chunked"))
        await reception()(asked, client.receive, client.send)
    assert (client.status, client.body, client.ended) == (200, b"abcd", True)


async def test_every_answer_has_the_safe_headers_and_an_id() -> None:
    client = sending(b"")
    with trio.fail_after(5):
        await reception()(scope(), client.receive, client.send)
    assert client.headers["x-content-type-options"] == "nosniff"
    assert client.headers["referrer-policy"] == "no-referrer"
    assert client.headers["cache-control"] == "no-store"
    assert len(client.headers["x-request-id"]) == 16
    assert "access-control-allow-origin" not in client.headers


async def test_a_body_that_grows_too_large_is_refused_while_it_comes() -> None:
    client = sending(b"12345", b"67890", b"1", b"rest", b"")
    with trio.fail_after(5):
        await reception()(scope("POST", "/api/x", JSON), client.receive, client.send)
    problem = json.loads(client.body)
    assert client.status == problem["status"] == 413
    assert problem["request_id"] == client.headers["x-request-id"]
    assert client.headers["content-type"] == "application/problem+json"
    assert not client.pieces, "what was still coming is read, so that the answer is not lost in a reset"


async def test_a_refused_request_never_reaches_the_application() -> None:
    async def unreachable(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    client = sending(b"")
    with trio.fail_after(5):
        await reception(unreachable)(scope("GET", "/api/x", (b"origin", b"null")), client.receive, client.send)
    assert client.status == 403


async def test_a_header_that_comes_twice_matches_nothing() -> None:
    client = sending(b"")
    with trio.fail_after(5):
        await reception()(scope("GET", "/api/x", HOST), client.receive, client.send)
    assert client.status == 421


async def test_an_allowed_origin_may_read_the_answer() -> None:
    client = sending(b"")
    with trio.fail_after(5):
        origin = (b"origin", b"https://app.example.com")
        await reception()(scope("GET", "/api/x", origin), client.receive, client.send)
    assert client.headers["access-control-allow-origin"] == "https://app.example.com"
    assert client.headers["vary"] == "origin"


async def test_a_preflight_of_an_allowed_origin_is_answered() -> None:
    client = sending(b"")
    asked = ((b"origin", b"https://app.example.com"), (b"access-control-request-method", b"POST"))
    with trio.fail_after(5):
        await reception()(scope("OPTIONS", "/api/x", *asked), client.receive, client.send)
    assert client.status == 204
    assert "content-type" in client.headers["access-control-allow-headers"]


async def test_a_client_that_leaves_before_its_body_is_whole_is_forgotten() -> None:
    client = Client(deque([{"type": "http.disconnect"}]))
    with trio.fail_after(5):
        await reception()(scope("POST", "/api/x", JSON), client.receive, client.send)
    assert client.status == 0


async def test_a_websocket_elsewhere_is_refused() -> None:
    sent = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await reception()(scope("GET", "/api/agents") | {"type": "websocket"}, Client().receive, send)
    assert sent == ["websocket.close"]


@attrs.define
class Waiting:
    """An application whose requests go on until `go`; a path /turn waits for a turn."""

    go: trio.Event = attrs.field(factory=trio.Event)
    begun: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope[SCOPE_KEY]
        exchange.waits_for_turn = scope["path"] == "/turn"
        self.begun += 1
        await self.go.wait()
        await echo(scope, receive, send)


async def test_on_stopping_turns_go_on_and_the_rest_is_cut(autojump_clock: trio.testing.MockClock) -> None:
    inner = Waiting()
    desk, turn, other, late = reception(inner), sending(b""), sending(b""), sending(b"")
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(desk, scope("GET", "/turn"), turn.receive, turn.send)
            nursery.start_soon(desk, scope("GET", "/other"), other.receive, other.send)
            await trio.testing.wait_all_tasks_blocked()
            assert inner.begun == 2
            desk.stop()
            await desk(scope("GET", "/late"), late.receive, late.send)
            await trio.sleep(5)
            assert (other.status, turn.status) == (503, 0)
            inner.go.set()
    assert turn.status == 200
    assert late.status == 503
    assert late.headers["retry-after"] == "5"


async def test_in_the_end_everybody_is_cut_after_a_moment(autojump_clock: trio.testing.MockClock) -> None:
    desk, turn = reception(Waiting()), sending(b"")
    began = trio.current_time()
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(desk, scope("GET", "/turn"), turn.receive, turn.send)
            await trio.testing.wait_all_tasks_blocked()
            desk.stop()
            desk.cut()
    assert turn.status == 503
    assert trio.current_time() - began == pytest.approx(1)


async def test_a_connection_that_is_closed_while_it_is_answered_ends_the_request_quietly() -> None:
    async def closing(message: Any) -> None:
        raise trio.BusyResourceError("closing")

    client = sending(b"")
    with trio.fail_after(5):
        await reception()(scope(), client.receive, closing)
        await reception()(scope("GET", "/api/x", (b"origin", b"null")), client.receive, closing)

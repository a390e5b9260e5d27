"""Chat, events and approvals over a websocket, by an outside client library, on real sockets."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio_websocket

from vega_trio.protocols import ModelRequest
from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.e2e


@asynccontextmanager
async def connected(
    served: Any, headers: dict[str, str] | None = None, protocols: tuple[str, ...] = ()
) -> AsyncIterator[Any]:
    extra = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    stream = await trio.open_tcp_stream("127.0.0.1", served.port)
    async with stream, trio.open_nursery() as nursery:
        host = f"127.0.0.1:{served.port}"
        yield await trio_websocket.wrap_client_stream(
            nursery, stream, host, "/api/ws", extra_headers=extra, subprotocols=list(protocols)
        )
        nursery.cancel_scope.cancel()


async def say(socket: Any, **message: Any) -> None:
    await socket.send_message(json.dumps(message))


async def hear(socket: Any) -> Any:
    return json.loads(await socket.get_message())


async def hear_turn(socket: Any, ref: object) -> list[Any]:
    """The frames of a chat up to its end."""
    heard = []
    while not heard or heard[-1]["event"]["type"] != "done":
        message = await hear(socket)
        if message.get("ref") == ref and "event" in message:
            heard.append(message)
    return heard


async def close_code(served: Any, **options: Any) -> int:
    async with connected(served, **options) as socket:
        with pytest.raises(trio_websocket.ConnectionClosed):
            await socket.get_message()
    return int(socket.closed.code)


async def test_a_chat_is_answered_with_the_frames_of_version_2(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["one two three"]) as served:
            async with connected(served, protocols=("vega.v1",)) as socket:
                assert socket.subprotocol == "vega.v1"
                await say(socket, op="chat", ref="a", agent="assistant", message="hi")
                ack = await hear(socket)
                frames = await hear_turn(socket, "a")
                await say(socket, op="ping", ref=7)
                pong = await hear(socket)
            stored = (await served.http.get("/api/agents/assistant/chat")).json()[-1]["content"]
    assert (ack["ref"], ack["type"]) == ("a", "ack")
    assert frames[0]["event"]["type"] == "turn_start"
    assert frames[0]["id"] == f"{ack['turn_id']}:1"
    assert "".join(each["event"].get("delta", "") for each in frames) == stored == "one two three"
    assert frames[-1]["event"]["stop_reason"] == "end_turn"
    assert pong == {"ref": 7, "type": "pong"}


async def test_a_turn_is_stopped_by_its_agent_and_by_its_session(serving: Any) -> None:
    reached = [trio.Event(), trio.Event()]

    def hang(number: int) -> Any:
        async def step(request: ModelRequest) -> str:
            reached[number].set()
            await trio.sleep_forever()
            raise AssertionError

        return step

    with trio.fail_after(30):
        async with serving(ScriptedModel([hang(0), hang(1)])) as served:
            async with connected(served) as socket:
                for number in (0, 1):
                    await say(socket, op="chat", ref=number, agent="assistant", message="hi")
                    while (ack := await hear(socket)).get("ref") != number:
                        pass
                    await reached[number].wait()
                    whom = {"agent": "assistant"} if number == 0 else {"session": ack["session_id"]}
                    await say(socket, op="stop", ref="s", **whom)
                    frames = await hear_turn(socket, number)
                    assert frames[-1]["event"]["stop_reason"] == "cancelled"


async def test_events_are_subscribed_to_with_replay_filters_and_a_gap(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["one", "two"]) as served:
            await served.chat("x")
            async with connected(served) as socket:
                await say(socket, op="subscribe", ref=1, topics=["events"], last_event_id=0, types="turn.*")
                assert (await hear(socket))["type"] == "ack"
                replayed = [await hear(socket), await hear(socket)]
                await served.chat("x")
                fresh = [await hear(socket), await hear(socket)]
                await say(socket, op="subscribe", ref=2, topics=["events"], last_event_id=10_000)
                gaps = [await hear(socket), await hear(socket)]
            log = (await served.http.get("/api/events/log?type=turn.*")).json()
    assert [each["event"]["type"] for each in replayed + fresh] == ["turn.started", "turn.finished"] * 2
    assert [each["id"] for each in replayed + fresh] == [each["id"] for each in reversed(log)]
    assert gaps[1]["event"]["type"] == "gap"
    assert all(each["ref"] == 1 for each in replayed + fresh)


async def test_another_connection_follows_a_session_and_the_figures(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["one", "two"]) as served:
            session = (await served.http.post("/api/sessions", json={"agent": "assistant"})).json()["id"]
            async with connected(served) as socket:
                await say(socket, op="subscribe", ref="s", topics=[f"chat:{session}", "stats"])
                assert (await hear(socket))["type"] == "ack"
                heard = []
                for message in ("a", "b"):
                    await served.chat(message)
                    while sum(each["event"]["type"] == "done" for each in heard) < (1 if message == "a" else 2):
                        heard.append(await hear(socket))
    text = "".join(each["event"].get("delta", "") for each in heard)
    assert text == "onetwo"
    stats = [each["event"] for each in heard if each["event"]["type"] == "stats"]
    assert stats
    assert stats[-1]["data"]["total_processes"] >= 0


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("no json", "bad_json"),
        ("[]", "bad_body"),
        ('{"ref": 1}', "bad_body"),
        ('{"op": "dance"}', "bad_value"),
        ('{"op": "ping", "ref": []}', "bad_value"),
        ('{"op": "chat", "agent": "assistant"}', "bad_body"),
        ('{"op": "chat", "agent": "nosuch", "message": "x"}', "unknown_agent"),
        ('{"op": "chat", "agent": "assistant", "message": " "}', "bad_body"),
        ('{"op": "stop"}', "bad_value"),
        ('{"op": "stop", "session": "nosuch"}', "unknown_session"),
        ('{"op": "subscribe", "topics": []}', "bad_value"),
        ('{"op": "subscribe", "topics": ["moon"]}', "bad_value"),
        ('{"op": "subscribe", "topics": ["events"], "types": "a*b"}', "bad_value"),
        ('{"op": "approve", "approval_id": "x", "decision": "maybe"}', "bad_value"),
        (b"\x00\x01", "not_text"),
    ],
)
async def test_what_is_wrong_is_told_and_the_connection_lives(serving: Any, message: str | bytes, code: str) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            async with connected(served) as socket:
                await socket.send_message(message)
                answer = await hear(socket)
                await say(socket, op="ping")
                pong = await hear(socket)
    assert (answer["type"], answer["code"]) == ("error", code), answer
    assert answer["hint"]
    assert pong == {"type": "pong"}


async def test_a_foreign_origin_and_missing_credentials_have_their_close_codes(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True) as served:
            secret = served.operator["authorization"].removeprefix("Bearer ")
            assert await close_code(served, headers={"origin": "https://evil.example"}) == 4403
            assert await close_code(served) == 4401
            assert await close_code(served, headers={"authorization": "Bearer wrong"}) == 4401
            for options in ({"headers": served.operator}, {"protocols": ("vega.v1", f"bearer.{secret}")}):
                async with connected(served, **options) as socket:
                    await say(socket, op="ping")
                    assert await hear(socket) == {"type": "pong"}
                    assert socket.subprotocol in (None, "vega.v1")


async def test_a_wrong_host_and_other_paths_are_refused_before_the_handshake(serving: Any) -> None:
    upgrade = (
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with trio.fail_after(30):
        async with serving() as served:
            for path, host in (("/api/ws", "evil.example"), ("/api/agents", f"localhost:{served.port}")):
                answer = await served.raw(upgrade.format(path=path, host=host).encode())
                assert answer.startswith(b"HTTP/1.1 403"), answer


async def test_a_viewer_listens_and_does_nothing(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(read_only=True) as served:
            async with connected(served) as socket:
                for message in ({"op": "chat", "agent": "assistant", "message": "x"}, {"op": "stop", "agent": "a"}):
                    await say(socket, **message)
                    assert (await hear(socket))["code"] == "read_only"
                await say(socket, op="subscribe", topics=["events"])
                assert (await hear(socket))["type"] == "ack"


async def test_too_many_connections_are_told_so(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(limits={"websockets": 1}) as served:
            async with connected(served) as first:
                assert await close_code(served) == 4429
                await say(first, op="ping")
                await hear(first)


async def test_a_server_that_stops_says_so(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            async with connected(served) as socket:
                await say(socket, op="ping")
                await hear(socket)
                served.stop.set()
                with pytest.raises(trio_websocket.ConnectionClosed):
                    await socket.get_message()
            assert socket.closed.code == 1012


RIGHT: list[dict[str, Any]] = [
    {"op": "ping"},
    {"op": "chat", "agent": "assistant", "message": "x"},
    {"op": "stop", "agent": "assistant"},
    {"op": "subscribe", "topics": ["stats"], "last_event_id": 0, "types": "turn.*"},
    {"op": "approve", "approval_id": "x", "decision": "deny", "arguments": {}, "note": ""},
]
NONSENSE: list[Any] = [None, True, -1, 10**30, 1.5e300, "", "\ud800", "chat:x", "x" * 300, [], ["events"], {"a": []}]


def fuzzed(chance: random.Random) -> dict[str, Any]:
    """A right message with nothing, something or much in it replaced by nonsense, taken away or added."""
    message = dict(chance.choice(RIGHT))
    for _ in range(chance.randrange(3)):
        match chance.randrange(3):
            case 0:
                message[chance.choice(list(message))] = chance.choice(NONSENSE)
            case 1 if len(message) > 1:
                del message[chance.choice(list(message))]
            case _:
                message[chance.choice(["session", "user", "agent", "x"])] = chance.choice(NONSENSE)
    return message


async def test_fuzzed_messages_are_each_answered_and_none_is_a_fault_of_the_server(serving: Any) -> None:
    chance, answered = random.Random(8), set()
    with trio.fail_after(60):
        async with serving(lambda request: "hi", limits={"turns_per_min": 10_000}) as served:
            async with connected(served) as socket:
                for number in range(400):
                    message = {**fuzzed(chance), "ref": number}
                    await socket.send_message(json.dumps(message))
                    answer = await hear(socket)
                    while "type" not in answer or (answer.get("ref") != number and answer.get("code") != "bad_json"):
                        answer = await hear(socket)
                    assert answer["type"] != "error" or answer["status"] < 500, (message, answer)
                    answered.add(answer.get("code", answer["type"]))
    known = {"ack", "pong", "bad_value", "bad_body", "bad_json", "unknown_agent", "unknown_session", "not_found"}
    assert known <= answered


async def test_garbage_in_frames_harms_nobody_else(serving: Any) -> None:
    chance = random.Random(8)
    upgrade = (
        "GET /api/ws HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with trio.fail_after(30):
        async with serving(["hi"]) as served:
            async with connected(served) as good:
                for _ in range(60):
                    stream = await trio.open_tcp_stream("127.0.0.1", served.port)
                    async with stream:
                        await stream.send_all(upgrade.format(port=served.port).encode())
                        await stream.receive_some(65536)
                        try:
                            await stream.send_all(chance.randbytes(chance.randrange(1, 200)))
                        except trio.BrokenResourceError:
                            continue
                await say(good, op="ping", ref=1)
                assert await hear(good) == {"ref": 1, "type": "pong"}
            assert (await served.chat("x"))[-1].event == "done"

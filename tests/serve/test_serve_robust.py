"""Clients that mean harm, clients that hang, and the server's end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from vega_trio.errors import ConfigError
from vega_trio.events import SessionUpdated
from vega_trio.protocols import ModelRequest
from vega_trio.serve.server import Access, serve
from vega_trio.testing import ScriptedReply

pytestmark = pytest.mark.e2e

PROGRAM = Path(__file__).parent / "program.py"
AGENTS = "/api/agents"


def request(line: str, *headers: str, body: str = "") -> bytes:
    return "\r\n".join([line, *headers, "connection: close", "", body]).encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


# -- hostile requests


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "localhost", "localhost:{port}.evil.example"])
async def test_a_foreign_host_is_misdirected(serving: Any, host: str) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            named = host.format(port=served.port)
            for path in (AGENTS, "/", "/healthz", "/nosuch"):
                answer = await served.raw(request(f"GET {path} HTTP/1.1", f"Host: {named}"))
                assert status_of(answer) == 421
                problem = json.loads(answer.partition(b"\r\n\r\n")[2])
                assert problem["code"] == "wrong_host"


async def test_without_a_host_nothing_is_served(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            assert status_of(await served.raw(request(f"GET {AGENTS} HTTP/1.1"))) == 400
            assert status_of(await served.raw(request(f"GET {AGENTS} HTTP/1.0"))) == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_foreign_page_gets_nothing_and_changes_nothing(serving: Any, headers: dict[str, str]) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            read = await served.http.get(AGENTS, headers=headers)
            sent = await served.http.post(f"{AGENTS}/assistant/chat", json={"message": "x"}, headers=headers)
            cleared = await served.http.delete(f"{AGENTS}/assistant/chat", headers=headers)
            assert (await served.http.get("/api/processes")).json() == []
    assert [answer.status_code for answer in (read, sent, cleared)] == [403, 403, 403]
    assert "access-control-allow-origin" not in read.headers


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a_form_is_told_how_to_send_json(serving: Any, kind: str) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            path = f"{AGENTS}/assistant/chat"
            answer = await served.http.post(path, content='{"message": "x"}', headers={"content-type": kind})
    assert answer.status_code == 415
    assert "curl" in answer.json()["hint"]
    assert "Content-Type: application/json" in answer.json()["hint"]


async def test_the_curl_command_of_the_readme_works_as_written(serving: Any) -> None:
    body = '{"message": "Hello!"}'
    with trio.fail_after(30):
        async with serving(["Hi"]) as served:
            answer = await served.raw(
                request(
                    f"POST {AGENTS}/assistant/chat HTTP/1.1",
                    f"Host: localhost:{served.port}",
                    "User-Agent: curl/8.5.0",
                    "Accept: */*",
                    "Content-Type: application/json",
                    f"Content-Length: {len(body)}",
                    body=body,
                )
            )
    assert status_of(answer) == 200
    assert b'"response":"Hi"' in answer


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_too_large_is_refused_with_a_readable_answer(serving: Any, chunked: bool) -> None:
    async def pieces() -> Any:
        for _ in range(30):
            yield b"x" * 65536

    with trio.fail_after(30):
        async with serving() as served:
            content = pieces() if chunked else b"x" * (2 * 1024 * 1024)
            headers = {"content-type": "application/json"}
            answer = await served.http.post(f"{AGENTS}/assistant/chat", content=content, headers=headers)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


async def test_a_head_too_large_is_refused(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            host = f"Host: localhost:{served.port}"
            answer = await served.raw(request(f"GET {AGENTS} HTTP/1.1", host, f"X: {'x' * 20_000}"))
            query = await served.raw(request(f"GET {AGENTS}?x={'x' * 20_000} HTTP/1.1", host))
    assert status_of(answer) == status_of(query) == 431


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /api/agents/assistant/chat HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET http://evil.example/api/agents HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    ],
)
async def test_malformed_requests_are_refused_and_the_server_goes_on(serving: Any, data: bytes) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            stream = await trio.open_tcp_stream("127.0.0.1", served.port)
            async with stream:
                await stream.send_all(data)
                with trio.move_on_after(1):
                    answer = await stream.receive_some(4096)
                    assert b" 200 " not in answer.split(b"\r\n", 1)[0]
                    assert b" 500 " not in answer.split(b"\r\n", 1)[0]
            assert (await served.http.get("/healthz")).status_code == 200


async def test_a_websocket_is_refused(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            answer = await served.raw(
                b"GET /api/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
    assert status_of(answer) == 403


# -- clients that hang


def stuck_client(port: int, path: str, body: bytes = b"") -> socket.socket:
    """Asks and never reads; its own buffer is as small as the system allows."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    client.connect(("127.0.0.1", port))
    method = "POST" if body else "GET"
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
    client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return client


async def test_a_client_that_never_reads_delays_neither_others_nor_the_end(serving: Any) -> None:
    flood = ScriptedReply("word" * 1000 * 1000, chunk_size=4000)
    body = b'{"message": "go"}'
    with trio.fail_after(30):
        async with serving(lambda request: flood) as served:
            with stuck_client(served.port, f"{AGENTS}/assistant/chat/stream", body):
                with stuck_client(served.port, "/api/events"):
                    await trio.sleep(0.5)
                    for _ in range(200):
                        served.app.orch.bus.emit(SessionUpdated(session_id="s" * 10_000))
                    with trio.fail_after(2):
                        assert (await served.http.get("/healthz")).status_code == 200
                    began = trio.current_time()
                    served.stop.set()
                    await served.down.wait()
                    assert trio.current_time() - began <= 5


async def test_idle_connections_and_half_requests_do_not_delay_the_end(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            await served.http.get("/healthz")  # stays open
            idle = await trio.open_tcp_stream("127.0.0.1", served.port)
            half = await trio.open_tcp_stream("127.0.0.1", served.port)
            part = await trio.open_tcp_stream("127.0.0.1", served.port)
            async with idle, half, part:
                await half.send_all(b"POST /api/agents HTTP/1.1\r\nHos")
                head = f"POST {AGENTS}/assistant/chat HTTP/1.1\r\nHost: localhost:{served.port}\r\n"
                await part.send_all(f"{head}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{{".encode())
                await served.http.get("/healthz")
                began = trio.current_time()
                served.stop.set()
                await served.down.wait()
                assert trio.current_time() - began < 3


# -- the end


async def test_at_the_end_listeners_are_told_and_turns_drain(serving: Any) -> None:
    reached, opened = trio.Event(), trio.Event()

    async def gate(request: ModelRequest) -> str:
        reached.set()
        await opened.wait()
        return "the answer"

    with trio.fail_after(30):
        async with serving([gate]) as served:
            async with served.listening(types="server.*") as events, served.streaming("x") as frames:
                await reached.wait()
                served.stop.set()
                assert (await anext(events)).event == "server.stopping"
                assert [frame async for frame in events] == []
                with pytest.raises(OSError, match="connect"):
                    await trio.open_tcp_stream("127.0.0.1", served.port)
                assert not served.down.is_set()
                opened.set()
                seen = [frame.event async for frame in frames]
                await served.down.wait()
    assert seen == ["text_delta", "text_delta", "done"]


async def test_a_turn_that_does_not_drain_in_time_is_cut_off(serving: Any) -> None:
    slow = ScriptedReply("word " * 10_000, delay_s=0.05)
    with trio.fail_after(30):
        async with serving([slow], shutdown_timeout=0.2) as served:
            async with served.streaming("x") as frames:
                await anext(frames)
                began = trio.current_time()
                served.stop.set()
                await served.down.wait()
                assert trio.current_time() - began < 5


async def test_a_taken_port_is_a_clear_error(serving: Any, tmp_path: Path) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            with pytest.raises(ConfigError, match=rf"{served.port} is taken.*--addr :0"):
                await serve(
                    served.app, addr=f":{served.port}", access=Access(home=tmp_path), on_ready=print, shutdown_timeout=1
                )


async def test_nothing_is_left_when_a_server_is_down(serving: Any) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    with trio.fail_after(30):
        await trio.to_thread.run_sync(open_files)  # the first thread's own
        before, tasks = open_files(), trio.lowlevel.current_statistics().tasks_living
        async with serving(["a", "b", "c"]) as served:
            for agent in ("assistant", "reviewer"):
                await served.chat("x", agent=agent)
            async with served.streaming("never read to its end"), served.listening():
                pass
            served.stop.set()
            await served.down.wait()
        assert open_files() == before
        assert trio.lowlevel.current_statistics().tasks_living == tasks


# -- signals


@pytest.fixture
def program(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    document = tmp_path / "program.vega.yaml"
    document.write_text("agents:\n  assistant:\n    system: You help.\n    model: scripted\n")
    with subprocess.Popen(
        [sys.executable, "-W", "error", str(PROGRAM), str(document)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line.startswith("http://localhost:"), process.stderr.read() if process.stderr else line
    return line


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_running_turn_end_and_exits_0(program: subprocess.Popen[str], sent: signal.Signals) -> None:
    url = address(program)
    with httpx.stream("POST", f"{url}/api/agents/assistant/chat/stream", json={"message": "x"}, timeout=20) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: text_delta"
        program.send_signal(sent)
        rest = list(lines)
    assert 'data: {"type":"done"}' in rest
    out, errors = program.communicate(timeout=10)
    assert (program.returncode, out.strip(), errors) == (0, "closed", "")


def test_a_turn_that_nobody_watches_ends_before_the_server_does(program: subprocess.Popen[str]) -> None:
    url = address(program)
    with httpx.stream("POST", f"{url}/api/agents/assistant/chat/stream", json={"message": "x"}, timeout=20) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: text_delta"
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=10)
    again = subprocess.Popen(program.args, stdout=subprocess.PIPE, text=True)
    with again:
        history = httpx.get(f"{address(again)}/api/agents/assistant/chat").json()
        again.send_signal(signal.SIGTERM)
    assert [each["content"] for each in history] == ["x", "word " * 5]


def test_an_idle_server_is_down_at_once(program: subprocess.Popen[str]) -> None:
    address(program)
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=4)
    assert program.returncode == 0


def test_a_second_signal_ends_at_once_with_130(program: subprocess.Popen[str]) -> None:
    url = address(program)
    path = f"{url}/api/agents/assistant/chat/stream"
    with httpx.stream("POST", path, json={"message": "long"}, timeout=20) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: text_delta"
        program.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(timeout=1)
        program.send_signal(signal.SIGINT)
        assert program.wait(timeout=2) == 130


def frames_of(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The frames of a stream, each with its id."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields["id"], json.loads(fields["data"])
            fields = {}


@pytest.mark.parametrize("version", [1, 2])
def test_a_client_that_was_streaming_when_the_server_was_killed_ends_with_the_right_text(
    program: subprocess.Popen[str], version: int
) -> None:
    url, path = address(program), f"/api/agents/assistant/chat/stream?v={version}"
    shown, last = "", ""
    with httpx.stream("POST", url + path, json={"message": "x"}, timeout=20) as answer:
        for event_id, data in frames_of(answer.iter_lines()):
            last = event_id
            shown += data.get("delta", "")
            if shown == "word word ":
                program.kill()
                break
    program.wait()
    before = shown
    again = subprocess.Popen(program.args, stdout=subprocess.PIPE, text=True)
    with again:
        url = address(again)
        with httpx.stream("GET", url + path, headers={"last-event-id": last}, timeout=20) as answer:
            for event_id, data in frames_of(answer.iter_lines()):
                assert event_id.partition(":")[0] == last.partition(":")[0], "the same turn"
                if data["type"] == "message_reset":
                    shown = data["text"]
                shown += data.get("delta", "")
        history = httpx.get(f"{url}/api/agents/assistant/chat").json()
        again.send_signal(signal.SIGTERM)
    assert data["type"] == "done"
    assert history[-1]["content"] == "word " * 5
    assert shown == ("word " * 5 if version == 2 else f"{before}\n\n{'word ' * 5}")

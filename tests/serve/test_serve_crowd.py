"""Many clients at once: those that never read, those that come and go, and more than there are descriptors for.

`VEGA_LISTENERS` sets how many come and go (`make torture`: 2,000).
"""

from __future__ import annotations

import os
import random
import re
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.lowlevel
from test_serve_robust import stuck_client

from vega_trio.events import SessionUpdated

pytestmark = pytest.mark.e2e

LISTENERS = int(os.environ.get("VEGA_LISTENERS", "100"))
EVENTS = 120 if LISTENERS <= 500 else 40
LEAVES = 2 / EVENTS  # for each event that a listener is given
FRAME_ID = re.compile(rb"\nid: (\d+)\n\n")


@pytest.fixture(autouse=True)
def _descriptors() -> Iterator[None]:
    """As many as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_500_clients_that_never_read_delay_neither_others_nor_the_end(serving: Any) -> None:
    with trio.fail_after(60), ExitStack() as stack:
        async with serving(["hi"]) as served:
            for _ in range(500):
                stack.enter_context(stuck_client(served.port, "/api/events"))
                await trio.lowlevel.checkpoint()
            while served.app.orch.bus and (await figures(served)) < 500:
                await trio.lowlevel.checkpoint()
            for _ in range(60):
                served.app.orch.bus.emit(SessionUpdated(session_id="s" * 10_000))
            with trio.fail_after(10):
                assert (await served.chat("x"))[-1].event == "done"
            began = trio.current_time()
            served.stop.set()
            await served.down.wait()
            assert trio.current_time() - began <= 5


async def figures(served: Any) -> int:
    """How many listen."""
    text = (await served.http.get("/metrics")).text
    [line] = [line for line in text.splitlines() if line.startswith("vega_event_subscribers ")]
    return int(line.split()[1])


async def hear(port: int, mine: list[int], chance: random.Random, ready: trio.Event) -> None:
    """Listens from the last id on; leaves now and then in the middle of things."""
    asked = f"GET /api/events?last_event_id={mine[-1] if mine else 0} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        await stream.send_all(asked.encode())
        heard = b""
        while data := await stream.receive_some(65536):
            assert not heard.startswith(b"HTTP/1.1 5"), heard
            heard += data
            if b": connected" in heard:
                ready.set()
            for found in FRAME_ID.finditer(heard):
                mine.append(int(found[1]))
                if mine[-1] >= EVENTS or chance.random() < LEAVES:
                    return
            heard = heard[max(0, heard.rfind(b"\n\n")) :]


async def test_listeners_that_come_and_go_lose_no_event_and_get_none_twice(serving: Any) -> None:
    chance = random.Random(42)
    heard: list[list[int]] = [[] for _ in range(LISTENERS)]
    ready = [trio.Event() for _ in range(LISTENERS)]

    async def listen(served: Any, number: int) -> None:
        mine = heard[number]
        while not mine or mine[-1] < EVENTS:
            try:
                await hear(served.port, mine, chance, ready[number])
            except (trio.BrokenResourceError, OSError):
                await trio.sleep(chance.random())  # all at once were too many connections for a moment

    with trio.fail_after(60 + LISTENERS / 5):
        async with serving(limits={"subscribers": 10_000}) as served, trio.open_nursery() as nursery:
            for number in range(LISTENERS):
                nursery.start_soon(listen, served, number)
            for each in ready:
                await each.wait()
            for number in range(EVENTS):
                served.app.orch.bus.emit(SessionUpdated(session_id=str(number)))
                if number % 10 == 0:
                    await trio.lowlevel.checkpoint()
    assert all(each == list(range(1, EVENTS + 1)) for each in heard)


def ask(client: socket.socket, asked: bytes) -> bool:
    """Whether the answer, read whole, is a good one."""
    client.settimeout(20)
    client.sendall(asked)
    heard = b""
    while b"}" not in heard:
        heard += client.recv(65536) or b"}"
    return b" 200 " in heard


def test_without_descriptors_left_the_server_goes_on_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "served.vega.yaml"
    path.write_text("agents: {assistant: {system: s, model: scripted}}\n".replace("scripted", "demo"))

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    program = Path(__file__).with_name("program.py")
    server = subprocess.Popen(
        [sys.executable, str(program), str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=few
    )
    assert server.stdout is not None
    try:
        port = int(server.stdout.readline().decode().rsplit(":", 1)[1])
        asked = f"GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", port), 20) as first, ExitStack() as stack:
            assert ask(first, asked)
            for _ in range(100):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), 20))
            assert ask(first, asked), "who is served already goes on"
            stack.close()
            with socket.create_connection(("127.0.0.1", port), 20) as late:
                assert ask(late, asked)
    finally:
        server.terminate()
        assert server.wait(20) == 0
        server.stdout.close()

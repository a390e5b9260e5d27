"""What the server costs beside bare Starlette on uvicorn: requests, and events to many listeners.

    python tests/bench/serve.py [--quick] [--json FILE]

Each server runs in a process of its own, the two taking turns in every round; medians. Deliveries: a burst of events
to all subscribers, from its order to the last byte. Latency: single events, from the order to each subscriber. Memory:
what the server grows by, for one subscriber. All of it shares the machine's cores with the client that measures.
"""

from __future__ import annotations

import resource
import select
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

import attrs

sys.path.insert(0, str(Path(__file__).parent / "cases"))

import rows
from rounds import Rounds, by_turns
from rows import Row, Target, at_least

SERVER = Path(__file__).parent / "cases" / "serve_server.py"
BARE = "starlette"
TARGETS = {100: 300_000, 1000: 100_000}
MOST_WAIT_S = 60.0
WAVE = 250  # subscribers that come at once
CROWD = 10_000
SERVERS = {BARE: "bare", "ours": "ours"}
T = TypeVar("T")


@attrs.define
class Server:
    process: subprocess.Popen[str]
    port: int

    def emit(self, count: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()

    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()


@contextmanager
def serving(which: str) -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, str(SERVER), which], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        if not select.select([process.stdout], [], [], MOST_WAIT_S)[0]:
            raise TimeoutError(f"the server has not started within {MOST_WAIT_S:g} s")
        port = process.stdout.readline()
        if not port:
            raise RuntimeError(f"the server has ended with {process.wait()} before it had started")
        yield Server(process, int(port))
    finally:
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def requests_per_s(server: Server, count: int) -> float:
    """One after the other over one connection."""
    asked = f"GET /healthz HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode()
    with connect(server) as client:
        begun = time.perf_counter()
        for _ in range(count):
            client.sendall(asked)
            answer = received(client)
            while b"}" not in answer:
                answer += received(client)
        return count / (time.perf_counter() - begun)


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=MOST_WAIT_S)


def received(client: socket.socket) -> bytes:
    data = client.recv(1 << 20)
    if not data:
        raise RuntimeError("the server has closed a connection")
    return data


@attrs.define
class Crowd:
    """Subscribers that read what comes and count the frames."""

    clients: list[socket.socket]
    selector: selectors.BaseSelector

    def drain(self, frames: int, latencies: list[float] | None = None) -> float:
        """Reads until each has `frames` more; the time it took. `latencies` gets when each chunk came."""
        left = dict.fromkeys(self.clients, frames)
        begun = time.perf_counter()
        while left:
            ready = self.selector.select(MOST_WAIT_S)
            if not ready:
                raise RuntimeError(f"{len(left)} subscribers miss events after {MOST_WAIT_S:g} s")
            for key, _ in ready:
                client = key.fileobj
                assert isinstance(client, socket.socket)
                data = received(client)
                if client in left:
                    left[client] -= data.count(b"\nid: ")
                    if latencies is not None:
                        latencies.append(time.perf_counter() - begun)
                    if left[client] <= 0:
                        del left[client]
        return time.perf_counter() - begun


@contextmanager
def crowd(server: Server, size: int) -> Iterator[Crowd]:
    selector = selectors.DefaultSelector()
    clients: list[socket.socket] = []
    asked = f"GET /api/events HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode()
    try:
        for begun in range(0, size, WAVE):
            for _ in range(min(WAVE, size - begun)):
                clients.append(connect(server))
                clients[-1].sendall(asked)  # at once: a server does not wait for long for what a client wants
            for client in clients[begun:]:
                heard = b""
                while b": connected" not in heard:
                    heard += received(client)
                selector.register(client, selectors.EVENT_READ)
        yield Crowd(clients, selector)
    finally:
        for client in clients:
            client.close()
        selector.close()


def fan_out(which: str, size: int, burst: int, singles: int) -> dict[str, float]:
    with serving(which) as server:
        before = server.memory()
        with crowd(server, size) as listeners:
            grown = (server.memory() - before) / size
            server.emit(1)
            listeners.drain(1)
            server.emit(burst)
            took = listeners.drain(burst)
            latencies: list[float] = []
            for _ in range(singles):
                server.emit(1)
                listeners.drain(1, latencies)
    latencies.sort()
    return {
        "deliveries": size * burst / took,
        "p99": latencies[int(len(latencies) * 0.99)] * 1000,
        "memory": grown,
    }


def request_speed(which: str, count: int) -> float:
    with serving(which) as server:
        requests_per_s(server, 50)
        return requests_per_s(server, count)


def measure(sizes: list[int], rounds: int, quick: bool) -> Iterator[Row]:
    count = 500 if quick else 3000
    asked = by_turns({which: partial(request_speed, who, count) for which, who in SERVERS.items()}, rounds)
    yield row("requests, one after the other", "1/s", asked, float)
    for size in sizes:
        burst = max(20, 200_000 // size)
        heard = by_turns({which: partial(fan_out, who, size, burst, 5) for which, who in SERVERS.items()}, rounds)
        target = at_least(TARGETS[size]) if size in TARGETS else None
        yield row(f"{size:,} subscribers: deliveries", "1/s", heard, itemgetter("deliveries"), target)
        yield row(f"{size:,} subscribers: p99 of a delivery", "ms", heard, itemgetter("p99"))
        yield row(f"{size:,} subscribers: memory of each", "bytes", heard, itemgetter("memory"))


def row(case: str, unit: str, found: Rounds[T], figure: Callable[[T], float], target: Target | None = None) -> Row:
    ours, bare = found.median("ours", figure), found.median(BARE, figure)
    return Row(case, unit, ours, bare, BARE, target, failures=found.failures)


def main() -> None:
    options = rows.options(__doc__, "serve").parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sizes = [100, 1000] if options.quick else [100, 1000, CROWD]
    rows.publish(measure(sizes, 1 if options.quick else 3, options.quick), options.json)


if __name__ == "__main__":
    main()

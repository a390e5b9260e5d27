"""A dashboard whose connections break in the middle of an answer, in a real browser."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from browsing import FLAGS, WIDE, Dashboard, Server, chromium, dashboards
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.e2e


class Wire:
    """What lies between the browser and the server's port. Cut, it breaks what is open and takes nothing new."""

    def __init__(self, port: int) -> None:
        self._port, self._open, self._is_cut = port, list[socket.socket](), False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    def run(self) -> None:
        with suppress(OSError):  # closed: the test is over
            while True:
                self._join(self._listener.accept()[0])

    def _join(self, here: socket.socket) -> None:
        if self._is_cut:
            here.close()
            return
        there = socket.create_connection(("127.0.0.1", self._port))
        self._open += [here, there]
        for source, target in ((here, there), (there, here)):
            threading.Thread(target=_carry, args=[source, target], daemon=True).start()

    def cut(self) -> int:
        """Returns how many connections broke."""
        self._is_cut = True
        broken = [each for each in self._open if each.fileno() >= 0]
        for each in broken:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()
        return len(broken) // 2

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self._listener.close()
        self.cut()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def wire(server: Server) -> Iterator[Wire]:
    wire = Wire(int(server.url.rpartition(":")[2]))
    threading.Thread(target=wire.run, daemon=True).start()
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def browser(server: Server, wire: Wire) -> Iterator[Browser]:
    """One that finds the server at the end of the wire."""
    address = server.url.removeprefix("http://")
    yield from chromium([*FLAGS, f"--host-resolver-rules=MAP {address} 127.0.0.1:{wire.port}"])


@pytest.fixture
def dashboard(browser: Browser, server: Server) -> Iterator[Dashboard]:
    yield from dashboards(browser, server, WIDE, "light")


def words(text: str) -> list[str]:
    return [word for word in text.split() if word.isalpha()]


@contextmanager
def complaining(dashboard: Dashboard) -> Iterator[None]:
    """What the browser itself says of broken connections is no fault of the page."""
    yield
    complaints = dashboard.watch.complaints
    assert complaints, "no connection broke"
    complaints[:] = [each for each in complaints if "net::ERR_" not in each]


def test_an_answer_survives_a_lost_network_without_a_word_lost_or_twice(
    dashboard: Dashboard, server: Server, wire: Wire
) -> None:
    dashboard.open()
    with complaining(dashboard):
        dashboard.send("Search for the newest Trio release")
        expect(dashboard.answer.locator("[data-part=text]").first).to_be_visible()
        assert wire.cut() >= 2, "the answer's and the events'"
        expect(dashboard.page.locator("[role=status][data-status=reconnecting]").first).to_be_attached()
        expect(dashboard.answer).to_have_attribute("aria-busy", "true")
        wire.mend()
        dashboard.settle()
    [_, stored] = server.call("GET", "/api/agents/assistant/chat")
    shown = " ".join(dashboard.answer.locator("[data-part=text]").all_inner_texts())
    assert words(shown) == words(stored["content"])
    expect(dashboard.page.locator("[role=status][data-status=live]").first).to_be_attached()

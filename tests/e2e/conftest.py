"""The server and the browser of the dashboard's tests.

Every test fails if the page breaks its own content policy, throws, or asks another host for anything.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import FLAGS, PHONE, WIDE, Dashboard, Server, chromium, dashboards, serving, started
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from serving(tmp_path_factory.mktemp("serve"))


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """For tests that crash its processes: three restarts a minute are all that a supervisor grants."""
    yield from serving(tmp_path)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with something of everything."""
    home = tmp_path_factory.mktemp("shop")
    command = [sys.executable, str(Path(__file__).parent / "shop.py"), str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield Server(started(process))
        finally:
            process.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from chromium(FLAGS)


@pytest.fixture
def dashboard(browser: Browser, server: Server) -> Iterator[Dashboard]:
    yield from dashboards(browser, server, WIDE, "light")


@pytest.fixture
def shopping(browser: Browser, shop: Server) -> Iterator[Dashboard]:
    yield from dashboards(browser, shop, WIDE, "light")


@pytest.fixture(params=[(WIDE, "light"), (PHONE, "dark")], ids=["1280-light", "390-dark"])
def each_size(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Dashboard]:
    yield from dashboards(browser, server, *request.param)


@pytest.fixture(params=[(WIDE, "light"), (PHONE, "dark")], ids=["1280-light", "390-dark"])
def each_fresh(request: pytest.FixtureRequest, browser: Browser, fresh_server: Server) -> Iterator[Dashboard]:
    yield from dashboards(browser, fresh_server, *request.param)


@pytest.fixture
def fresh_phone(browser: Browser, fresh_server: Server) -> Iterator[Dashboard]:
    yield from dashboards(browser, fresh_server, PHONE, "dark")


@pytest.fixture(params=[(size, scheme) for size in (WIDE, PHONE) for scheme in ("light", "dark")])
def each_look(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Dashboard]:
    yield from dashboards(browser, server, *request.param)

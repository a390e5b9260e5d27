"""A real `vega serve --demo`, a real Chromium, and the words for what people do with the dashboard."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect, sync_playwright

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 30
WAIT_MS = 20_000
WIDE = (1280, 800)
PHONE = (390, 844)

PARTS = """
(log) => [...log.querySelectorAll('article')].map((article) => {
  const parts = [...article.querySelectorAll('[data-part]')];
  if (parts.length === 0) return article.innerText;
  return parts.map((part) => [part.dataset.part, part.dataset.state ?? '', part.dataset.part === 'tool'
    ? part.getAttribute('aria-label') : part.innerText]);
})
"""
AXE = "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }).then((found) => found.violations)"


@attrs.frozen
class Server:
    url: str

    def call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=START_S) as answer:
            return json.loads(answer.read())

    def begin(self, agent: str, message: str) -> None:
        """Asks, and goes away when the turn has begun: it goes on."""
        request = urllib.request.Request(
            f"{self.url}/api/agents/{agent}/chat/stream?v=2",
            json.dumps({"message": message}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=START_S) as answer:
            answer.readline()


def serving(home: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "vega_trio", "serve", "--demo", "--addr", ":0", "--db", str(home / "test.db")]
    env = {**os.environ, "VEGA_HOME": str(home / "home")}
    with subprocess.Popen(
        command, cwd=home, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield Server(started(process))
        finally:
            process.terminate()
            _drain(process)


def started(process: subprocess.Popen[str]) -> str:
    """The address that a server prints once it serves."""
    assert process.stdout is not None
    said = []
    guard = threading.Timer(START_S, process.kill)
    guard.start()
    try:
        for line in process.stdout:
            said.append(line)
            _, marked, address = line.partition("Dashboard: ")
            if marked:
                threading.Thread(target=process.stdout.read, daemon=True).start()
                return address.strip()
    finally:
        guard.cancel()
    pytest.fail("the server did not start:\n" + "".join(said))


def chromium(flags: list[str]) -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


def _drain(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail("the server did not stop within 15 s of SIGTERM")


@attrs.define(slots=False)  # Playwright notes on the object which of its methods it has wrapped
class Watch:
    """What a page must not do. `requests` are those to another host."""

    home: str
    complaints: list[str] = attrs.field(factory=list)
    requests: list[str] = attrs.field(factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def on_request(self, request: Request) -> None:
        if not request.url.startswith(f"{self.home}/"):
            self.requests.append(request.url)


@attrs.frozen
class Dashboard:
    """The page, and the words for what people do with it."""

    page: Page
    watch: Watch

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def answer(self) -> Locator:
        """The newest answer."""
        return self.log.locator("article[data-status]").last

    def open(self, path: str = "/") -> None:
        self.page.goto(self.watch.home + path)

    def open_live(self, path: str) -> None:
        """Opens a page and waits until it hears the server's events."""
        self.open(path)
        expect(self.page.locator("[role=status][data-status=live]").first).to_be_attached()

    def send(self, text: str) -> None:
        field = self.page.get_by_role("textbox", name="Message to")
        field.fill(text)
        field.press("Enter")

    def ask(self, text: str) -> None:
        self.send(text)
        self.settle()

    def settle(self) -> None:
        expect(self.page.get_by_role("button", name="Send", exact=True)).to_be_visible(timeout=WAIT_MS)
        expect(self.answer).to_have_attribute("aria-busy", "false")

    def parts(self) -> Any:
        return self.log.evaluate(PARTS)

    def overflow(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def dashboards(browser: Browser, server: Server, size: tuple[int, int], scheme: str) -> Iterator[Dashboard]:
    server.call("DELETE", "/api/agents/assistant/chat")
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)  # else five seconds, which an answer may take on a busy machine
    watch = Watch(server.url)
    page.on("console", watch.on_console)
    page.on("pageerror", lambda error: watch.complaints.append(str(error)))
    page.on("request", watch.on_request)
    yield Dashboard(page, watch)
    context.close()
    assert watch.complaints == [], watch.complaints
    assert watch.requests == [], watch.requests


def check_accessibility(page: Page) -> None:
    """Fails with the elements that break a rule of WCAG 2.1 A or AA."""
    assert broken_rules(page) == [], page.url


def broken_rules(page: Page) -> list[str]:
    """What breaks a rule of WCAG 2.1 A or AA: the rule and its elements."""
    axe = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.skip(f"{axe} is missing; run: python hatch_build.py lint")
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe.read_text())
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in page.evaluate(AXE)]

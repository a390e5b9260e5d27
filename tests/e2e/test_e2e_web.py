"""The dashboard in a real Chromium, served by a real `vega serve --demo`.

Every test fails if the page breaks its own content policy, throws, or asks another host for anything.
"""

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

pytestmark = pytest.mark.e2e

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

RECORD_LENGTHS = """
() => {
  window.lengths = [];
  new MutationObserver(() => {
    const text = [...document.querySelectorAll('[role=log] [data-part=text]')].map((each) => each.innerText).join('');
    if (text.length !== window.lengths.at(-1)) window.lengths.push(text.length);
  }).observe(document.querySelector('[role=log]'), { subtree: true, childList: true, characterData: true });
}
"""
PARTS = """
(log) => [...log.querySelectorAll('article')].map((article) => {
  const parts = [...article.querySelectorAll('[data-part]')];
  if (parts.length === 0) return article.innerText;
  return parts.map((part) => [part.dataset.part, part.dataset.state ?? '', part.dataset.part === 'tool'
    ? part.getAttribute('aria-label') : part.innerText]);
})
"""
AXE = "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }).then((found) => found.violations)"


# -- a server, a browser, a page that is watched


@attrs.frozen
class Server:
    url: str

    def call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=START_S) as answer:
            return json.loads(answer.read())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _serve(tmp_path_factory.mktemp("serve"))


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """For tests that crash its processes: three restarts a minute are all that a supervisor grants."""
    yield from _serve(tmp_path)


def _serve(home: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "vega_trio", "serve", "--demo", "--addr", ":0", "--db", str(home / "test.db")]
    env = {**os.environ, "VEGA_HOME": str(home / "home")}
    with subprocess.Popen(
        command, cwd=home, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield Server(_dashboard(process))
        finally:
            process.terminate()
            _drain(process)


def _dashboard(process: subprocess.Popen[str]) -> str:
    """The address that the server prints."""
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


def _drain(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail("the server did not stop within 15 s of SIGTERM")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium")
        pytest.skip(f"{CHROMIUM} is missing")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


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

    def send(self, text: str) -> None:
        field = self.page.get_by_role("textbox", name="Message to")
        field.fill(text)
        field.press("Enter")

    def ask(self, text: str) -> None:
        self.send(text)
        self.settle()

    def settle(self) -> None:
        expect(self.page.get_by_role("button", name="Send")).to_be_visible(timeout=WAIT_MS)
        expect(self.answer).to_have_attribute("aria-busy", "false")

    def parts(self) -> Any:
        return self.log.evaluate(PARTS)

    def overflow(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def _dashboards(browser: Browser, server: Server, size: tuple[int, int], scheme: str) -> Iterator[Dashboard]:
    server.call("DELETE", "/api/agents/assistant/chat")
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    watch = Watch(server.url)
    page.on("console", watch.on_console)
    page.on("pageerror", lambda error: watch.complaints.append(str(error)))
    page.on("request", watch.on_request)
    yield Dashboard(page, watch)
    context.close()
    assert watch.complaints == []
    assert watch.requests == []


@pytest.fixture
def dashboard(browser: Browser, server: Server) -> Iterator[Dashboard]:
    yield from _dashboards(browser, server, WIDE, "light")


@pytest.fixture(params=[(WIDE, "light"), (PHONE, "dark")], ids=["1280-light", "390-dark"])
def each_size(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Dashboard]:
    yield from _dashboards(browser, server, *request.param)


@pytest.fixture(params=[(WIDE, "light"), (PHONE, "dark")], ids=["1280-light", "390-dark"])
def each_fresh(request: pytest.FixtureRequest, browser: Browser, fresh_server: Server) -> Iterator[Dashboard]:
    yield from _dashboards(browser, fresh_server, *request.param)


@pytest.fixture(params=[(size, scheme) for size in (WIDE, PHONE) for scheme in ("light", "dark")])
def each_look(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Dashboard]:
    yield from _dashboards(browser, server, *request.param)


# -- chat


def test_text_streams_in_and_a_tool_call_unfolds_by_keyboard(each_size: Dashboard) -> None:
    page = each_size.page
    each_size.open()
    expect(page.get_by_role("heading", name="Talk to assistant")).to_be_visible()
    page.evaluate(RECORD_LENGTHS)
    each_size.ask("Search for the newest Trio release")

    lengths = page.evaluate("window.lengths")
    assert len(lengths) >= 5, "the text came in pieces"
    assert lengths == sorted(lengths)

    head = each_size.answer.get_by_role("button", name="web_search")
    expect(head).to_contain_text("done")
    head.focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-expanded", "true")
    expect(each_size.answer.get_by_label("Arguments", exact=True)).to_contain_text('"query"')
    expect(each_size.answer.get_by_label("Result", exact=True)).to_contain_text("Found 3 results")
    assert each_size.overflow() <= 0


def test_a_reload_shows_the_same_transcript(dashboard: Dashboard) -> None:
    dashboard.open()
    dashboard.ask("Search for the newest Trio release")
    dashboard.ask("review <b>this</b>")
    seen = dashboard.parts()
    assert [kind for kind, _, _ in seen[1]] == ["text", "tool", "text"]
    dashboard.page.reload()
    expect(dashboard.log.locator("article")).to_have_count(4)
    assert dashboard.parts() == seen


def test_a_crash_leaves_a_divider_and_the_same_answer_is_completed(each_fresh: Dashboard) -> None:
    each_fresh.open()
    each_fresh.page.get_by_role("button", name="Crash and recover").click()
    expect(each_fresh.answer.get_by_text("restarted (1/3), context restored")).to_be_visible(timeout=WAIT_MS)
    each_fresh.settle()
    expect(each_fresh.answer).to_have_attribute("data-status", "done")
    expect(each_fresh.answer).to_contain_text("nothing you said was lost")
    expect(each_fresh.log.locator("article[data-status]")).to_have_count(1)
    assert each_fresh.overflow() <= 0


def test_script_in_question_and_answer_stays_inert(dashboard: Dashboard) -> None:
    hostile = "<script>hacked=1</script> <img src=x onerror=hacked=1> [a](javascript:hacked=1) ![b](https://e.test/b.png)"
    dashboard.open()
    dashboard.ask(f"review {hostile}")
    expect(dashboard.answer).to_contain_text("<script>hacked=1</script> <img src=x onerror=hacked=1> a b")
    assert dashboard.log.locator("script, img, iframe, a[href^='javascript' i]").count() == 0
    assert dashboard.page.evaluate("window.hacked") is None


def test_stop_keeps_what_was_said(dashboard: Dashboard) -> None:
    dashboard.open()
    dashboard.send("slow please")
    expect(dashboard.answer).to_contain_text("You asked for it", timeout=WAIT_MS)
    dashboard.page.get_by_role("button", name="Stop", exact=True).click()
    dashboard.settle()
    expect(dashboard.answer).to_have_attribute("data-status", "cancelled")
    kept = dashboard.answer.locator("[data-part=text]").inner_text()
    assert "You asked for it" in kept
    dashboard.page.reload()
    expect(dashboard.answer.locator("[data-part=text]")).to_have_text(kept, use_inner_text=True)


def test_a_reload_in_the_middle_of_an_answer_finds_it_again(dashboard: Dashboard) -> None:
    dashboard.open()
    dashboard.send("slow please")
    expect(dashboard.answer).to_contain_text("You asked for it", timeout=WAIT_MS)
    dashboard.page.reload()
    expect(dashboard.log).to_contain_text("An answer is being written")
    dashboard.page.get_by_role("button", name="Stop", exact=True).click()
    expect(dashboard.answer).to_contain_text("You asked for it")
    expect(dashboard.log).not_to_contain_text("An answer is being written")


def test_escape_stops_too(dashboard: Dashboard) -> None:
    dashboard.open()
    dashboard.send("slow please")
    expect(dashboard.answer).to_contain_text("You asked for it", timeout=WAIT_MS)
    dashboard.page.keyboard.press("Escape")
    dashboard.settle()
    expect(dashboard.answer).to_have_attribute("data-status", "cancelled")


def test_a_failed_turn_says_why_and_the_next_one_works(dashboard: Dashboard) -> None:
    dashboard.open()
    dashboard.ask("fail")
    expect(dashboard.answer.get_by_role("alert")).to_contain_text("asked to fail")
    dashboard.ask("yes or no?")
    expect(dashboard.answer).to_have_attribute("data-status", "done")


def test_clear_asks_first_and_then_forgets(dashboard: Dashboard, server: Server) -> None:
    dashboard.open()
    dashboard.ask("yes or no?")
    dashboard.page.get_by_role("button", name="Clear the conversation").click()
    dashboard.page.get_by_role("button", name="Keep").click()
    expect(dashboard.log.locator("article")).to_have_count(2)
    dashboard.page.get_by_role("button", name="Clear the conversation").click()
    dashboard.page.get_by_role("button", name="Delete").click()
    expect(dashboard.page.get_by_role("heading", name="Talk to assistant")).to_be_visible()
    assert server.call("GET", "/api/agents/assistant/chat") == []


def test_an_answer_streams_on_while_another_page_is_shown(dashboard: Dashboard) -> None:
    dashboard.open()
    dashboard.send("Search for the newest Trio release")
    dashboard.page.get_by_role("link", name="Overview", exact=True).click()
    expect(dashboard.page.get_by_role("heading", name="Overview")).to_be_visible()
    dashboard.page.get_by_role("link", name="Chat", exact=True).click()
    dashboard.settle()
    expect(dashboard.answer).to_contain_text("Based on the results")


def test_a_second_tab_shows_what_the_first_one_asked(dashboard: Dashboard, server: Server) -> None:
    dashboard.open()
    expect(dashboard.page.get_by_role("status").get_by_text("Live")).to_be_visible()
    server.call("POST", "/api/agents/assistant/chat", {"message": "review this from elsewhere"})
    expect(dashboard.log).to_contain_text("review this from elsewhere")
    expect(dashboard.answer).to_contain_text("Verdict")


# -- overview, looks, policy


def test_the_overview_follows_what_happens(each_fresh: Dashboard, fresh_server: Server) -> None:
    page = each_fresh.page
    each_fresh.open("/overview")
    expect(page.get_by_role("heading", name="Processes")).to_be_visible()
    page.wait_for_function("document.querySelector('[role=status]')?.dataset.status === 'live'")
    fresh_server.call("POST", "/api/agents/assistant/chat", {"message": "crash"})
    feed = page.get_by_role("list").filter(has_text="process.restarted")
    expect(feed).to_contain_text("process.restarting")
    expect(page.get_by_role("row").filter(has_text="assistant").first).to_contain_text("incarnation #")
    assert each_fresh.overflow() <= 0


def test_the_colours_follow_the_system_until_they_are_chosen(dashboard: Dashboard) -> None:
    page = dashboard.page
    root = page.locator("html")
    dashboard.open()
    expect(root).to_have_attribute("data-mantine-color-scheme", "light")
    page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
    page.get_by_role("button", name="Change to light").click()
    expect(root).to_have_attribute("data-mantine-color-scheme", "light")
    page.reload()
    expect(root).to_have_attribute("data-mantine-color-scheme", "light")


def test_no_page_breaks_an_accessibility_rule(each_look: Dashboard) -> None:
    axe = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        if os.environ.get("CI"):
            pytest.fail(f"{axe} is missing; run: python hatch_build.py lint")
        pytest.skip("axe-core is not installed")
    page = each_look.page

    def check() -> None:
        page.evaluate(axe.read_text())
        found = page.evaluate(AXE)
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []

    each_look.open()
    expect(page.get_by_role("heading", name="Talk to assistant")).to_be_visible()
    check()
    each_look.ask("Search for the newest Trio release")
    each_look.answer.get_by_role("button", name="web_search").click()
    check()
    each_look.ask("fail")
    check()
    each_look.open("/overview")
    expect(page.get_by_role("row").filter(has_text="assistant").first).to_be_visible()
    check()


def test_each_page_gets_a_nonce_of_its_own(dashboard: Dashboard, server: Server) -> None:
    nonces = []
    for _ in range(2):
        dashboard.open()
        nonces.append(dashboard.page.locator("meta[name=csp-nonce]").get_attribute("content"))
    assert nonces[0] != nonces[1]
    assert "__CSP_NONCE__" not in nonces


def test_the_watch_sees_what_it_is_there_for(dashboard: Dashboard) -> None:
    dashboard.open()
    dashboard.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    dashboard.page.evaluate("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.2:9/x.png' }))")
    dashboard.page.wait_for_timeout(200)
    assert any("style" in complaint for complaint in dashboard.watch.complaints)
    assert any("127.0.0.2" in complaint for complaint in dashboard.watch.complaints)
    dashboard.watch.complaints.clear()
    dashboard.watch.requests.clear()

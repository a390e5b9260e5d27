"""What the dashboard promises about speed, lost networks, blast radius and hostile names, in a real browser."""

from __future__ import annotations

import re
import statistics

import pytest
from browsing import WAIT_MS, WIDE, Dashboard, Server, check_accessibility, dashboards
from playwright.sync_api import Browser, Locator, Page, expect
from shop import HOSTILE

pytestmark = pytest.mark.e2e

READY_MS, FIRST_DELTA_MS, IDLE_MS, TOLD_MS, DELTA_MS = 2000, 300, 500, 1000, 6
TIMES = 5
"""Each time that is promised is taken so often within one page, and the middle one counts."""
CLOCK = """
() => {
  window.took = [];
  let began = null;
  const begin = (event) => {
    const stops = event.type === 'click' && event.target.closest('[aria-label=Stop]');
    if (stops || event.key === 'Enter') began = { at: performance.now(), stops, answers: answers().length };
  };
  const answers = () => [...document.querySelectorAll('[role=log] article[data-status]')];
  const over = () => (began.stops ? answers().at(-1)?.ariaBusy === 'false' : answers().length > began.answers
    && answers().at(-1).querySelector('[data-part=text]')?.textContent);
  addEventListener('keydown', begin, true);
  addEventListener('click', begin, true);
  new MutationObserver(() => {
    if (!began || !over()) return;
    window.took.push(performance.now() - began.at);
    began = null;
  }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
}
"""
"""Notes how long after Enter the first word comes, and how long after Stop the answer has ended."""
KILL = """
async (id) => {
  const began = performance.now();
  const row = [...document.querySelectorAll('[role=row]')].find((each) => each.querySelector(`a[href$="${id}"]`));
  await fetch(`/api/processes/${id}`, { method: 'DELETE' });
  // Of a function's process only the log remains.
  while (row.isConnected && !row.textContent.includes('failed') && performance.now() - began < 10_000)
    await new Promise(requestAnimationFrame);
  return performance.now() - began;
}
"""


def named(server: Server, name: str) -> str:
    [found] = [each["id"] for each in server.call("GET", "/api/processes") if each.get("name") == name]
    return str(found)


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Moves the focus there as somebody without a mouse does."""
    for _ in range(80):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {target}")


# -- speed


def test_a_cold_chat_is_ready_within_two_seconds(browser: Browser, server: Server) -> None:
    times = []
    for _ in range(3):
        for cold in dashboards(browser, server, WIDE, "light"):  # a context of its own: nothing is cached
            cold.open()
            expect(cold.page.get_by_role("textbox", name="Message to")).to_be_editable()
            times.append(cold.page.evaluate("performance.now()"))
    assert statistics.median(times) <= READY_MS


def test_the_first_word_comes_within_300_ms_of_sending(dashboard: Dashboard) -> None:
    dashboard.open()
    dashboard.page.evaluate(CLOCK)
    for _ in range(TIMES):
        dashboard.ask("yes or no?")
    took = dashboard.page.evaluate("window.took")
    assert len(took) == TIMES
    assert statistics.median(took) <= FIRST_DELTA_MS, took


def test_stop_leaves_nothing_running_within_half_a_second(dashboard: Dashboard, server: Server) -> None:
    page, took = dashboard.page, []
    dashboard.open()
    page.evaluate(CLOCK)
    for number in range(1, TIMES + 1):
        dashboard.send("slow please")
        expect(dashboard.log.locator("article[data-status]")).to_have_count(number)
        expect(dashboard.answer).to_contain_text("You asked for it")
        page.evaluate("window.took = []")
        page.get_by_role("button", name="Stop", exact=True).click()
        dashboard.settle()
        expect(dashboard.answer).to_have_attribute("data-status", "cancelled")
        took += page.evaluate("window.took")
        assert server.call("GET", "/api/agents/assistant/chat/status")["streaming"] is False
    assert len(took) == TIMES
    assert statistics.median(took) <= IDLE_MS, took


def test_a_process_that_fails_elsewhere_is_seen_within_a_second(shopping: Dashboard, shop: Server) -> None:
    shopping.open_live("/processes")
    expect(shopping.page.get_by_role("row").filter(has_text="idler")).to_have_count(TIMES)
    took = [shopping.page.evaluate(KILL, named(shop, f"idler{number}")) for number in range(TIMES)]
    assert statistics.median(took) <= TOLD_MS, took


def test_a_delta_at_the_end_of_27_000_characters_takes_6_ms(shopping: Dashboard) -> None:
    """In time of the page's own thread, the best of some: others who use the processor's caches only lengthen it."""
    shopping.open()
    meter = shopping.page.context.new_cdp_session(shopping.page)
    meter.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy_ms() -> float:
        metrics = {each["name"]: each["value"] for each in meter.send("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"]) * 1000

    def heard() -> int:
        return len(re.findall(r"word\d+ |more ", str(shopping.answer.evaluate("(answer) => answer.textContent"))))

    shopping.send("a long text, please")
    expect(shopping.answer).to_contain_text("word1 ")
    costs = []
    for _ in range(TIMES):
        before, begun = heard(), busy_ms()
        shopping.page.wait_for_timeout(300)  # an assertion would have the page work for it, too
        took = busy_ms() - begun
        costs.append(took / (heard() - before))
    assert min(costs) <= DELTA_MS, costs
    shopping.settle()


# -- networks


def test_a_reload_and_a_second_tab_in_the_middle_of_an_answer_show_it_whole(
    dashboard: Dashboard, server: Server
) -> None:
    page = dashboard.page
    dashboard.open()
    dashboard.send("Review this: def add(a, b): return a + b")
    expect(dashboard.answer.locator("[data-part=text]")).to_be_visible()
    other = Dashboard(page.context.new_page(), dashboard.watch)
    other.open()
    expect(other.answer).to_have_attribute("aria-busy", "true")
    page.reload()
    dashboard.settle()
    other.settle()
    assert dashboard.parts() == other.parts()
    shown = dashboard.parts()
    page.reload()  # now all of it comes from what is stored
    expect(dashboard.answer).to_have_attribute("aria-busy", "false")
    assert dashboard.parts() == shown
    [_, stored] = server.call("GET", "/api/agents/assistant/chat")
    assert "Verdict: APPROVED" in stored["content"]
    assert "Verdict: APPROVED" in shown[1][0][2]


def test_a_tab_holds_one_event_connection_whatever_page_it_shows(dashboard: Dashboard) -> None:
    streams: list[str] = []
    dashboard.page.on("request", lambda each: streams.append(each.url) if "/api/events" in each.url else None)
    dashboard.open_live("/overview")
    for title in ("Processes", "Events", "Costs", "Chat"):
        dashboard.page.get_by_role("link", name=title, exact=True).click()
        expect(dashboard.page.get_by_role("link", name=title, exact=True)).to_have_attribute("aria-current", "page")
    assert len([url for url in streams if url.endswith("/api/events")]) == 1


# -- blast radius


def test_a_restart_and_a_kill_name_exactly_those_that_they_touch(shopping: Dashboard, shop: Server) -> None:
    page = shopping.page
    guest = named(shop, "guest")
    shopping.open(f"/processes/{named(shop, 'cache')}")
    page.get_by_role("button", name="Restart").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-group=restarts] li")).to_have_text([re.compile("^cache "), re.compile("^web ")])
    expect(dialog.locator("[data-group=dies] li")).to_have_text([re.compile("^guest ")])
    expect(dialog.locator("[data-group=notified] li")).to_have_text([re.compile("^watcher ")])
    check_accessibility(page)
    dialog.get_by_role("button", name="Leave it").click()

    shopping.open_live(f"/processes/{named(shop, 'web')}")
    expect(page.locator("main")).to_contain_text("guest")
    page.get_by_role("button", name="Kill").click()
    expect(dialog.locator("[data-group=dies] li")).to_have_text([re.compile("^web "), re.compile("^guest ")])
    expect(dialog.locator("[data-group=notified] li")).to_have_text([re.compile("^watcher ")])
    dialog.get_by_role("button", name="Kill").click()
    expect(page.locator("main")).to_contain_text("killed")
    shopping.open(f"/processes/{guest}")
    expect(page.locator("main")).to_contain_text("failed")


# -- for everybody


def test_nothing_moves_for_those_who_asked_for_stillness(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.emulate_media(reduced_motion="reduce")
    dashboard.open()
    dashboard.send("slow please")
    expect(dashboard.answer).to_have_attribute("aria-busy", "true")
    moving = page.evaluate(
        "document.getAnimations().filter((each) => each.effect.getComputedTiming().activeDuration > 100).length"
    )
    assert moving == 0
    page.keyboard.press("Escape")
    dashboard.settle()


def test_hostile_names_and_titles_stay_text_on_every_page(dashboard: Dashboard, server: Server) -> None:
    page = dashboard.page
    name, address = "<b onclick=hacked=1>", "/api/agents/%3Cb%20onclick=hacked=1%3E"
    session = server.call("POST", "/api/sessions", {"agent": "assistant", "title": HOSTILE})
    server.call("POST", "/api/agents", {"name": name, "system": HOSTILE, "description": HOSTILE})
    try:
        server.call("POST", f"{address}/chat", {"message": HOSTILE})
        run = server.call("POST", "/api/workflows/ask/run", {"inputs": {"message": HOSTILE}, "wait": 20})
        dashboard.open()
        page.get_by_role("button", name="Conversations").click()
        expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
        named = dict.fromkeys(("/agents", "/overview", "/processes", "/tree", "/events", "/costs"), name)
        for path, shown in {**named, f"/workflows/ask/{run['run_id']}": HOSTILE}.items():
            dashboard.open(path)
            expect(page.locator("main")).to_contain_text(shown)
            assert page.locator("main script, main img, main b[onclick]").count() == 0
            assert page.evaluate("window.hacked") is None
    finally:
        server.call("DELETE", f"/api/sessions/{session['id']}")
        server.call("DELETE", address)


def test_a_hostile_result_of_a_tool_stays_text(shopping: Dashboard) -> None:
    shopping.open()
    shopping.ask("Use hostile")
    shopping.answer.get_by_role("button", name="hostile").click()
    expect(shopping.answer.get_by_label("Result", exact=True)).to_contain_text(HOSTILE)
    assert shopping.log.locator("script, img, a[href^='javascript' i]").count() == 0
    assert shopping.page.evaluate("window.hacked") is None


def test_a_call_to_approve_comes_to_its_page_and_leaves_it_without_a_reload(shopping: Dashboard, shop: Server) -> None:
    page = shopping.page
    shopping.open_live("/approvals")
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
    shop.begin("assistant", "approve")
    expect(page.get_by_role("article", name="publish_note for assistant")).to_be_visible()
    [waiting] = shop.call("GET", "/api/approvals?status=pending")
    shop.call("POST", f"/api/approvals/{waiting['id']}", {"decision": "approve"})
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="publish_note")).to_contain_text("approved")


def test_a_conversation_and_a_kill_need_no_mouse(shopping: Dashboard, shop: Server) -> None:
    page = shopping.page
    shopping.open()
    expect(page.get_by_role("textbox", name="Message to")).to_be_focused()
    page.keyboard.type("Search for Trio")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Message to")).to_be_focused()
    shopping.settle()
    head = shopping.answer.get_by_role("button", name="web_search")
    tab_to(page, head, "Shift+Tab")
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-expanded", "true")
    tab_to(page, page.get_by_role("textbox", name="Message to"))
    page.keyboard.type("approve")
    page.keyboard.press("Enter")
    approve = shopping.answer.get_by_role("button", name="Approve")
    expect(approve).to_be_visible()
    tab_to(page, approve, "Shift+Tab")
    page.keyboard.press("Space")
    shopping.settle()

    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to")).to_be_focused()
    page.keyboard.type("database")
    expect(page.get_by_role("option", name="database")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="database")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Kill"))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("End for good")
    tab_to(page, dialog.get_by_role("button", name="Kill"))
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("main")).to_contain_text("killed")


def test_a_question_is_put_in_other_words_and_an_answer_asked_for_again(dashboard: Dashboard, server: Server) -> None:
    page = dashboard.page
    dashboard.open()
    dashboard.ask("Write a binary search function")
    put_away = server.call("POST", "/api/sessions", {"agent": "assistant"})
    server.call("PATCH", f"/api/sessions/{put_away['id']}", {"archived": True})  # first in the list, and not meant
    page.get_by_role("button", name="Ask again").click()
    expect(dashboard.answer).to_have_attribute("aria-busy", "true")
    expect(dashboard.log.locator("article")).to_have_count(2)
    dashboard.settle()
    page.get_by_role("button", name="Edit the question").click()
    page.get_by_role("textbox", name="Question").fill("Search for the newest Trio release")
    page.get_by_role("button", name="Ask this").click()
    expect(dashboard.answer).to_contain_text("Based on the results", timeout=WAIT_MS)
    dashboard.settle()
    expect(dashboard.log.locator("article")).to_have_count(2)
    expect(dashboard.log).not_to_contain_text("binary search")
    check_accessibility(page)

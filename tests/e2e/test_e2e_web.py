"""The chat and the looks of the dashboard, in a real browser."""

from __future__ import annotations

import re

import pytest
from browsing import WAIT_MS, Dashboard, Server, check_accessibility
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

RECORD_LENGTHS = """
() => {
  window.lengths = [];
  new MutationObserver(() => {
    const text = [...document.querySelectorAll('[role=log] [data-part=text]')].map((each) => each.innerText).join('');
    if (text.length !== window.lengths.at(-1)) window.lengths.push(text.length);
  }).observe(document.querySelector('[role=log]'), { subtree: true, childList: true, characterData: true });
}
"""


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
    hostile = (
        "<script>hacked=1</script> <img src=x onerror=hacked=1> [a](javascript:hacked=1) ![b](https://e.test/b.png)"
    )
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
    expect(dashboard.answer).to_have_attribute("aria-busy", "true")
    expect(dashboard.answer).to_contain_text("You asked for it")
    expect(dashboard.log.locator("article")).to_have_count(2)
    grown = len(dashboard.answer.inner_text())
    expect(dashboard.answer).to_contain_text(re.compile(rf"[\s\S]{{{grown + 20},}}"))
    dashboard.page.get_by_role("button", name="Stop", exact=True).click()
    expect(dashboard.answer).to_have_attribute("data-status", "cancelled")


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
    each_fresh.open_live("/overview")
    expect(page.get_by_role("heading", name="Processes")).to_be_visible()
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
    page = each_look.page

    each_look.open()
    expect(page.get_by_role("heading", name="Talk to assistant")).to_be_visible()
    check_accessibility(page)
    each_look.ask("Search for the newest Trio release")
    each_look.answer.get_by_role("button", name="web_search").click()
    check_accessibility(page)
    each_look.ask("fail")
    check_accessibility(page)
    each_look.open("/overview")
    expect(page.get_by_role("row").filter(has_text="assistant").first).to_be_visible()
    check_accessibility(page)


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

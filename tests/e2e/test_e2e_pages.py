"""The dashboard's other pages, in a real browser."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from browsing import WAIT_MS, Dashboard, Server, check_accessibility
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

PAGES = {
    "/processes": "assistant",
    "/tree": "assistant",
    "/events": "Load older",
    "/agents": "assistant",
    "/agents/assistant": "web_search",
    "/mcp": "Add server",
    "/workflows": "ask",
    "/workflows/ask": "message",
    "/costs": "Spent on failed turns",
    "/approvals": "Nothing waits for you",
    "/schedules": "Nothing is scheduled",
    "/files": "Sandbox",
    "/settings": "No value is set",
}
"""Each page's address, and something to be read on it."""


def say(server: Server, message: str) -> None:
    server.call("POST", "/api/agents/assistant/chat", {"message": message})


def living(server: Server) -> str:
    """The id of the newest process that runs."""
    processes = server.call("GET", "/api/processes?status=running&agent=assistant")
    return str(processes[0]["id"])


def test_each_page_is_readable_for_everybody(each_size: Dashboard, server: Server) -> None:
    say(server, "yes or no?")
    for path, word in PAGES.items():
        each_size.open(path)
        expect(each_size.page.get_by_role("heading", level=1)).to_be_visible()
        expect(each_size.page.locator("main")).to_contain_text(word)
        check_accessibility(each_size.page)
        assert each_size.overflow() <= 0


# -- processes


def test_a_process_is_found_looked_into_and_killed_knowing_whom_it_touches(
    dashboard: Dashboard, server: Server
) -> None:
    say(server, "yes or no?")
    process, page = living(server), dashboard.page
    dashboard.open("/processes")
    page.get_by_role("searchbox").fill(process)
    found = page.get_by_role("table", name="Processes").get_by_role("row").filter(has_text="assistant")
    expect(found).to_have_count(1)
    found.get_by_role("link").click()
    expect(page.get_by_role("list", name="Lives of this process")).to_contain_text("alive")
    expect(page.locator("main")).to_contain_text("yes or no?")
    check_accessibility(page)

    page.get_by_role("button", name="Kill").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("End for good (1)")
    expect(dialog).to_contain_text(process)
    check_accessibility(page)
    dialog.get_by_role("button", name="Kill").click()
    expect(page.locator("main")).to_contain_text("killed")
    assert server.call("GET", f"/api/processes/{process}")["status"] == "failed"


def test_a_restart_gives_the_process_another_life(each_fresh: Dashboard, fresh_server: Server) -> None:
    say(fresh_server, "yes or no?")
    page = each_fresh.page
    each_fresh.open(f"/processes/{living(fresh_server)}")
    page.get_by_role("button", name="Restart").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Are restarted (1)")
    dialog.get_by_role("button", name="Restart").click()
    lives = page.get_by_role("list", name="Lives of this process").get_by_role("listitem")
    expect(lives).to_have_count(2, timeout=WAIT_MS)
    expect(lives.last).to_contain_text("#2")


def test_the_table_sorts_by_a_column(dashboard: Dashboard, server: Server) -> None:
    say(server, "yes or no?")
    dashboard.open("/processes")
    header = dashboard.page.get_by_role("columnheader", name="Tokens")
    for direction in ("descending", "ascending", "none"):
        header.get_by_role("button").click()
        expect(header).to_have_attribute("aria-sort", direction)


# -- tree


def test_the_tree_folds_by_keyboard_and_is_drawn_as_a_graph(dashboard: Dashboard, server: Server) -> None:
    say(server, "yes or no?")
    page = dashboard.page
    dashboard.open("/tree")
    page.get_by_role("button", name="Supervised").click()
    tree = page.get_by_role("treegrid", name="Supervision tree")
    root = tree.get_by_role("row").nth(1)
    expect(root).to_have_attribute("aria-expanded", "true")
    rows = tree.get_by_role("row").count()
    root.focus()
    page.keyboard.press("ArrowLeft")
    expect(root).to_have_attribute("aria-expanded", "false")
    assert tree.get_by_role("row").count() < rows
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(tree.get_by_role("row").nth(2)).to_be_focused()
    expect(tree).to_contain_text("assistant")
    expect(tree.get_by_role("meter", name="Restarts used by assistant").first).to_be_visible()

    page.get_by_role("button", name="Graph").click()
    graph = page.get_by_role("group", name="Supervision tree")
    expect(graph.get_by_role("link", name="assistant").first).to_be_visible()


def test_a_crash_raises_the_gauge_to_one_of_three(each_fresh: Dashboard, fresh_server: Server) -> None:
    page = each_fresh.page
    say(fresh_server, "yes or no?")
    each_fresh.open(f"/processes/{living(fresh_server)}")
    expect(page.get_by_role("meter", name="Restarts used")).to_have_attribute("aria-valuenow", "0")
    say(fresh_server, "crash")
    expect(page.get_by_role("meter", name="Restarts used")).to_have_attribute("aria-valuenow", "1", timeout=WAIT_MS)
    expect(page.get_by_role("list", name="Lives of this process")).to_contain_text("#2")
    command = [sys.executable, "-m", "vega_trio", "tree", "--url", fresh_server.url]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert re.search(r"assistant .*#2 .*restarts 1/3", told), told


# -- events


def test_events_arrive_pause_counts_them_and_the_log_has_the_older_ones(dashboard: Dashboard, server: Server) -> None:
    page = dashboard.page
    say(server, "yes or no?")
    dashboard.open_live("/events")
    table = page.get_by_role("table", name="Events")
    page.get_by_role("button", name="Load older").click()
    expect(table).to_contain_text("turn.finished")
    page.get_by_role("button", name="Pause").click()
    say(server, "yes or no?")
    expect(page.get_by_text("new", exact=False).first).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Kind").select_option("turn")
    first = table.get_by_role("row").nth(1)
    expect(first).to_contain_text("turn.finished")
    first.get_by_role("button").click()
    expect(page.get_by_role("dialog").get_by_label("Event", exact=True)).to_contain_text('"turn_id"')
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


# -- workflows


def test_a_missing_input_is_refused_before_sending_and_a_run_ends_with_its_result(
    each_size: Dashboard, server: Server
) -> None:
    page = each_size.page
    runs = len(server.call("GET", "/api/runs"))
    each_size.open("/workflows")
    page.get_by_role("link", name="ask").click()
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("form")).to_contain_text("This input is required.")
    assert len(server.call("GET", "/api/runs")) == runs
    page.get_by_role("textbox", name="message").fill("yes or no?")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="Result")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("main")).to_contain_text("completed")
    check_accessibility(page)
    assert each_size.overflow() <= 0


# -- everywhere


def test_the_palette_goes_anywhere_and_a_sheet_tells_the_keys(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open_live("/overview")
    page.keyboard.press("Control+k")
    page.get_by_placeholder("Go to a page").fill("events")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Events")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_new_agent_appears_without_a_reload(dashboard: Dashboard, server: Server) -> None:
    page = dashboard.page
    dashboard.open_live("/agents")
    server.call("POST", "/api/agents", {"name": "Newcomer", "system": "You are new."})
    try:
        expect(page.locator("main").get_by_role("link", name="Newcomer")).to_be_visible()
    finally:
        server.call("DELETE", "/api/agents/Newcomer")
    expect(page.locator("main").get_by_role("link", name="Newcomer")).to_have_count(0)


def test_a_call_that_needs_approval_is_approved_where_it_stands_and_on_its_page(
    dashboard: Dashboard, server: Server
) -> None:
    page = dashboard.page
    dashboard.open()
    dashboard.send("approve")
    panel = dashboard.answer.locator("[data-part=approval]")
    expect(panel).to_contain_text("waiting", timeout=WAIT_MS)
    assert server.call("GET", "/api/approvals?status=pending")
    check_accessibility(page)
    panel.get_by_role("button", name="Approve").click()
    expect(panel).to_contain_text("approve")
    dashboard.settle()

    dashboard.send("approve")
    expect(dashboard.answer.locator("[data-part=approval]")).to_contain_text("waiting", timeout=WAIT_MS)
    page.get_by_role("link", name="Approvals").click()
    request = page.get_by_role("article")
    expect(request).to_contain_text("wants to call")
    check_accessibility(page)
    request.get_by_role("button", name="Deny").click()
    expect(page.locator("main")).to_contain_text("denied")


def test_the_costs_are_told_by_agent_model_process_and_day(dashboard: Dashboard, server: Server) -> None:
    page = dashboard.page
    say(server, "yes or no?")
    dashboard.open("/costs")
    for by, word in (("Model", "demo"), ("Day", "20"), ("Agent", "assistant")):
        page.get_by_role("button", name=by, exact=True).click()
        expect(page.get_by_role("table")).to_contain_text(word)


def test_hermes_has_a_team_made_and_its_work_is_seen_in_the_answer(each_fresh: Dashboard, fresh_server: Server) -> None:
    page = each_fresh.page
    each_fresh.open("/?agent=hermes")
    each_fresh.send("Do a competitive analysis of our top 3 competitors and write it up")
    expect(each_fresh.answer).to_contain_text("put together", timeout=60_000)
    each_fresh.settle()
    expect(each_fresh.answer.get_by_label("Tool send_to_agent")).to_have_count(5)
    each_fresh.open("/agents")
    expect(page.locator("main").get_by_role("link", name="researcher")).to_be_visible()
    assert [each["source"] for each in fresh_server.call("GET", "/api/agents") if each["name"] == "researcher"] == [
        "composed"
    ]


def test_mother_makes_a_team_in_a_conversation_and_its_lead_can_be_talked_to(
    fresh_phone: Dashboard, fresh_server: Server
) -> None:
    """The dialogue with which the README presents her."""
    page = fresh_phone.page
    fresh_phone.open("/?agent=mother")
    fresh_phone.send("I need an agent that researches competitors")
    expect(fresh_phone.answer).to_contain_text("I'll create a researcher with web tools and a lead", timeout=60_000)
    fresh_phone.settle()
    expect(fresh_phone.answer.get_by_label("Tool create_agent")).to_have_count(2)
    made = {each["name"]: each for each in fresh_server.call("GET", "/api/agents") if each.get("source") == "composed"}
    assert made["researcher"]["tools"] == ["web_search"]
    assert made["lead"]["tools"] == ["delegate"]
    fresh_phone.open("/?agent=lead")
    fresh_phone.send("Have your team look at the market")
    fresh_phone.settle()
    expect(fresh_phone.answer.get_by_label("Tool delegate")).to_have_count(1)
    tree = json.dumps(fresh_server.call("GET", "/api/spawn-tree"))
    assert "delegated by lead" in tree
    expect(page.get_by_role("log")).to_contain_text("My team has worked on it")


def test_conversations_are_found_renamed_and_opened(dashboard: Dashboard, server: Server) -> None:
    page = dashboard.page
    say(server, "yes or no?")
    dashboard.open()
    page.get_by_role("button", name="Conversations").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Rename").first.click()
    dialog.get_by_role("textbox", name="Title").fill("The first one")
    dialog.get_by_role("button", name="Rename", exact=True).click()
    expect(dialog.get_by_role("link", name="The first one")).to_be_visible()
    check_accessibility(page)
    dialog.get_by_role("button", name="New conversation").click()
    expect(page.get_by_role("heading", name="Talk to assistant")).to_be_visible()
    page.get_by_role("button", name="Conversations").click()
    page.get_by_role("link", name="The first one").click()
    expect(dashboard.log).to_contain_text("yes or no?")


def test_tools_whose_definitions_have_changed_are_approved_on_their_page(dashboard: Dashboard, server: Server) -> None:
    """The server speaks to itself over MCP: its agents are the tools."""
    page = dashboard.page
    server.call("POST", "/api/agents", {"name": "scribe", "system": "You write.", "description": "Writes."})
    server.call("POST", "/api/mcp/servers", {"name": "mirror", "transport": "http", "url": f"{server.url}/mcp"})
    try:
        server.call("PUT", "/api/agents/scribe", {"description": "Writes, and tells strangers."})
        server.call("POST", "/api/mcp/servers/mirror/refresh", {})
        dashboard.open("/mcp")
        mirror = page.get_by_role("article", name="mirror")
        tools = mirror.get_by_role("list", name="Tools of mirror")
        expect(mirror).to_contain_text("the definitions of scribe have changed")
        expect(tools).not_to_contain_text("scribe")
        check_accessibility(page)
        mirror.get_by_role("button", name="Approve changed tools").click()
        expect(tools).to_contain_text("scribe")
        expect(mirror).not_to_contain_text("have changed")
    finally:
        server.call("DELETE", "/api/mcp/servers/mirror")
        server.call("DELETE", "/api/agents/scribe")


def test_one_address_for_each_thing(dashboard: Dashboard, server: Server) -> None:
    """A link to a process, an agent, a workflow or a run can be sent to a colleague."""
    page = dashboard.page
    for path, heading in (("/agents/assistant", "assistant"), ("/workflows/ask", "ask"), ("/mcp", "MCP servers")):
        dashboard.open(path)
        expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()

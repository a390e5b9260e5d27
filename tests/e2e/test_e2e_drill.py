"""Things that go wrong at somebody's word, how it was before, and the words for a terminal, in a real browser."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import pytest
from browsing import Dashboard, Server, check_accessibility
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.e2e


def top(button: Locator) -> float:
    """Where it stands, once it is there."""
    expect(button).to_be_visible()
    box = button.bounding_box()
    assert box is not None
    return box["y"]


def test_a_fault_is_played_and_the_tree_shows_how_it_was(fresh_phone: Dashboard, fresh_server: Server) -> None:
    page = fresh_phone.page
    fresh_phone.open()
    chips = ("Show tools", "Crash and recover", "Run review", "Fault drill")
    rows = Counter(top(page.get_by_role("button", name=chip)) for chip in chips)
    assert list(rows.values()) == [2, 2], "two and two, none alone"
    page.get_by_role("button", name="Fault drill").click()
    dialog = page.get_by_role("dialog", name="Fault drill")
    expect(dialog.get_by_role("listitem")).to_have_count(4)
    check_accessibility(page)
    dialog.get_by_role("button", name="Crash the process").click()
    expect(fresh_phone.answer.get_by_text("restarted (1/3), context restored")).to_be_visible()
    fresh_phone.settle()
    expect(fresh_phone.answer).to_contain_text("I am the demo model")

    [process] = fresh_server.call("GET", "/api/processes")
    fresh_phone.open_live(f"/processes/{process['id']}")
    page.get_by_role("button", name="Fault drill").click()
    expect(page.locator("main")).to_contain_text("2 of 3")
    expect(page.locator("main")).to_contain_text("#3")

    fresh_phone.open("/tree")
    page.get_by_role("button", name="Back then").click()
    moment, tree = page.get_by_role("slider", name="Moment"), page.get_by_role("treegrid", name="Spawn tree back then")
    expect(tree).to_contain_text("life 3")
    check_accessibility(page)
    moment.focus()
    page.keyboard.press("Home")
    expect(moment).to_have_attribute("aria-valuetext", re.compile("process.started$"))
    expect(tree).not_to_contain_text("life")
    page.keyboard.press("ArrowRight")
    expect(tree).to_contain_text("DemoCrash: the fault drill")
    assert fresh_phone.overflow() <= 0


def test_what_a_button_does_is_told_as_a_command_that_does_it(dashboard: Dashboard, server: Server) -> None:
    page = dashboard.page
    dashboard.open()
    dashboard.ask("yes or no?")
    [agent] = [each for each in server.call("GET", "/api/agents") if each["name"] == "assistant"]
    process = agent["process_id"]
    dashboard.open_live(f"/processes/{process}")
    page.get_by_role("button", name="Kill").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("As a command").click()
    expect(dialog.get_by_role("region", name="curl command")).to_contain_text(f"/api/processes/{process}")
    command = dialog.get_by_role("region", name="vega command").inner_text()
    check_accessibility(page)
    assert command == f"vega kill {process} --yes --url {server.url}"
    subprocess.run([sys.executable, "-m", "vega_trio", *command.split()[1:]], check=True, timeout=30)
    expect(page.locator("main")).to_contain_text("killed")


def test_files_of_the_sandbox_are_opened_saved_and_deleted(each_size: Dashboard, server: Server) -> None:
    page = each_size.page
    server.call("POST", "/api/agents", {"name": "scribe", "system": "You write.", "tools": ["write_file"]})
    try:
        write = {"message": "write_file path=drafts/plan.md content=Plans"}
        server.call("POST", "/api/agents/scribe/chat", write)
        each_size.open("/files")
        page.get_by_role("button", name="drafts", exact=True).click()
        page.get_by_role("button", name="plan.md", exact=True).click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("region", name="Content")).to_have_text("Plans")
        with page.expect_download() as download:
            dialog.get_by_role("link", name="Download").click()
        assert download.value.path().read_text() == "Plans"
        check_accessibility(page)
        assert each_size.overflow() <= 0
        dialog.get_by_role("button", name="Close").click()
        page.get_by_role("link", name="Sandbox").click()
        page.get_by_role("button", name="Delete drafts").click()
        dialog.get_by_role("button", name="Delete", exact=True).click()
        expect(page.locator("main")).to_contain_text("There is nothing here")
    finally:
        server.call("DELETE", "/api/agents/scribe")


def test_a_process_is_forked_as_it_stood_and_a_run_is_run_again(dashboard: Dashboard, server: Server) -> None:
    page = dashboard.page
    dashboard.open()
    dashboard.ask("yes or no?")
    [agent] = [each for each in server.call("GET", "/api/agents") if each["name"] == "assistant"]
    dashboard.open("/events")
    page.get_by_role("button", name="turn.finished").first.click()
    page.get_by_role("button", name="Fork the process from here").click()
    expect(page).to_have_url(re.compile(r"/processes/\w+$"))
    assert agent["process_id"] not in page.url
    expect(page.locator("main")).to_contain_text("yes or no?")

    run = server.call("POST", "/api/workflows/ask/run", {"inputs": {"message": "yes or no?"}, "wait": 20})
    dashboard.open(f"/workflows/ask/{run['run_id']}")
    page.get_by_role("button", name="Run again").click()
    expect(page).not_to_have_url(re.compile(run["run_id"]))
    expect(page.locator("main")).to_contain_text("completed")
    assert len(server.call("GET", "/api/runs")) == 2

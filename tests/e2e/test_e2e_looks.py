"""Every page and dialog of the dashboard, with something on it, in its four looks: 1280 and 390 px, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
from browsing import PHONE, WIDE, Dashboard, Server, broken_rules
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

SCHEMES = ("light", "dark")
LEAST_TARGET_PX = 24
"""WCAG 2.2 AA, 2.5.8; links within a line of text are exempt."""
SMALL_TARGETS = """
(least) => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && getComputedStyle(each).display !== 'inline')
  .filter((each) => !each.closest('label') && each.type !== 'file')
  .map((each) => [each.outerHTML.slice(0, 120), each.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && Math.min(box.width, box.height) < least)
  .map(([html, box]) => `${Math.round(box.width)}x${Math.round(box.height)} ${html}`)
"""
UNSEEN_FOCUS = """
() => [...document.querySelectorAll('a[href], button, input, select, textarea, [tabindex="0"]')]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled)
  .filter((each) => {
    const framed = [each, each.parentElement, each.closest('form, label') ?? each];
    const borders = () => framed.map((around) => getComputedStyle(around).borderColor).join();
    document.activeElement.blur();
    const before = borders();
    each.focus({ focusVisible: true, preventScroll: true });
    if (document.activeElement !== each) return false;
    const { outlineStyle, outlineWidth } = getComputedStyle(each);
    return (outlineStyle === 'none' || parseFloat(outlineWidth) === 0) && borders() === before;
  })
  .map((each) => each.outerHTML.slice(0, 120))
"""


@attrs.frozen
class Sight:
    """One thing to look at: where it is, what to do there, and what is then to be seen."""

    path: str
    word: str
    steps: Callable[[Page], Any] = lambda page: None


def press(*names: str) -> Callable[[Page], None]:
    """Presses the buttons of these names, one after the other."""

    def steps(page: Page) -> None:
        for name in names:
            page.get_by_role("button", name=name, exact=True).first.click()

    return steps


def click(selector: str) -> Callable[[Page], None]:
    return lambda page: page.locator(selector).first.click()


def strike(keys: str) -> Callable[[Page], None]:
    """Presses keys once the page listens."""

    def steps(page: Page) -> None:
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.keyboard.press(keys)

    return steps


@attrs.frozen
class Contents:
    """What the pages have to show: the ids of a conversation and a process that crashed, of processes and of runs."""

    talk: str
    reborn: str
    processes: Mapping[str, str]
    runs: Mapping[str, str]


def fill(shop: Server) -> Contents:
    """Gives every page something to show."""
    for message in ("Search for Trio", "Use hostile", "Crash in the middle", "Write a binary search function"):
        shop.call("POST", "/api/agents/assistant/chat", {"message": message})
    shop.begin("assistant", "fail")
    shop.call("POST", "/api/agents/lead/chat", {"message": "Have your team look at the market"})
    runs = {
        name: shop.call("POST", f"/api/workflows/{name}/run", {"inputs": inputs, "wait": 30})["run_id"]
        for name, inputs in (("report", {"topics": ["one", "two"]}), ("broken", {}))
    }
    schedule = {"name": "mornings", "cron": "0 9 * * 1-5", "agent": "assistant", "message": "Look around"}
    shop.call("POST", "/api/schedules", schedule)
    for key in ("WEATHER_URL", "WEATHER_API_KEY"):
        shop.call("PUT", "/api/settings", {"key": key, "value": "https://weather.example/v1"})
    talk = next(each["id"] for each in shop.call("GET", "/api/sessions?agent=assistant") if each["message_count"])
    shop.call("POST", "/api/sessions", {"agent": "assistant", "title": "Another"})
    shop.begin("assistant", "approve")
    processes = shop.call("GET", "/api/processes")
    reborn = next(each["id"] for each in processes if each["agent"] and each["incarnation"] > 1)
    return Contents(talk, reborn, {each["name"]: each["id"] for each in processes if "name" in each}, runs)


def sights(shown: Contents) -> Mapping[str, Sight]:
    """Each page, and what opens on it, by its name."""
    talk = f"/?agent=assistant&session={shown.talk}"
    return {
        "an answer with tools, a crash and code": Sight(talk, "context restored"),
        "an unfolded tool": Sight(talk, "Arguments", click("[data-part=tool] button")),
        "editing a question": Sight(talk, "Ask this", press("Edit the question")),
        "a call to approve": Sight("/?agent=assistant", "Approve"),
        "an empty chat": Sight("/?agent=worker", "Talk to worker"),
        "conversations": Sight("/?agent=assistant", "Another", press("Conversations")),
        "an unknown agent": Sight("/?agent=nobody", "There is no agent named nobody"),
        "overview": Sight("/overview", "to approve or deny"),
        "processes": Sight("/processes", "watcher"),
        "no such process": Sight("/processes/none", "none"),
        "a process that crashed": Sight(f"/processes/{shown.reborn}", "alive"),
        "a process with ties": Sight(f"/processes/{shown.processes['guest']}", "Linked"),
        "whom a kill touches": Sight(f"/processes/{shown.processes['web']}", "End for good", press("Kill")),
        "spawn tree": Sight("/tree", "delegated by lead"),
        "spawn graph": Sight("/tree", "assistant", press("Graph")),
        "supervision tree": Sight("/tree", "rest_for_one", press("Supervised")),
        "supervision graph": Sight("/tree", "watcher", press("Supervised", "Graph")),
        "events": Sight("/events", "process.restarted"),
        "an event": Sight("/events", '"type"', click("[role=cell] button")),
        "agents": Sight("/agents", "worker"),
        "a new agent": Sight("/agents", "System prompt", press("New agent")),
        "an agent": Sight("/agents/assistant", "web_search"),
        "deleting an agent": Sight("/agents/assistant", "is back when the server starts", press("Delete")),
        "MCP servers": Sight("/mcp", "clerk"),
        "a new MCP server": Sight("/mcp", "Address", press("Add server")),
        "workflows": Sight("/workflows", "report"),
        "a refused form": Sight("/workflows/report", "This input is required", press("Run")),
        "a run": Sight(f"/workflows/report/{shown.runs['report']}", "Result"),
        "a failed run": Sight(f"/workflows/broken/{shown.runs['broken']}", "asked to fail"),
        "costs": Sight("/costs", "Spent on failed turns"),
        "approvals": Sight("/approvals", "wants to call"),
        "schedules": Sight("/schedules", "Look around"),
        "a new schedule": Sight("/schedules", "Minute, hour", press("New schedule")),
        "settings": Sight("/settings", "kept secret"),
        "files": Sight("/files", "Files"),
        "a fault drill": Sight("/?agent=worker", "Fault drill", press("Fault drill")),
        "the tree of the past": Sight("/tree", "Spawned", press("Back then")),
        "palette": Sight("/overview", "Keyboard shortcuts", strike("Control+k")),
        "shortcuts": Sight("/overview", "Keyboard shortcuts", strike("?")),
        "no such page": Sight("/nowhere", "There is no page"),
    }


def test_no_page_breaks_a_rule_runs_over_or_hides_the_focus_in_any_look(shopping: Dashboard, shop: Server) -> None:
    page, faults = shopping.page, []
    for name, sight in sights(fill(shop)).items():
        page.set_viewport_size(dict(zip(("width", "height"), WIDE, strict=True)))
        shopping.open(sight.path)
        sight.steps(page)
        expect(page.locator("body")).to_contain_text(sight.word)
        for width, height in (WIDE, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                faults += [(name, width, scheme, fault) for fault in broken_rules(page)]
            if shopping.overflow() > 0:
                faults.append((name, width, "", "runs over the edge"))
            faults += [(name, width, "", fault) for fault in page.evaluate(SMALL_TARGETS, LEAST_TARGET_PX)]
            faults += [(name, width, "unseen focus", fault) for fault in page.evaluate(UNSEEN_FOCUS)]
    shopping.watch.complaints = [each for each in shopping.watch.complaints if "404" not in each]
    assert not faults, "\n".join(map(str, faults))

"""The dashboard before a crowd: 5,000 processes that speak 500 times a second.

`VEGA_CROWD_S` sets for how long each page is watched (`make torture`: 30 s).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import PHONE, WIDE, Dashboard, Server, dashboards, started
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.e2e

SECONDS = float(os.environ.get("VEGA_CROWD_S", "1.5"))
PROCESSES, EVENTS_PER_S = 5000, 500
MOST_NODES, LONGEST_TASK_MS = 1500, 200
WATCH_TASKS = """
window.tasks = [];
new PerformanceObserver((list) => list.getEntries().forEach((each) => window.tasks.push(each.duration)))
  .observe({ type: 'longtask', buffered: true });
"""


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("crowd")
    program = Path(__file__).parent / "crowd.py"
    command = [sys.executable, str(program), str(home), str(PROCESSES), str(EVENTS_PER_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield Server(started(process))
        finally:
            process.kill()


@pytest.fixture
def watched(browser: Browser, crowd: Server) -> Iterator[Dashboard]:
    for dashboard in dashboards(browser, crowd, WIDE, "light"):
        dashboard.page.add_init_script(WATCH_TASKS)
        yield dashboard


def check(page: Page) -> None:
    """Few nodes and no long task. A machine that was busy gets a second chance: a slow page is slow every time."""
    worst = min(_longest_task(page) for _ in range(2)) if _longest_task(page) > LONGEST_TASK_MS else 0
    assert worst <= LONGEST_TASK_MS, f"{page.url}: a task took {worst:.0f} ms"
    nodes = page.evaluate("document.querySelectorAll('*').length")
    assert nodes < MOST_NODES, f"{page.url}: {nodes} nodes"


def _longest_task(page: Page) -> float:
    page.evaluate("window.tasks = []")
    page.wait_for_timeout(SECONDS * 1000)
    return float(page.evaluate("Math.max(0, ...window.tasks)"))


def test_a_crowd_of_processes_and_a_flood_of_events_leave_the_page_quick(watched: Dashboard) -> None:
    page = watched.page
    watched.open_live("/processes")
    expect(page.get_by_text("5,000 processes")).to_be_visible()
    check(page)
    page.get_by_role("table", name="Processes").hover()
    page.mouse.wheel(0, 40_000)
    page.get_by_role("searchbox").fill("p4999")
    expect(page.get_by_role("table", name="Processes").get_by_role("row")).to_have_count(2)
    for title in ("Overview", "Tree"):
        page.get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("row").nth(5)).to_be_visible()
        check(page)

    page.get_by_role("link", name="Events", exact=True).click()
    table = page.get_by_role("table", name="Events")
    expect(table).to_contain_text("process.waiting")
    check(page)
    page.get_by_role("button", name="Pause").click()
    stopped = table.get_by_role("row").nth(1).inner_text()
    expect(page.get_by_text(re.compile(r"^[\d,.]{3,}K? new$"))).to_be_visible()
    assert table.get_by_role("row").nth(1).inner_text() == stopped
    check(page)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.get_by_role("button", name="Go on").click()
    check(page)


def test_the_tree_of_a_crowd_is_drawn_in_part_and_says_so(watched: Dashboard) -> None:
    page = watched.page
    watched.open_live("/tree")
    page.get_by_role("button", name="Graph").click()
    expect(page.get_by_text("Of a crowd only the first 40 are drawn")).to_be_visible()
    check(page)

"""The end of a newcomer's first five minutes: an agent of Mother's, a run and its costs outlive the server."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import WIDE, dashboards, serving
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.e2e

KEPT = ("/api/agents/mother/chat", "/api/agents/lead/chat", "/api/costs", "/api/runs")


def test_what_mother_made_and_what_was_run_is_there_after_a_restart(tmp_path: Path, browser: Browser) -> None:
    with contextmanager(serving)(tmp_path) as server:
        server.call("POST", "/api/workflows/ask/run", {"message": "why is the sky blue?"})
        server.call("POST", "/api/agents/mother/chat", {"message": "I need an agent that researches competitors"})
        server.call("POST", "/api/agents/lead/chat", {"message": "Have your team look at the market"})
        before = {path: server.call("GET", path) for path in KEPT}
    with contextmanager(serving)(tmp_path) as server:
        assert {path: server.call("GET", path) for path in KEPT} == before
        assert [each["status"] for each in before["/api/runs"]] == ["completed"]
        agents = server.call("GET", "/api/agents")
        assert [each["team"] for each in agents if each["name"] == "lead"] == [["researcher"]]
        for dashboard in dashboards(browser, server, WIDE, "light"):
            dashboard.open("/?agent=mother")
            expect(dashboard.answer.get_by_label("Tool create_agent")).to_have_count(2)
            dashboard.open("/?agent=lead")
            expect(dashboard.answer.get_by_label("Tool delegate")).to_have_count(1)

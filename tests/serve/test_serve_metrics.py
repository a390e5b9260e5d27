"""The server's figures, for machines and for people, over a real server."""

from __future__ import annotations

import re
from typing import Any

import pytest
import trio

import vega_trio as vega
from vega_trio.serve.metrics import Metric
from vega_trio.testing import ScriptedModel


async def sleeper(process: vega.Process) -> None:
    await trio.sleep_forever()


def test_labels_cannot_break_out_of_their_line() -> None:
    metric = Metric("m", "gauge", "What.", {'a"} 1\nb 2\\': 3}, "agent")
    assert list(metric.lines())[2] == 'm{agent="a\\"} 1\\nb 2\\\\"} 3'


@pytest.mark.e2e
async def test_the_figures_are_those_of_the_statistics(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(ScriptedModel(["hi", [RuntimeError("boom")], "there"], price=2)) as served:
            await served.chat("x")
            await served.chat("y")
            await served.app.orch.spawn(sleeper, name="saver", budget=2.5)
            answer = await served.http.get("/metrics")
            cost_usd = (await served.http.get("/api/stats")).json()["total_cost_usd"]
            async with served.listening():
                listened = (await served.http.get("/metrics")).text
    lines = answer.text.splitlines()
    assert cost_usd >= 60e-6  # the attempt that broke off costs too
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert all(re.fullmatch(r'# (HELP|TYPE) vega_\w+ .+|vega_\w+(\{\w+="[^"]*"\})? [\d.e+-]+', line) for line in lines)
    assert {
        'vega_processes{status="running"} 2',
        'vega_budget_remaining{scope="saver"} 2.5',
        'vega_processes{status="failed"} 0',
        'vega_mailbox_length{agent="assistant"} 0',
        'vega_tokens_total{direction="input"} 20',
        f"vega_cost_usd_total {cost_usd}",
        "vega_restarts_total 1",
        "vega_event_subscribers 0",
    } <= set(lines)
    assert "vega_event_subscribers 1" in listened.splitlines()


@pytest.mark.e2e
async def test_the_status_page_needs_no_script_and_shows_hostile_names_as_text(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            await served.app.orch.spawn(sleeper, task="<script>alert(1)</script>")
            page = await served.http.get("/status")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "Running processes" in page.text

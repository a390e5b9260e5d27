"""What tools report of themselves while they run: told to who watches, and never so often that it harms."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

import vega_trio as vega
from vega_trio.testing import ScriptedModel


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(5):
        yield


async def told(tool: object) -> list[vega.ToolProgress]:
    """The reports of one call of the tool."""
    model = ScriptedModel([[vega.ToolCall("t1", "work", {})], "done"])
    agent = vega.Agent(name="a", system="x", tools=[tool])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc, proc.stream("go") as events:
        return [event async for event in events if isinstance(event, vega.ToolProgress)]


async def test_a_tool_tells_how_far_it_is() -> None:
    async def work(ctx: vega.ToolContext) -> str:
        ctx.progress(1, 3, "first")
        ctx.progress(3, 3, "last")
        return "ok"

    reports = await told(work)
    assert [(each.tool_name, each.tool_call_id) for each in reports] == [("work", "t1")] * 2
    assert [(each.progress, each.total, each.message) for each in reports] == [(1.0, 3, "first"), (3.0, 3, "last")]


async def test_a_plain_function_tells_it_from_its_thread() -> None:
    def work(ctx: vega.ToolContext) -> str:
        ctx.progress(0.5)
        return "ok"

    (report,) = await told(work)
    assert (report.progress, report.total, report.message) == (0.5, None, "")


async def test_of_a_flood_of_reports_the_first_and_the_last_are_told() -> None:
    async def work(ctx: vega.ToolContext) -> str:
        for done in range(5001):
            ctx.progress(done, 5000, "x" * 10_000)
        ctx.progress(float("nan"), 1)
        return "ok"

    reports = await told(work)
    assert [each.progress for each in reports] == [0.0, 5000.0]
    assert len(reports[0].message) == 500


async def test_no_part_of_a_secret_is_told_where_a_report_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "canary-0123456789")

    async def work(ctx: vega.ToolContext) -> str:
        ctx.progress(1, 3, "x" * 490 + " canary-0123456789")
        return "ok"

    (report,) = await told(work)
    assert report.message == "x" * 490 + " ***"


async def test_what_is_reported_after_the_call_is_no_news() -> None:
    kept: list[vega.ToolContext] = []

    async def work(ctx: vega.ToolContext) -> str:
        kept.append(ctx)
        return "ok"

    model = ScriptedModel([[vega.ToolCall("t1", "work", {})], "done"])
    agent = vega.Agent(name="a", system="x", tools=[work])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc, proc.stream("go") as events:
        async for event in events:
            if isinstance(event, vega.ToolEnd):
                kept[0].progress(1, 2)
            assert not isinstance(event, vega.ToolProgress)

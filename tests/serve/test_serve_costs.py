"""What was spent, over a real server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import trio

from vega_trio.errors import ModelError
from vega_trio.session import ErrorClass
from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.e2e


async def get(served: Any, path: str, status: int = 200) -> Any:
    answer = await served.http.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_costs_add_up_by_agent_model_process_and_day(serving: Any) -> None:
    refusal = ["Half", ModelError("no", ErrorClass.INVALID_REQUEST)]
    with trio.fail_after(30):
        async with serving(ScriptedModel(["one two", "three", refusal], price=1000)) as served:
            await served.chat("x")
            await served.chat("x", "reviewer")
            await served.chat("x", "reviewer")
            stats = await get(served, "/api/stats")
            by = {each: await get(served, f"/api/costs?by={each}") for each in ("agent", "model", "process", "day")}
            await served.http.delete("/api/agents/reviewer/chat")
            after = await get(served, "/api/costs")
            none = await get(served, "/api/costs?since=2999-01-01T00:00:00Z")
            wrong = await get(served, "/api/costs?by=moon", 400)
    assert stats["total_cost_usd"] > 0
    for each in by.values():
        assert each["total_usd"] == pytest.approx(stats["total_cost_usd"])
        assert sum(row["cost_usd"] for row in each["rows"]) == pytest.approx(each["total_usd"])
        assert each["budget"] == {"spent_usd": each["total_usd"]}
        assert 0 < each["wasted_usd"] < each["total_usd"]
    assert {row["key"] for row in by["agent"]["rows"]} == {"assistant", "reviewer"}
    assert [row["key"] for row in by["model"]["rows"]] == ["scripted:test"]
    assert [row["key"] for row in by["day"]["rows"]] == [datetime.now(UTC).date().isoformat()]
    assert len(by["process"]["rows"]) == 2
    assert list(by["agent"]) == ["total_usd", "wasted_usd", "budget", "rows"]
    assert sum(row["calls"] for row in by["agent"]["rows"]) == 3
    assert after == by["agent"], "clearing a chat takes nothing back"
    assert (none["total_usd"], none["rows"]) == (0.0, [])
    assert wrong["field"] == "by"

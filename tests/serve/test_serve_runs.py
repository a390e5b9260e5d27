"""Runs of workflows over a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from vega_trio.errors import ModelError
from vega_trio.protocols import ModelRequest
from vega_trio.session import ErrorClass
from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.e2e


class Gate:
    """A model's step that waits until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = trio.Event(), trio.Event()

    async def __call__(self, request: ModelRequest) -> str:
        self.reached.set()
        await self.opened.wait()
        return "draft"


async def get(served: Any, path: str, expected: int = 200, **query: str) -> Any:
    answer = await served.http.get(path, params=query)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def start(served: Any, **options: Any) -> dict[str, Any]:
    answer = await served.http.post("/api/workflows/review/run", json={"inputs": {"task": "a poem"}, **options})
    assert answer.status_code in (200, 202), answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_a_run_is_shown_with_its_steps(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(ScriptedModel(["draft", "fine"], price=2)) as served:
            run = await start(served, wait=5)
            assert await get(served, f"/api/runs/{run['run_id']}") == run
            assert await get(served, "/api/runs") == [run]
            app_run = await served.app.run(run["run_id"])
    assert (run["status"], run["result"], run["workflow"]) == ("completed", "fine", "review")
    assert run["inputs"] == {"task": "a poem", "rounds": 1}
    first, second = run["steps"]
    assert (first["path"], first["kind"], first["agent"]) == ("review/0", "ask", "assistant")
    assert (first["status"], first["attempts"], first["cost_usd"]) == ("completed", 1, pytest.approx(30 / 1_000_000))
    assert first["started_at"].endswith("Z")
    assert isinstance(first["duration_ms"], int)
    assert second["agent"] == "reviewer"
    assert run["cost_usd"] == pytest.approx(60 / 1_000_000)
    assert app_run["steps"][0]["path"] == "review/0"


async def test_runs_are_listed_by_workflow_and_status_in_pages(serving: Any) -> None:
    failure = ModelError("no credit", ErrorClass.INVALID_REQUEST)
    with trio.fail_after(30):
        async with serving(["draft", "fine", failure]) as served:
            done = await start(served, wait=5)
            failed = await start(served, wait=5)
            both = await get(served, "/api/runs", workflow="review")
            assert [run["run_id"] for run in both] == [failed["run_id"], done["run_id"]]
            assert [run["run_id"] for run in await get(served, "/api/runs", status="failed")] == [failed["run_id"]]
            assert await get(served, "/api/runs", workflow="nosuch") == []
            page = await served.http.get("/api/runs?limit=1")
            rest = await served.http.get(page.links["next"]["url"])
            wrong = await get(served, "/api/runs", 400, status="happy")
    assert "no credit" in failed["error"]
    assert [step["status"] for step in failed["steps"]] == ["failed"]
    assert "no credit" in failed["steps"][0]["error"]
    assert [run["run_id"] for run in rest.json()] == [done["run_id"]]
    assert wrong["field"] == "status"


async def test_a_run_is_watched_from_its_start_to_its_end_by_whoever_comes_when(serving: Any) -> None:
    gate = Gate()
    with trio.fail_after(30):
        async with serving(["x", "y", gate, "fine"]) as served:
            await start(served, wait=5)
            run = await start(served)
            path = f"/api/runs/{run['run_id']}/stream"
            await gate.reached.wait()
            async with served.getting(path) as live:
                first = [await anext(live) for _ in range(2)]
                gate.opened.set()
                rest = [frame async for frame in live]
            async with served.getting(path) as late:
                again = [frame async for frame in late]
            async with served.getting(path, {"last-event-id": first[-1].id}) as resumed:
                tail = [frame async for frame in resumed]
            async with served.getting(path, {"last-event-id": again[-1].id}) as over:
                assert [frame async for frame in over] == []
            await get(served, "/api/runs/nosuch/stream", 404)
    assert [frame.event for frame in [*first, *rest]] == [
        "workflow.started",
        "workflow.step_started",
        "workflow.step_finished",
        "workflow.step_started",
        "workflow.step_finished",
        "workflow.completed",
    ]
    assert again == [*first, *rest]
    assert tail == rest
    assert {frame.data["data"]["run_id"] for frame in again} == {run["run_id"]}


async def test_a_cancelled_run_ends_with_its_steps_and_agents(serving: Any) -> None:
    gate = Gate()
    with trio.fail_after(30):
        async with serving([gate]) as served:
            run = await start(served)
            path = f"/api/runs/{run['run_id']}"
            await gate.reached.wait()
            async with served.getting(f"{path}/stream") as frames:
                cancelled = await served.http.post(f"{path}/cancel")
                ends = [frame.event async for frame in frames]
            shown = await get(served, path)
            again = await served.http.post(f"{path}/cancel")
            unknown = await served.http.post("/api/runs/nosuch/cancel")
            assert await get(served, "/api/processes", status="running") == []
    assert (cancelled.status_code, cancelled.json()) == (202, {"status": "cancelling"})
    assert ends[-1] == "workflow.cancelled"
    assert shown["status"] == "cancelled"
    assert [step["status"] for step in shown["steps"]] == ["cancelled"]
    assert (again.status_code, unknown.status_code) == (409, 404)


async def test_runs_and_their_steps_survive_a_restart(serving: Any, tmp_path: Path) -> None:
    database = tmp_path / "vega.db"
    with trio.fail_after(30):
        async with serving(["draft", "fine"], store=database) as served:
            run = await start(served, wait=5)
        async with serving(store=database) as served:
            assert await get(served, f"/api/runs/{run['run_id']}") == run
            async with served.getting(f"/api/runs/{run['run_id']}/stream") as frames:
                assert [frame.event async for frame in frames][-1] == "workflow.completed"


async def test_a_workflow_is_shown_with_the_graph_of_its_steps(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            shown = await get(served, "/api/workflows/review")
            await get(served, "/api/workflows/nosuch", 404)
    assert shown["steps"] == 2
    assert [(node["path"], node["agent"]) for node in shown["graph"]] == [
        ("review/0", "assistant"),
        ("review/1", "reviewer"),
    ]

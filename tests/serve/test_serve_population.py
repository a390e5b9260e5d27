"""The local catalogue, and runs that are run again."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from vega_trio.app.population import TEMPLATES

pytestmark = pytest.mark.e2e


async def test_an_agent_of_the_catalogue_is_found_made_and_listed(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["done"]) as served:
            every = (await served.http.get("/api/population/search")).json()
            found = (await served.http.get("/api/population/search", params={"q": "review code"})).json()
            assert (await served.http.get("/api/population/search", params={"kind": "x"})).status_code == 400
            skills = (await served.http.get("/api/population/search", params={"kind": "skill"})).json()
            info = (await served.http.get("/api/population/info/agent/coder")).json()
            assert (await served.http.get("/api/population/info/agent/codre")).status_code == 404
            made = await served.http.post("/api/population/install", json={"kind": "agent", "name": "coder"})
            again = await served.http.post("/api/population/install", json={"name": "coder"})
            installed = (await served.http.get("/api/population/installed")).json()
            answer = await served.http.post("/api/agents/coder/chat", json={"message": "x"})
    assert [each["name"] for each in every] == sorted(TEMPLATES)
    assert "score" not in every[0]
    assert (found[0]["name"], found[0]["score"]) == ("reviewer", 1.0)
    assert skills == []
    assert info["definition"]["tools"] == ["read_file", "write_file", "edit_file", "list_files"]
    assert (made.status_code, made.json()) == (201, {"status": "installed", "name": "coder"})
    assert again.status_code == 409
    assert [each["name"] for each in installed] == ["coder"]
    assert answer.json()["response"] == "done"


@pytest.mark.parametrize("name", sorted(TEMPLATES))
async def test_every_agent_of_the_catalogue_can_be_made(serving: Any, name: str) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            taken = name in ("assistant", "reviewer")
            made = await served.http.post("/api/population/install", json={"name": name})
            assert made.status_code == (409 if taken else 201), made.text


async def test_a_run_is_run_again_with_its_inputs(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["draft", "good", "draft", "better"]) as served:
            first = await served.http.post("/api/workflows/review/run", json={"inputs": {"task": "x"}, "wait": 5})
            again = await served.http.post(f"/api/runs/{first.json()['run_id']}/rerun")
            assert again.status_code == 202
            async with served.getting(f"/api/runs/{again.json()['run_id']}/stream") as events:
                assert [frame.event async for frame in events][-1] == "workflow.completed"
            run = (await served.http.get(f"/api/runs/{again.json()['run_id']}")).json()
            assert (await served.http.post("/api/runs/nope/rerun")).status_code == 404
    assert run["inputs"] == first.json()["inputs"]
    assert (first.json()["result"], run["result"]) == ("good", "better")


async def test_the_list_of_agents_shows_a_budget_of_their_own(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["done"]) as served:
            await served.http.post("/api/agents", json={"name": "thrifty", "system": "s", "budget": "$0.50"})
            listed = {each["name"]: each for each in (await served.http.get("/api/agents")).json()}
    assert listed["thrifty"]["budget"] == {"limit_usd": 0.5, "spent_usd": 0.0}
    assert "budget" not in listed["assistant"]

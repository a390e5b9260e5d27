"""Agents, processes, workflows, the page and the health of a real server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trio

import vega_trio as vega
from vega_trio.errors import ModelError
from vega_trio.protocols import ModelRequest
from vega_trio.session import ErrorClass
from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.e2e


def lookup(word: str) -> str:
    """Looks a word up.

    Args:
        word: Which.
    """
    return word


async def get(served: Any, path: str, expected: int = 200, **query: str) -> Any:
    answer = await served.http.get(path, params=query)
    assert answer.status_code == expected, answer.text
    assert "json" in answer.headers["content-type"]
    return answer.json()


# -- agents


async def test_agents_are_listed_with_model_tools_and_the_beginning_of_their_prompt(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hi"], tools=[lookup]) as served:
            first, second = await get(served, "/api/agents")
            await served.chat("x")
            after, _ = await get(served, "/api/agents")
    assert first == {
        "name": "assistant",
        "model": "scripted:test",
        "system": "You help.",
        "tools": ["lookup"],
        "description": "Helps with anything.",
    }
    assert "tools" not in second
    assert after["process_id"]
    assert after["process_status"] == "running"


async def test_one_agent_is_shown_whole(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(tools=[lookup]) as served:
            shown = await get(served, "/api/agents/assistant")
            missing = await get(served, "/api/agents/assistent", 404)
    assert shown["tools"] == [{"name": "lookup", "origin": "python"}]
    assert shown["max_iterations"] == 50
    assert shown["supervision"] == {"strategy": "restart", "max_restarts": 3, "window_s": 300.0}
    assert "did you mean 'assistant'" in missing["error"]


# -- processes


async def test_processes_are_listed_with_their_figures_newest_first(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hi", "there"]) as served:
            await served.chat("x")
            await served.chat("y", agent="reviewer")
            rows = await get(served, "/api/processes")
            [only] = await get(served, "/api/processes", agent="assistant", status="running")
            assert await get(served, "/api/processes", status="failed") == []
            detail = await get(served, f"/api/processes/{only['id']}")
            wrong = await get(served, "/api/processes", 400, status="happy")
    assert [row["agent"] for row in rows] == ["reviewer", "assistant"]
    assert only["status"] == "running"
    assert only["spawn_reason"] == "chat"
    assert only["incarnation"] == 1
    assert only["metrics"]["iterations"] == 1
    assert only["metrics"]["input_tokens"] == 10
    assert only["metrics"]["last_active_at"].endswith("Z")
    assert "completed_at" not in only
    assert [(each["role"], each["content"]) for each in detail["messages"]] == [("user", "x"), ("assistant", "hi")]
    assert wrong["field"] == "status"


async def test_a_killed_process_has_failed_and_its_sibling_lives(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hi", "there", "again"]) as served:
            await served.chat("x")
            await served.chat("y", agent="reviewer")
            [one] = await get(served, "/api/processes", agent="assistant")
            killed = await served.http.delete(f"/api/processes/{one['id']}")
            assert (killed.status_code, killed.json()) == (200, {"status": "killed"})
            again = await served.http.delete(f"/api/processes/{one['id']}")
            assert again.status_code == 200
            after = await get(served, f"/api/processes/{one['id']}")
            [other] = await get(served, "/api/processes", agent="reviewer")
            unknown = await served.http.delete("/api/processes/nosuch")
    assert after["status"] == "failed"
    assert after["exit_reason"] == "killed"
    assert after["completed_at"]
    assert other["status"] == "running"
    assert (unknown.status_code, unknown.json()["status"]) == (404, 404)


async def test_a_stream_whose_process_is_killed_says_error_and_done(serving: Any) -> None:
    reached = trio.Event()

    async def endless(request: ModelRequest) -> str:
        reached.set()
        await trio.sleep_forever()
        raise AssertionError

    with trio.fail_after(30):
        async with serving([endless]) as served:
            async with served.streaming("x") as frames:
                await reached.wait()
                [one] = await get(served, "/api/processes")
                await served.http.delete(f"/api/processes/{one['id']}")
                ends = [frame.event async for frame in frames]
    assert ends == ["error", "done"]


async def test_long_lists_come_in_pages_that_link_on(serving: Any) -> None:
    async def sleeper(process: Any) -> None:
        await trio.sleep_forever()

    with trio.fail_after(30):
        async with serving() as served:
            for _ in range(5):
                await served.app.orch.spawn(sleeper)
            path, seen, pages = "/api/processes?limit=2", [], 0
            while path:
                answer = await served.http.get(path)
                seen += [row["id"] for row in answer.json()]
                pages += 1
                path = answer.links.get("next", {}).get("url", "")
            wrong = [await served.http.get(f"/api/processes?{query}") for query in ("limit=0", "limit=x", "cursor=no")]
    assert pages == 3
    assert len(seen) == len(set(seen)) == 5
    assert [answer.status_code for answer in wrong] == [400, 400, 400]


async def test_processes_are_found_by_words_living_and_past_and_paged_over_both(serving: Any, tmp_path: Path) -> None:
    async def listed(served: Any, query: str) -> list[str]:
        path, found = f"/api/processes?{query}", []
        while path:
            answer = await served.http.get(path)
            found += [row["agent"] for row in answer.json()]
            path = answer.links.get("next", {}).get("url", "")
        return found

    newest_first = ["count-3", "count-2", "count-1", "count-0"]
    with trio.fail_after(20):
        async with serving(store=tmp_path / "vega.db") as served:
            for number in range(4):
                process = await served.app.orch.spawn(vega.Agent(name=f"count-{number}", system="x"))
                if number % 2:
                    await served.app.kill(process.id)
            await served.app.orch.spawn(vega.Agent(name="other_100%", system="x"), name="watch")
            assert await listed(served, "q=COUNT-&limit=1") == newest_first
            assert await listed(served, "q=count-&status=failed&limit=1") == ["count-3", "count-1"]
            assert await listed(served, "q=0%25") == ["other_100%"]
            assert await listed(served, "q=Watch") == ["other_100%"]
            assert await listed(served, "limit=2") == ["other_100%", *newest_first]
            assert await listed(served, "q=nosuch") == []
        async with serving(store=tmp_path / "vega.db") as served:
            assert await listed(served, "q=count-&limit=3") == newest_first


async def test_the_spawn_tree_nests_children_under_their_parents(serving: Any) -> None:
    ready = trio.Event()

    async def child(process: Any) -> None:
        await trio.sleep_forever()

    async def parent(process: Any) -> None:
        await process.spawn(child, task="the work", spawn_reason="because")
        ready.set()
        await trio.sleep_forever()

    with trio.fail_after(30):
        async with serving() as served:
            await served.app.orch.spawn(parent)
            await ready.wait()
            [root] = await get(served, "/api/spawn-tree")
    assert root["task"] == ""
    assert root["spawn_depth"] == 0
    assert root["started_at"].endswith("Z")
    [leaf] = root["children"]
    assert (leaf["task"], leaf["spawn_reason"], leaf["spawn_depth"]) == ("the work", "because", 1)
    assert "children" not in leaf


async def test_stats_are_totals_with_uptime(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(ScriptedModel(["hi"], price=1000)) as served:
            await served.chat("x")
            stats = await get(served, "/api/stats")
    assert stats["total_processes"] == stats["running_processes"] == 1
    assert stats["total_input_tokens"] == 10
    assert stats["total_cost_usd"] == pytest.approx(0.015)
    assert stats["uptime"].endswith("s")
    assert len(stats) == 10


# -- workflows


async def test_workflows_are_listed_with_their_inputs(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            [review] = await get(served, "/api/workflows")
    assert (review["name"], review["description"], review["steps"]) == ("review", "Write and review.", 2)
    assert review["inputs"]["task"] == {"type": "string", "description": "What to write.", "required": True}
    assert review["inputs"]["rounds"]["default"] == 1
    assert not review["inputs"]["rounds"]["required"]


async def test_a_run_is_started_and_can_be_followed_to_its_result(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["a draft", "good"]) as served:
            async with served.listening(types="workflow.*") as events:
                answer = await served.http.post("/api/workflows/review/run", json={"task": "a function"})
                started = answer.json()
                assert (answer.status_code, started["status"]) == (202, "running")
                kinds = [(await anext(events)).event]
                while kinds[-1] not in ("workflow.completed", "workflow.failed"):
                    kinds.append((await anext(events)).event)
            run = await get(served, f"/api/runs/{started['run_id']}")
            await get(served, "/api/runs/nosuch", 404)
    assert run.get("error") is None
    assert kinds[0] == "workflow.started"
    assert kinds[-1] == "workflow.completed"
    assert run["run_id"] == started["run_id"]
    assert run["status"] == "completed"
    assert run["result"] == "good"
    assert run["inputs"] == {"task": "a function", "rounds": 1}
    assert run["completed_at"] >= run["started_at"]


async def test_a_run_that_is_waited_for_answers_with_itself(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["a draft", "good"]) as served:
            body: Mapping[str, Any] = {"inputs": {"task": "a function"}, "wait": 5}
            answer = await served.http.post("/api/workflows/review/run", json=body)
    assert answer.status_code == 200
    assert answer.json()["result"] == "good"


async def test_a_failed_run_says_where_and_why(serving: Any) -> None:
    failure = ModelError("no credit", ErrorClass.INVALID_REQUEST)
    with trio.fail_after(30):
        async with serving([failure]) as served:
            body = {"inputs": {"task": "x"}, "wait": 5}
            run = (await served.http.post("/api/workflows/review/run", json=body)).json()
    assert run["status"] == "failed"
    assert "no credit" in run["error"]
    assert "served.vega.yaml" in run["error"]
    assert "result" not in run


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("review", {}, 400, "V040"),
        ("review", {"task": "x", "tusk": 1}, 400, "V041"),
        ("review", {"task": "x", "rounds": 0}, 400, "V042"),
        ("reviev", {"task": "x"}, 404, "unknown_workflow"),
        ("review", {"inputs": {"task": "x"}, "wait": 61}, 400, "bad_value"),
        ("review", {"inputs": {"task": "x"}, "timeout": 0}, 400, "bad_value"),
        ("review", {"inputs": {"task": "x"}, "timeout": "soon"}, 400, "bad_body"),
        ("review", [], 400, "bad_body"),
    ],
)
async def test_a_run_with_bad_inputs_is_refused_before_it_starts(
    serving: Any, name: str, body: Any, status: int, code: str
) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            answer = await served.http.post(f"/api/workflows/{name}/run", json=body)
            assert await get(served, "/api/processes") == []
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["hint"]


# -- the page and the rest


async def test_unknown_api_paths_are_json_and_never_the_page(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            for path in ("/api", "/api/", "/api/nosuch", "/api/agents/", "/nosuch"):
                problem = await get(served, path, 404)
                assert problem["code"] == "not_found"


async def test_a_wrong_method_names_the_right_ones(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            put = await served.http.put("/api/costs", json={})
            posted = await served.http.get("/api/agents/assistant/chat/stop")
            options = await served.http.options("/api/agents")
    assert (put.status_code, put.headers["allow"]) == (405, "GET, HEAD")
    assert (posted.status_code, posted.headers["allow"]) == (405, "POST")
    assert options.status_code == 405
    assert put.json()["code"] == "method_not_allowed"


async def test_health_and_readiness(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            assert await get(served, "/healthz") == {"status": "ok"}
            assert await get(served, "/readyz") == {"status": "ok"}


async def test_the_page_answers_at_all_its_addresses_under_its_policy(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            for path in ("/", "/overview", "/processes/abc", "/workflows"):
                answer = await served.http.get(path)
                assert answer.status_code == 200
                assert answer.headers["content-type"] == "text/html; charset=utf-8"
                policy = answer.headers["content-security-policy"]
                assert policy.startswith("default-src 'self'; style-src 'self' 'nonce-")
                assert "__CSP_NONCE__" not in answer.text
                assert answer.headers["x-content-type-options"] == "nosniff"
            other = await served.http.get("/")
    assert other.headers["content-security-policy"] != policy, "a nonce is used once"


async def test_a_head_request_is_answered_without_a_body_also_for_streams(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            for path in ("/api/agents", "/api/events", "/healthz"):
                answer = await served.http.head(path)
                assert (answer.status_code, answer.content) == (200, b"")

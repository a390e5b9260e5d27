"""The insides of processes and the supervision tree over a real server."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from refusing import RefusingStore

import vega_trio as vega
from vega_trio.changes import Promptly
from vega_trio.protocols import ModelRequest
from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.e2e


async def sleeper(process: vega.Process) -> None:
    await trio.sleep_forever()


async def get(served: Any, path: str, expected: int = 200) -> Any:
    answer = await served.http.get(path)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def test_a_process_shows_its_mailbox_and_how_often_it_was_restarted(serving: Any) -> None:
    script = [["Half", RuntimeError("boom")], "whole"]
    with trio.fail_after(30):
        async with serving(script) as served:
            await served.chat("x")
            [process] = await get(served, "/api/processes")
            detail = await get(served, f"/api/processes/{process['id']}")
    assert detail["mailbox"] == {"length": 0, "capacity": 64}
    assert detail["restarts"] == {"count": 1, "max": 3, "window_s": 300.0}


async def test_stopping_a_process_stops_its_turn_and_no_more(serving: Any) -> None:
    reached = trio.Event()

    async def endless(request: ModelRequest) -> str:
        reached.set()
        await trio.sleep_forever()
        raise AssertionError

    with trio.fail_after(30):
        async with serving(ScriptedModel([endless])) as served:
            async with served.streaming("x", v="2") as frames:
                turn_id = (await anext(frames)).data["turn_id"]
                await reached.wait()
                [process] = await get(served, "/api/processes")
                path = f"/api/processes/{process['id']}"
                stopped = await served.http.post(f"{path}/stop")
                ends = [frame async for frame in frames]
            idle = await served.http.post(f"{path}/stop")
            assert (await get(served, path))["status"] == "running"
            await served.http.delete(path)
            ended = await served.http.post(f"{path}/stop")
            unknown = await served.http.post("/api/processes/nosuch/stop")
    assert (stopped.status_code, stopped.json()) == (202, {"status": "stopping", "turn_id": turn_id})
    assert ends[-1].data["stop_reason"] == "cancelled"
    assert (idle.status_code, idle.json()) == (202, {"status": "idle"})
    assert (ended.status_code, unknown.status_code) == (409, 404)


async def test_a_subtree_is_killed_with_all_that_was_spawned_below(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            orch = served.app.orch
            top = await orch.spawn(sleeper)
            child = await orch.spawn(sleeper, parent=top)
            grandchild = await orch.spawn(sleeper, parent=child)
            other = await orch.spawn(sleeper)
            await served.http.delete(f"/api/processes/{child.id}")
            assert [each.alive for each in (top, child, grandchild, other)] == [True, False, True, True]
            answer = await served.http.delete(f"/api/processes/{top.id}?subtree=true")
            assert [each.alive for each in (top, child, grandchild, other)] == [False, False, False, True]
            wrong = await served.http.delete(f"/api/processes/{top.id}?subtree=maybe")
    assert answer.json() == {"status": "killed"}
    assert (wrong.status_code, wrong.json()["field"]) == (400, "subtree")


async def test_a_kill_that_the_disk_does_not_take_ends_the_process_and_says_so(serving: Any) -> None:
    store = RefusingStore()
    with trio.fail_after(30):
        async with serving(store=store) as served:
            process = await served.app.orch.spawn(sleeper)
            store.refuses = lambda change: isinstance(change, Promptly)
            killed = await served.http.delete(f"/api/processes/{process.id}")
            assert not process.alive
    assert (killed.status_code, killed.json()["code"]) == (507, "read_only")
    assert "has ended, but this is not on the disk: the disk is full" in killed.json()["error"]
    assert "kill it again" in killed.json()["hint"]


async def test_the_supervision_tree_has_the_orchestrator_at_its_root(serving: Any) -> None:
    spec = vega.SupervisorSpec(
        vega.SupervisorStrategy.REST_FOR_ONE,
        [
            vega.ChildSpec("first", sleeper),
            vega.ChildSpec("inner", vega.SupervisorSpec(children=[vega.ChildSpec("leaf", sleeper)])),
        ],
        max_restarts=5,
        window=60.0,
    )
    with trio.fail_after(30):
        async with serving(["hi"]) as served:
            await served.chat("x")
            supervisor = await served.app.orch.supervise(spec, name="team", fatal=False)
            [root] = await get(served, "/api/supervisors")
            leaf = supervisor.get_child("first").process
            detail = await get(served, f"/api/processes/{leaf.id}")
    team, chat = root["children"]
    assert (root["id"], root["strategy"]) == ("root", "one_for_one")
    assert (chat["id"], chat["restart"], chat["status"], chat["max_restarts"]) == (
        "assistant",
        "transient",
        "running",
        3,
    )
    assert (team["id"], team["process_id"]) == ("team", supervisor.id)
    shown = team["supervisor"]
    assert (shown["strategy"], shown["restarts_used"], shown["max_restarts"], shown["window_s"]) == (
        "rest_for_one",
        0,
        5,
        60.0,
    )
    first, inner = shown["children"]
    assert (first["id"], first["restart"], first["status"], first["process_id"]) == (
        "first",
        "permanent",
        "running",
        leaf.id,
    )
    assert [child["id"] for child in inner["supervisor"]["children"]] == ["leaf"]
    assert detail["restarts"] == {"count": 0, "max": 5, "window_s": 60.0}


async def test_a_restart_over_http_gives_the_process_a_new_incarnation_and_its_turn_goes_on(serving: Any) -> None:
    reached = trio.Event()

    async def endless(request: ModelRequest) -> str:
        reached.set()
        await trio.sleep_forever()
        raise AssertionError

    with trio.fail_after(30):
        async with serving(ScriptedModel([endless, "done at last"])) as served:
            async with served.streaming("x", v="2") as frames:
                await reached.wait()
                [process] = await get(served, "/api/processes")
                path = f"/api/processes/{process['id']}"
                said = await get(served, f"{path}/impact?action=restart")
                answer = await served.http.post(f"{path}/restart")
                seen = [frame async for frame in frames]
            detail = await get(served, path)
            await served.http.delete(path)
            ended = await served.http.post(f"{path}/restart")
            gone = await get(served, f"{path}/impact?action=kill")
            unknown = await served.http.post("/api/processes/nosuch/restart")
            wrong = await served.http.get(f"{path}/impact?action=hug")
    assert said == {"dies": [], "restarts": [process["id"]], "notified": []}
    assert (answer.status_code, answer.json()) == (202, {"status": "restarting"})
    assert "restart" in [frame.event for frame in seen]
    assert "".join(frame.data["delta"] for frame in seen if frame.event == "text_delta") == "done at last"
    assert (detail["incarnation"], detail["restarts"]["count"]) == (2, 0)
    first, second = detail["incarnations"]
    assert (first["incarnation"], second["incarnation"]) == (1, 2)
    assert "asked" in first["exit_reason"]
    assert "ended_at" not in second
    assert (ended.status_code, unknown.status_code, wrong.status_code) == (409, 404, 400)
    assert gone == {"dies": [], "restarts": [], "notified": []}


async def test_a_process_shows_links_and_monitors_both_ways(serving: Any) -> None:
    async def tied(me: vega.Process) -> None:
        me.link(other)
        async with me.monitor(other):
            await trio.sleep_forever()

    with trio.fail_after(30):
        async with serving() as served:
            other = await served.app.orch.spawn(sleeper, deadline=60)
            one = await served.app.orch.spawn(tied, budget=2)
            detail = await get(served, f"/api/processes/{one.id}")
            back = await get(served, f"/api/processes/{other.id}")
            unsupervised = await served.http.post(f"/api/processes/{one.id}/restart")
    assert (detail["links"], detail["monitors"], detail["monitored_by"]) == ([other.id], [other.id], [])
    assert (back["links"], back["monitors"], back["monitored_by"]) == ([one.id], [], [one.id])
    assert detail["budget"] == {"limit_usd": 2.0, "spent_usd": 0.0}
    assert back["deadline"] > back["started_at"]
    assert detail["supervisor"] == "root"
    assert (unsupervised.status_code, unsupervised.json()["code"]) == (409, "not_supervised")


async def test_rows_have_their_keys_in_the_order_of_the_description(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hi"]) as served:
            await served.chat("x")
            [row] = await get(served, "/api/processes")
            [node] = await get(served, "/api/spawn-tree")
    asked = ["id", "agent", "status", "started_at", "spawn_depth", "spawn_reason", "metrics"]
    assert [key for key in row if key in asked] == asked
    asked = ["process_id", "agent_name", "task", "status", "spawn_depth", "spawn_reason", "started_at"]
    assert list(node) == asked

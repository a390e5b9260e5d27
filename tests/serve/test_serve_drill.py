"""The fault drill: only where it is allowed, and what it plays is what happens."""

from __future__ import annotations

from typing import Any

import pytest
import trio

pytestmark = pytest.mark.e2e


async def play(served: Any, expected: int = 202, **body: str) -> Any:
    answer = await served.http.post("/api/drill", json=body)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def test_without_the_demo_nothing_can_be_played(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving([]) as served:
            assert (await served.http.get("/api/drill")).json() == []
            assert (await play(served, 403, fault="crash"))["code"] == "no_drill"


async def test_what_is_played_is_told_and_what_cannot_be_is_refused(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving([]) as served:
            served.app.drill.allowed = True
            faults = (await served.http.get("/api/drill")).json()
            assert [each["fault"] for each in faults] == ["kill", "crash", "refuse", "cut", "slow"]
            assert all(each["description"] for each in faults)
            assert "there are kill, crash" in (await play(served, 400, fault="earthquake"))["error"]
            assert (await play(served, 400, fault="kill"))["field"] == "process_id"
            await play(served, 404, fault="kill", process_id="nobody")


async def test_a_killed_life_is_followed_by_the_next(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hi", "again"]) as served:
            served.app.drill.allowed = True
            await served.chat("hello")
            [before] = (await served.http.get("/api/processes")).json()
            async with served.listening(types="process.*") as events:
                assert (await play(served, fault="kill", process_id=before["id"]))["status"] == "killed"
                seen = [await anext(events) for _ in range(3)]
            assert [each.event for each in seen] == ["process.failed", "process.restarting", "process.restarted"]
            after = (await served.http.get(f"/api/processes/{before['id']}")).json()
            assert (after["status"], after["incarnation"]) == ("running", 2)
            frames = await served.chat("are you there?")
            assert "".join(each.data.get("delta", "") for each in frames) == "again"

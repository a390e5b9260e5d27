"""Schedules over HTTP: everybody's own, sent by a real server, watched as any turn is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

pytestmark = pytest.mark.e2e

NEW = {"name": "morning", "cron": "0 9 * * MON-FRI", "agent": "assistant", "message": "Report."}


async def test_a_schedule_is_made_changed_listed_and_deleted(serving: Any, tmp_path: Path) -> None:
    store = tmp_path / "v.db"
    with trio.fail_after(30):
        async with serving(store=store) as served:
            made = await served.http.post("/api/schedules", json=NEW)
            assert (made.status_code, set(made.json())) == (201, {*NEW, "enabled", "next_at"})
            assert (await served.http.post("/api/schedules", json=NEW)).status_code == 409
            off = await served.http.put("/api/schedules/morning", json={"enabled": False, "name": "evening"})
            assert (off.json()["name"], off.json()["enabled"]) == ("evening", False)
            assert "next_at" not in off.json()
            assert (await served.http.put("/api/schedules/morning", json={"enabled": True})).status_code == 404
        async with serving(store=store) as served:
            [kept] = (await served.http.get("/api/schedules")).json()
            gone = await served.http.delete("/api/schedules/evening")
            assert (await served.http.get("/api/schedules")).json() == []
    assert kept == off.json()
    assert gone.json() == {"status": "deleted"}


@pytest.mark.parametrize(
    ("wrong", "field", "status"),
    [
        ({"cron": "whenever"}, "cron", 400),
        ({"name": "a/b"}, "name", 400),
        ({"message": " "}, "message", 400),
        ({"message": "x" * 300_000}, "message", 413),
        ({"enabled": "yes"}, "enabled", 400),
        ({"agent": "nobody"}, None, 404),
        ({"surprise": 1}, "surprise", 400),
    ],
)
async def test_a_wrong_schedule_is_refused(serving: Any, wrong: dict[str, Any], field: str | None, status: int) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            answer = await served.http.post("/api/schedules", json=NEW | wrong)
            assert (answer.status_code, answer.json().get("field")) == (status, field)
            assert (await served.http.get("/api/schedules")).json() == []


async def test_a_due_message_is_sent_and_its_turn_can_be_watched(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["Here it is."]) as served:
            now = [served.app.schedules.wall_clock()]
            served.app.schedules.wall_clock = lambda: now[0]
            await served.http.post("/api/schedules", json=NEW | {"cron": "0 * * * *"})
            now[0] += 7200  # as after a sleep of the machine
            async with served.listening(types="turn.finished") as events:
                await served.http.post("/api/schedules", json=NEW | {"name": "wakes the clock"})
                await anext(events)
            shown_now = (await served.http.get("/api/schedules")).json()[0]
            async with served.joining(session=shown_now["session_id"]) as frames:
                shown = [frame.data async for frame in frames]
            chat = (await served.http.get("/api/agents/assistant/chat")).json()
    assert "".join(each.get("delta", "") for each in shown) == "Here it is."
    assert shown_now["last_run_at"]
    assert chat == []


async def test_schedules_are_their_users(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True) as served:
            made = await served.http.post("/api/tokens", json={"user": "ada", "role": "owner"}, headers=served.operator)
            ada = {"authorization": f"Bearer {made.json()['token']}"}
            assert (await served.http.post("/api/schedules", json=NEW, headers=served.operator)).status_code == 201
            assert (await served.http.get("/api/schedules", headers=ada)).json() == []
            assert (await served.http.delete("/api/schedules/morning", headers=ada)).status_code == 404
            assert (await served.http.get("/api/schedules")).status_code == 401

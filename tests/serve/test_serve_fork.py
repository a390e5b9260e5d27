"""Forks over HTTP, and with `vega fork`."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import trio

from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.e2e


async def test_a_fork_goes_on_from_the_event_in_a_session_of_its_own(serving: Any) -> None:
    model = ScriptedModel(["first", "second", "otherwise"])
    with trio.fail_after(30):
        async with serving(model) as served:
            await served.chat("one")
            log = (await served.http.get("/api/events/log", params={"type": "turn.finished"})).json()
            await served.chat("two")
            (origin,) = (await served.http.get("/api/processes")).json()
            path = f"/api/processes/{origin['id']}/fork"
            answer = await served.http.post(path, json={"at": log[0]["id"], "system": "You differ."})
            assert answer.status_code == 201, answer.text
            forked = answer.json()
            assert forked["id"] != origin["id"]
            assert (forked["agent"], forked["status"]) == ("assistant", "running")
            assert forked["started_at"] >= origin["started_at"]
            body = {"message": "three", "session": forked["id"]}
            said = await served.http.post("/api/agents/assistant/chat", json=body)
            assert said.json()["response"] == "otherwise"
    assert [message.text for message in model.requests[-1].messages] == ["one", "first", "three"]
    assert model.requests[-1].system == "You differ."


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"at": 99999}, "at"),
        ({"at": 0}, "at"),
        ({"at": "1"}, "at"),
        ({}, "at"),
        ({"at": 1, "model": "nobody:x"}, "model"),
        ({"at": 1, "modle": "demo"}, "modle"),
    ],
)
async def test_a_wrong_fork_is_refused_naming_the_field(serving: Any, body: dict[str, Any], field: str) -> None:
    with trio.fail_after(30):
        async with serving(["first"]) as served:
            await served.chat("one")
            (origin,) = (await served.http.get("/api/processes")).json()
            answer = await served.http.post(f"/api/processes/{origin['id']}/fork", json=body)
            assert (answer.status_code, answer.json()["field"]) == (400, field)
            assert len((await served.http.get("/api/processes")).json()) == 1
            assert (await served.http.post("/api/processes/nobody/fork", json={"at": 1})).status_code == 404


async def test_the_command_forks_a_process_of_the_server(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["first"]) as served:
            await served.chat("one")
            (origin,) = (await served.http.get("/api/processes")).json()
            command = [sys.executable, "-m", "vega_trio", "fork", origin["id"], "--url", str(served.http.base_url)]
            done = await trio.run_process([*command, "--at", "2"], capture_stdout=True)
            forked = (await served.http.get(f"/api/processes/{done.stdout.decode().strip()}")).json()
            assert [message["content"] for message in forked["messages"]] == ["one"]
            refused = await trio.run_process([*command, "--at", "999"], check=False, capture_stderr=True)
    assert refused.returncode == 1
    assert refused.stderr.decode().startswith("error: there is no event 999")

"""Approvals over a real server: listed, answered once, told in the stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import vega_trio as vega
from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.e2e

CALL = vega.ToolCall("t1", "send_mail", {"to": "ann"})


@vega.tool(approval="always")
async def send_mail(to: str) -> str:
    """Sends a mail."""
    return f"sent to {to}"


async def test_a_stream_says_what_it_waits_for_and_goes_on_with_the_answer(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving([CALL, "done"], tools=[send_mail]) as served:
            async with served.streaming("mail ann", v="2") as frames:
                shown = []
                async for frame in frames:
                    shown.append(frame)
                    if frame.event == "approval_required":
                        (listed,) = (await served.http.get("/api/approvals?status=pending")).json()
                        status = (await served.http.get("/api/agents/assistant/chat/status")).json()
                        path = f"/api/approvals/{frame.data['approval_id']}"
                        answer = await served.http.post(path, json={"decision": "approve"})
            again = await served.http.post(path, json={"decision": "deny"})
            nobody = await served.http.post("/api/approvals/nosuch", json={"decision": "deny"})
            wrong = await served.http.post(path, json={"decision": "maybe"})
            left = (await served.http.get("/api/approvals?status=pending")).json()
    kinds = [frame.event for frame in shown]
    assert kinds == [
        "turn_start", "tool_start", "approval_required", "approval_resolved", "tool_end", "text_delta", "done",
    ]  # fmt: skip
    required, resolved = (frame.data for frame in shown[2:4])
    assert {"tool_name": "send_mail", "arguments": {"to": "ann"}}.items() <= required.items()
    assert required["expires_at"].endswith("Z")
    assert (resolved["approval_id"], resolved["decision"]) == (required["approval_id"], "approve")
    assert shown[4].data["result"] == "sent to ann"
    keys = {"id", "process_id", "agent", "tool_name", "arguments", "reason", "created_at", "expires_at", "status"}
    assert keys <= listed.keys()
    assert (listed["id"], listed["agent"], listed["status"]) == (required["approval_id"], "assistant", "pending")
    assert status["waiting_on"] == f"approval {listed['id']}"
    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert (again.status_code, again.json()["code"]) == (409, "decided")
    assert (nobody.status_code, wrong.status_code, left) == (404, 400, [])


async def test_version_1_of_the_stream_shows_the_five_types_only(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving([CALL, "no"], tools=[send_mail]) as served:
            async with served.streaming("mail ann") as frames:
                kinds = [(await anext(frames)).event]
                while not (found := (await served.http.get("/api/approvals?status=pending")).json()):
                    await trio.lowlevel.checkpoint()
                body = {"decision": "deny", "note": "not now"}
                await served.http.post(f"/api/approvals/{found[0]['id']}", json=body)
                rest = [frame async for frame in frames]
    assert [*kinds, *(frame.event for frame in rest)] == ["tool_start", "tool_end", "text_delta", "done"]
    assert rest[0].data["result"] == "Error: this call was denied: not now"


async def test_an_answer_may_carry_other_arguments(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving([CALL, "done"], tools=[send_mail]) as served:
            async with served.streaming("mail ann", v="2") as frames:
                async for frame in frames:
                    if frame.event == "approval_required":
                        body = {"decision": "approve", "arguments": {"to": "bob"}}
                        await served.http.post(f"/api/approvals/{frame.data['approval_id']}", json=body)
                    if frame.event == "tool_end":
                        told = frame.data["result"]
            (listed,) = (await served.http.get("/api/approvals")).json()
    assert told.startswith("sent to bob\n[a person changed the arguments")
    assert (listed["arguments"], listed["changed"]) == ({"to": "ann"}, {"to": "bob"})


async def test_an_answer_that_comes_too_late_is_410(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving([CALL, "nobody"], tools=[send_mail], approvals={"timeout_s": 0.05}) as served:
            frames = await served.chat("mail ann", v="2")
            required = next(frame.data for frame in frames if frame.event == "approval_required")
            path = f"/api/approvals/{required['approval_id']}"
            late = await served.http.post(path, json={"decision": "approve"})
    assert (late.status_code, late.json()["code"]) == (410, "expired")
    resolved = next(frame.data for frame in frames if frame.event == "approval_resolved")
    assert (resolved["decision"], resolved["status"]) == ("deny", "expired")


async def test_a_stop_of_the_server_does_not_wait_for_a_person_and_the_turn_waits_on_after_it(
    serving: Any, tmp_path: Path
) -> None:
    store = tmp_path / "vega.db"
    with trio.fail_after(20):
        async with serving([CALL], tools=[send_mail], store=store, shutdown_timeout=60.0) as served:
            async with served.streaming("mail ann", v="2") as frames:
                async for frame in frames:
                    if frame.event == "approval_required":
                        break
        async with serving(ScriptedModel(["done"]), tools=[send_mail], store=store) as served:
            async with served.joining(v="2") as frames:
                shown = []
                async for again in frames:
                    shown.append(again)
                    if again.event == "approval_required":
                        assert again.data["approval_id"] == frame.data["approval_id"]
                        path = f"/api/approvals/{again.data['approval_id']}"
                        await served.http.post(path, json={"decision": "approve"})
    assert [each.data["result"] for each in shown if each.event == "tool_end"] == ["sent to ann"]
    assert shown[-1].event == "done"

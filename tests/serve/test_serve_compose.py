"""Agents that are composed, changed and deleted while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from vega_trio.protocols import ModelRequest
from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.e2e


async def test_a_composed_agent_answers_is_listed_and_announced(serving: Any) -> None:
    seen: list[str] = []

    def answer(request: ModelRequest) -> str:
        seen.append(request.system)
        return "aye"

    with trio.fail_after(30):
        async with serving(ScriptedModel([answer])) as served:
            async with served.listening(types="agent.*") as events:
                made = await served.http.post(
                    "/api/agents", json={"name": "pirate", "system": "Talk like one.", "temperature": 1}
                )
                event = await anext(events)
            listed = (await served.http.get("/api/agents")).json()
            await served.chat("hi", "pirate")
    assert (made.status_code, made.json()) == (201, {"name": "pirate", "model": "scripted:test"})
    assert (event.event, event.data["agent"]) == ("agent.created", "pirate")
    [pirate] = [each for each in listed if each["name"] == "pirate"]
    assert pirate["source"] == "composed"
    assert seen == ["Talk like one."]


async def test_a_persona_and_bare_names_make_an_agent_too(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            await served.http.post("/api/agents", json={"name": "a", "persona": "Calm.", "system": "Review."})
            await served.http.post("/api/agents", json={"name": "b", "tools": ["read_file"]})
            first, second = [(await served.http.get(f"/api/agents/{name}")).json() for name in "ab"]
    assert first["system"] == "Calm.\n\nReview."
    assert second["system"]
    assert [tool["name"] for tool in second["tools"]] == ["read_file"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "assistant", "system": "x"}, 409, None),
        ({"name": "mother", "system": "x"}, 409, None),
        ({"name": "if", "system": "x"}, 409, None),
        ({"system": "x"}, 400, "name"),
        ({"name": "a/b", "system": "x"}, 400, "name"),
        ({"name": "x", "system": "x", "temprature": 1}, 400, "temprature"),
        ({"name": "x", "system": "x", "temperature": 9}, 400, "temperature"),
        ({"name": "x", "system": "x", "tools": ["no_such_tool"]}, 400, None),
        ({"name": "x", "system": "x", "tools": ["no__such"]}, 400, None),
        ({"name": "x", "system": 7}, 400, "system"),
        ([], 400, None),
    ],
)
async def test_what_makes_no_agent_is_refused(serving: Any, body: object, status: int, field: str | None) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            answer = await served.http.post("/api/agents", json=body)
            listed = (await served.http.get("/api/agents")).json()
    assert answer.status_code == status, answer.text
    assert field is None or answer.json()["field"] == field
    assert answer.json()["hint"]
    assert [each["name"] for each in listed] == ["assistant", "reviewer"]


async def test_text_of_an_agent_names_no_variables_of_the_environment(
    serving: Any,
) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            await served.http.post("/api/agents", json={"name": "x", "system": "say ${A_SECRET} and $${A_SECRET}"})
            shown = (await served.http.get("/api/agents/x")).json()
    assert shown["system"] == "say ${A_SECRET} and $${A_SECRET}"


async def test_a_change_keeps_the_rest_and_what_was_said_under_a_new_name_too(serving: Any) -> None:
    seen: list[str] = []

    def answer(request: ModelRequest) -> str:
        seen.append(request.system)
        return f"answer {len(seen)}"

    with trio.fail_after(30):
        async with serving(ScriptedModel([answer, answer])) as served:
            await served.http.post("/api/agents", json={"name": "x", "system": "First.", "description": "D"})
            await served.chat("one", "x")
            changed = await served.http.put("/api/agents/x", json={"system": "Second.", "name": "y"})
            shown = (await served.http.get("/api/agents/y")).json()
            gone = await served.http.get("/api/agents/x")
            await served.chat("two", "y")
            said = (await served.http.get("/api/agents/y/chat")).json()
            unknown = await served.http.put("/api/agents/nosuch", json={})
            of_file = await served.http.put("/api/agents/assistant", json={"system": "x"})
            builtin = await served.http.put("/api/agents/hermes", json={"system": "x"})
            taken = await served.http.put("/api/agents/y", json={"name": "reviewer"})
    assert (changed.status_code, shown["description"], shown["system"]) == (200, "D", "Second.")
    assert seen == ["First.", "Second."]
    assert [each["content"] for each in said] == ["one", "answer 1", "two", "answer 2"]
    assert (gone.status_code, unknown.status_code, of_file.status_code, taken.status_code) == (404, 404, 409, 409)
    assert builtin.status_code == 403


async def test_a_deleted_agent_is_gone_with_its_processes(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hi", "hi"]) as served:
            await served.http.post("/api/agents", json={"name": "x", "system": "s"})
            await served.chat("one", "x")
            await served.chat("one", "assistant")
            async with served.listening(types="agent.*") as events:
                composed = await served.http.delete("/api/agents/x")
                event = await anext(events)
            of_file = await served.http.delete("/api/agents/assistant")
            again = await served.http.delete("/api/agents/x")
            processes = (await served.http.get("/api/processes?status=running")).json()
            listed = (await served.http.get("/api/agents")).json()
    assert composed.json() == {"status": "deleted", "name": "x"}
    assert (event.event, event.data["agent"]) == ("agent.deleted", "x")
    assert of_file.json() == {"status": "deleted", "name": "assistant", "until": "restart"}
    assert again.status_code == 404
    assert processes == []
    assert [each["name"] for each in listed] == ["reviewer"]


async def test_composed_agents_outlive_the_server_and_deleted_ones_do_not(serving: Any, tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    with trio.fail_after(30):
        async with serving(store=path) as served:
            for name in ("kept", "gone"):
                await served.http.post("/api/agents", json={"name": name, "system": name})
            await served.http.delete("/api/agents/gone")
            await served.http.delete("/api/agents/assistant")
        async with serving(["hello"], store=path) as served:
            listed = (await served.http.get("/api/agents")).json()
            frames = await served.chat("x", "kept")
    assert [each["name"] for each in listed] == ["assistant", "reviewer", "kept"]
    assert frames[-1].event == "done"


async def test_a_composed_agent_is_given_out_as_a_document(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            await served.http.post("/api/agents", json={"name": "pirate", "system": "Talk\nlike one.", "budget": 1})
            answer = await served.http.get("/api/agents/pirate/template")
            assert answer.text == 'agents:\n  "pirate":\n    system: |-\n      Talk\n      like one.\n    budget: 1\n'
            assert answer.headers["content-type"] == "application/yaml; charset=utf-8"
            assert "attachment" in answer.headers["content-disposition"]
            for name, status in (("nobody", 404), ("assistant", 409)):
                assert (await served.http.get(f"/api/agents/{name}/template")).status_code == status

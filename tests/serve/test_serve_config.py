"""The document over HTTP: shown, and replaced while conversations and runs go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from vega_trio.protocols import ModelRequest

pytestmark = pytest.mark.e2e

NEW = """
agents:
  assistant: {system: You are new., tools: [read_file]}
  critic: {system: You criticise., team: [assistant]}
workflows:
  hello: {steps: [{critic: Hello}]}
settings: {default_model: scripted, idle_stop: 5m}
"""


async def upload(served: Any, document: str, expected: int = 200) -> Any:
    answer = await served.http.post("/api/config/upload", json={"document": document})
    assert answer.status_code == expected, answer.text
    return answer.json()


async def ask(served: Any, message: str, agent: str = "assistant") -> str:
    answer = await served.http.post(f"/api/agents/{agent}/chat", json={"message": message})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["response"])


def told(system: str, *said: str) -> Any:
    """A reply that first checks what the model is given."""

    def reply(request: ModelRequest) -> str:
        assert request.system.startswith(system)
        assert [message.text for message in request.messages] == list(said)
        return "ok"

    return reply


async def test_another_document_is_taken_up_and_chats_go_on(serving: Any, tmp_path: Path) -> None:
    replies = [told("You help.", "one"), told("You are new.", "one", "ok", "two"), told("You criticise.", "three")]
    with trio.fail_after(30):
        async with serving(replies) as served:
            shown = (await served.http.get("/api/config")).json()
            assert shown["document"] == (tmp_path / "served.vega.yaml").read_text()
            assert shown["editable"]
            await ask(served, "one")
            async with served.listening(types="agent.*") as events:
                taken = await upload(served, NEW)
                heard = [(await anext(events)) for _ in range(3)]
            assert (taken["created"], taken["updated"], taken["deleted"]) == (["critic"], ["assistant"], ["reviewer"])
            assert taken["workflows"] == ["hello"]
            assert "idle_stop" in taken["restart"]
            assert [each.event for each in heard] == ["agent.created", "agent.updated", "agent.deleted"]
            assert (tmp_path / "served.vega.yaml").read_text() == NEW
            await ask(served, "two")
            await ask(served, "three", "critic")
            names = [each["name"] for each in (await served.http.get("/api/agents")).json()]
            assert names == ["assistant", "critic"]
            assert [each["name"] for each in (await served.http.get("/api/workflows")).json()] == ["hello"]
            tools = {each["name"]: each["agents"] for each in (await served.http.get("/api/tools")).json()}
            assert tools["read_file"] == ["assistant"]
            assert "delegate" not in tools


async def test_a_document_with_errors_changes_nothing_and_says_where(serving: Any, tmp_path: Path) -> None:
    with trio.fail_after(30):
        async with serving(["still"]) as served:
            before = (tmp_path / "served.vega.yaml").read_text()
            wrong = await upload(served, "agents: {a: {system: s, modle: demo}}\n", 422)
            assert (wrong["code"], wrong["diagnostics"][0]["code"]) == ("document", "V004")
            assert wrong["diagnostics"][0]["line"] == 1
            assert (await upload(served, "", 422))["diagnostics"]
            unknown = "agents: {a: {system: s, model: scripted, knowledge: [gone://x]}}\n"
            assert (await upload(served, unknown, 422))["code"] == "document"
            assert (tmp_path / "served.vega.yaml").read_text() == before
            assert await ask(served, "x") == "still"


async def test_composed_agents_stay_and_a_name_is_one_agents_only(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["mine"]) as served:
            body = {"name": "mine", "system": "I am.", "team": ["assistant"]}
            assert (await served.http.post("/api/agents", json=body)).status_code == 201
            assert (await upload(served, NEW.replace("critic", "mine"), 409))["code"] == "conflict"
            await upload(served, NEW)
            assert await ask(served, "x", "mine") == "mine"


@pytest.mark.parametrize(
    "programs",
    [
        "settings: {default_model: m, mcp: {servers: [{name: x, command: 'false'}]}}",
        "settings: {default_model: m, commands: {sandbox: none}}",
        "settings: {default_model: m}\ntools: {x: {description: d, run: touch owned}}",
    ],
)
async def test_no_program_comes_in_over_the_api(serving: Any, programs: str) -> None:
    document = f"agents: {{a: {{system: s}}}}\n{programs}\n"
    with trio.fail_after(30):
        async with serving() as served:
            refused = await upload(served, document, 403)
            assert "--allow-mcp-commands" in refused["error"]
            served.app.mcp.any_command = True
            await upload(served, document)


async def test_the_document_is_the_operators(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True) as served:
            for user, role in (("ada", "owner"), ("default", "viewer")):
                made = await served.http.post("/api/tokens", json={"user": user, "role": role}, headers=served.operator)
                theirs = {"authorization": f"Bearer {made.json()['token']}"}
                assert (await served.http.get("/api/config", headers=theirs)).status_code == 403
                posted = await served.http.post("/api/config/upload", json={"document": NEW}, headers=theirs)
                assert posted.status_code == 403
            assert (await served.http.get("/api/config", headers=served.operator)).status_code == 200

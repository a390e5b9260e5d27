"""What agents remember of their users, by their tools."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

import vega_trio as vega
from vega_trio.app.user_memory import matching
from vega_trio.testing import ScriptedModel

TEXT = """
agents:
  a: {model: demo, system: You are a., team: [b]}
  b: {model: demo, system: You are b.}
workflows:
  ask:
    steps:
      - a: {send: remember, save: said}
    output: said
settings: {memory: {enabled: true}}
"""
ANN, BOB = vega.Session("a", "ann"), vega.Session("a", "bob")


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(10):
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "m.vega.yaml"
    path.write_text(TEXT)
    return path


def call(name: str, **arguments: Any) -> vega.ToolCall:
    return vega.ToolCall(f"c-{name}", name, arguments)


def remember(content: str, **more: Any) -> list[Any]:
    return [call("remember", content=content, **more), "done"]


async def told(app: vega.App, session: vega.Session, text: str = "go") -> str:
    """The turn's last tool result."""
    await app.ask(session, text)
    return (await app.transcript(session))[-1].tool_calls[-1].result


async def contents(app: vega.App, agent: str, user: str) -> list[str]:
    return [row["content"] for row in await app.memories.of(agent, user).items()]


async def test_what_is_remembered_is_found_in_later_programs_and_forgotten_by_its_id(path: Path) -> None:
    store = path.with_name("vega.db")
    script = remember("Likes green tea.", topic="drinks", tags=["taste"])
    async with vega.open_app(path, model=ScriptedModel(script), store=store) as app:
        item = (await told(app, ANN)).removeprefix("remembered: ")
    gone = call("forget", id=item)
    script = [call("recall", query="TEA", limit=3), "done", gone, "done", gone, "no"]
    async with vega.open_app(path, model=ScriptedModel(script), store=store) as app:
        [found] = json.loads(await told(app, ANN))
        assert found.pop("created_at")
        assert found == {"id": item, "content": "Likes green tea.", "topic": "drinks", "tags": ["taste"]}
        assert await told(app, ANN) == f"forgotten: {item}"
        assert await told(app, ANN) == f"Error: nothing is remembered under the id '{item}'; recall gives the ids"


async def test_no_user_and_no_agent_finds_or_forgets_what_another_remembers(path: Path) -> None:
    async with vega.open_app(path, model=ScriptedModel(remember("Ann's secret."))) as app:
        item = (await told(app, ANN)).removeprefix("remembered: ")
        for session in (BOB, vega.Session("b", "ann")):
            assert await contents(app, session.agent, session.user) == []
            assert not await app.memories.of(session.agent, session.user).drop(item)
        assert await contents(app, "a", "ann") == ["Ann's secret."]


async def test_two_users_who_remember_at_once_each_keep_their_own(path: Path) -> None:
    def script(request: Any) -> Any:
        if request.messages[-1].tool_results:
            return "done"
        return call("remember", content=request.messages[-1].text)

    async with vega.open_app(path, model=ScriptedModel(script)) as app:
        async with trio.open_nursery() as nursery:
            for session in (ANN, BOB):
                nursery.start_soon(app.ask, session, f"of {session.user}")
        assert await contents(app, "a", "ann") == ["of ann"]
        assert await contents(app, "a", "bob") == ["of bob"]


async def test_a_member_of_a_team_remembers_for_the_leaders_user_as_itself(path: Path) -> None:
    script = [call("delegate", agent="b", message="work"), *remember("Ann is in a hurry."), "all done"]
    async with vega.open_app(path, model=ScriptedModel(script)) as app:
        await app.ask(ANN, "go")
        assert await contents(app, "b", "ann") == ["Ann is in a hurry."]
        assert await contents(app, "a", "ann") == []


async def test_an_agent_of_a_run_remembers_for_the_runs_user(path: Path) -> None:
    async with vega.open_app(path, model=ScriptedModel(remember("Runs on Mondays."))) as app:
        await (await app.run_workflow("ask", {}, user="ann")).wait()
        assert await contents(app, "a", "ann") == ["Runs on Mondays."]
        assert await contents(app, "a", "default") == []


@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("remember", {"content": "  "}, "content must have 1 to 4000 characters, not 0"),
        ("remember", {"content": "x" * 4001}, "content must have 1 to 4000 characters, not 4001"),
        ("remember", {"content": "x", "tags": ["t"] * 21}, "there are 21 tags, and at most 20 are kept"),
        ("remember", {"content": "x", "topic": "t" * 101}, "a topic or tag has 101 characters"),
        ("recall", {"query": "x", "limit": 0}, "limit must be 1 to 50, not 0"),
    ],
)
async def test_what_cannot_be_remembered_is_said_to_the_model(
    path: Path, name: str, arguments: dict[str, Any], complaint: str
) -> None:
    async with vega.open_app(path, model=ScriptedModel([call(name, **arguments), "done"])) as app:
        assert complaint in await told(app, ANN)
        assert await contents(app, "a", "ann") == []


async def test_without_the_setting_no_agent_has_the_tools(path: Path) -> None:
    path.write_text(TEXT.replace("enabled: true", "enabled: false"))
    async with vega.open_app(path, model=ScriptedModel([])) as app:
        assert not {"remember", "recall", "forget"} & set(app.agent("a").tools)


async def test_clearing_forgets_one_users_items_and_layers_only(path: Path) -> None:
    async with vega.open_app(path, model=ScriptedModel([])) as app:
        memories = app.memories
        for user in ("ann", "bob"):
            await memories.of("a", user).keep("1", f"of {user}", "", ())
        await memories.of("a", "ann").clear()
        assert await contents(app, "a", "ann") == []
        assert await contents(app, "a", "bob") == ["of bob"]


async def test_an_agent_with_a_new_name_remembers_what_it_did(path: Path) -> None:
    async with vega.open_app(path, model=ScriptedModel(remember("Likes tea."))) as app:
        await app.composer.create("old", {"model": "demo", "system": "You are new."})
        item = (await told(app, vega.Session("old", "ann"))).removeprefix("remembered: ")
        await app.composer.update("old", {}, "new")
        assert await contents(app, "old", "ann") == []
        assert await contents(app, "new", "ann") == ["Likes tea."]
        assert await app.memories.of("new", "ann").drop(item)


async def test_the_most_words_come_first_and_then_the_newest() -> None:
    texts = ["green tea", "black tea", "water", "black green tea"]
    items = [{"content": text, "topic": "", "tags": []} for text in texts]
    found = [row["content"] for row in matching(items, "Black TEA black")]
    assert found == ["black green tea", "black tea", "green tea"]
    assert matching(items, " ") == []

"""Composed agents when the program starts again."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

import vega_trio as vega

DOCUMENT = "agents:\n  assistant: {model: demo, system: You help.}\n"
TEAM = {"lead": ["researcher", "writer"], "researcher": ["writer"], "writer": ["researcher"]}


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "team.vega.yaml"
    path.write_text(DOCUMENT)
    return path


async def compose(document: Path, store: Path) -> None:
    async with vega.open_app(document, store=store) as app:
        for name in TEAM:
            await app.composer.create(name, {"system": f"You are {name}.", "description": f"{name} for all"})
        for name, team in TEAM.items():
            await app.composer.update(name, {"team": team})


async def test_a_leader_is_back_with_its_team_whichever_of_them_is_read_first(document: Path, tmp_path: Path) -> None:
    with trio.fail_after(20):
        await compose(document, tmp_path / "v.db")
        async with vega.open_app(document, store=tmp_path / "v.db") as app:
            agents = {each.agent.name: each for each in app.agents() if each.agent.name in TEAM}
            assert {name: list(each.team) for name, each in agents.items()} == TEAM
            assert all(f"{mate} for all" in str(agents["lead"].agent.system) for mate in TEAM["lead"])


async def test_one_that_cannot_be_read_takes_its_leaders_with_it_and_nobody_else(
    document: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with trio.fail_after(20):
        async with vega.open_app(document, store=tmp_path / "v.db") as app:
            await app.composer.create("a", {"system": "x", "tools": ["read_file"]})
            await app.composer.create("b", {"system": "x", "team": ["assistant"]})
            await app.composer.create("c", {"system": "x"})
        document.write_text(DOCUMENT.replace("assistant", "helper"))
        async with vega.open_app(document, store=tmp_path / "v.db") as app:
            assert {"a", "c"} <= {each.agent.name for each in app.agents()}
            assert "b" not in {each.agent.name for each in app.agents()}
    assert "the composed agent 'b' is left out: " in caplog.text

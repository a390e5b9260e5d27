"""A program that is killed while a team works. The database as it is at one moment is what a kill then would leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from killed_database import killed

import vega_trio as vega
from vega_trio.protocols import ModelRequest
from vega_trio.testing import ScriptedModel

DOCUMENT = """
agents:
  Lead: {model: demo, system: You lead., team: [Writer]}
  Writer: {model: demo, system: You write.}
"""
LEAD = vega.Session("Lead")


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(20):
        yield


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "team.vega.yaml"
    path.write_text(DOCUMENT)
    return path


class Team:
    """The leader delegates once and reports; the writer answers when it may. `written` counts the writer's calls."""

    def __init__(self, *, writes: bool) -> None:
        self.asked, self.writes, self.written = trio.Event(), writes, 0
        self.model = ScriptedModel(self)

    async def __call__(self, request: ModelRequest) -> str | vega.ToolCall:
        if request.system.startswith("You lead."):
            if request.messages[-1].tool_results:
                return f"it says: {request.messages[-1].tool_results[0].content}"
            return vega.ToolCall("c1", "delegate", {"agent": "Writer", "message": "write"})
        self.written += 1
        self.asked.set()
        if not self.writes:
            await trio.sleep_forever()
        return "words"


async def go_on(document: Path, left: Path) -> tuple[str, int, list[str]]:
    """What the leader says in the next program, how often the writer's model was asked in it, and all children."""
    team = Team(writes=True)
    async with vega.open_app(document, model=team.model, store=left) as app:
        while (await app.chat_status(LEAD)).streaming:
            await trio.lowlevel.checkpoint()
        said = (await app.transcript(LEAD))[-1].content
        children = [row.status for row in await app.processes(agent="Writer")]
    return said, team.written, children


async def test_a_member_at_work_goes_on_and_its_leader_waits_for_that_very_one(document: Path) -> None:
    path, team = document.with_name("v.db"), Team(writes=False)
    async with vega.open_app(document, model=team.model, store=path) as app:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(app.ask, LEAD, "go")
            await team.asked.wait()
            left = killed(path)
            nursery.cancel_scope.cancel()
    assert await go_on(document, left) == ("it says: words", 1, ["completed"])


async def test_work_that_was_done_before_the_kill_is_not_done_again(document: Path) -> None:
    path, team, left = document.with_name("v.db"), Team(writes=True), list[Path]()
    async with vega.open_app(document, model=team.model, store=path) as app:

        def tap(event: vega.Event) -> None:
            if event.type == "process.completed" and event.agent == "Writer":
                left.append(killed(path))

        with app.orch.bus.tapped(tap):
            await app.ask(LEAD, "go")
    assert await go_on(document, left[0]) == ("it says: words", 0, ["completed"])

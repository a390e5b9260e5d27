"""The demo model plays Mother and Hermes well enough to see a team made and put to work, without a key."""

from __future__ import annotations

from pathlib import Path

import trio

import vega_trio as vega
from vega_trio.llm.demo import DemoModel

DOCUMENT = "agents:\n  helper: {model: demo, system: You help., tools: [read_file]}\n"


async def test_hermes_has_mother_make_a_researcher_sends_it_work_and_puts_the_answers_together(
    tmp_path: Path, autojump_clock: object
) -> None:
    path = tmp_path / "one.vega.yaml"
    path.write_text(DOCUMENT)
    with trio.fail_after(300):
        async with vega.open_app(path, model=DemoModel(), meta=True) as app:
            async with app.chat(
                vega.Session("hermes"), "Do a competitive analysis of our top 3 competitors and write it up"
            ) as turn:
                events = [event async for event in turn]
            starts = [each for each in events if isinstance(each, vega.ToolStart) and each.agent == "hermes"]
            sent = [str(each.arguments.get("agent", "")) for each in starts]
            assert [each.tool_name for each in starts] == ["list_agents", *["send_to_agent"] * 5]
            assert sent == ["", "mother", "researcher", "researcher", "researcher", "writer"]
            created = [each for each in events if isinstance(each, vega.ToolStart) and each.agent == "mother"]
            assert [each.tool_name for each in created] == [
                "list_agents", "list_available_tools", "create_agent", "create_agent",
            ]  # fmt: skip
            searched = [each for each in events if isinstance(each, vega.ToolStart) and each.agent == "researcher"]
            assert sorted(str(each.arguments["query"]) for each in searched) == [f"competitor {each}" for each in "ABC"]
            assert isinstance(events[-1], vega.TurnFinished)
            assert "put together" in events[-1].text
            assert app.agent("researcher").tools == ("web_search",)


async def test_mother_makes_a_team_of_a_researcher_and_a_lead(tmp_path: Path, autojump_clock: object) -> None:
    path = tmp_path / "one.vega.yaml"
    path.write_text(DOCUMENT)
    with trio.fail_after(300):
        async with vega.open_app(path, model=DemoModel(), meta=True) as app:
            reply = await app.ask(vega.Session("mother"), "I need an agent that researches competitors")
            assert "**researcher**" in reply.text
            assert "**lead**" in reply.text
            assert app.agent("lead").tools == ("delegate",)
            again = await app.ask(vega.Session("mother"), "I need an agent that researches competitors")
            assert "there is an agent 'researcher' already" in again.text
            gone = await app.ask(vega.Session("mother"), "Please delete the agent lead")
            assert "deleted lead" in gone.text
            assert "lead" not in [each.agent.name for each in app.agents()]

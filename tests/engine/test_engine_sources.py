"""Tools that come and go, among those that an agent has of its own."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import trio

import vega_trio as vega
from vega_trio.protocols import Tool
from vega_trio.testing import FakeTool, ScriptedModel


@attrs.define
class Source:
    """A source whose tools the test changes."""

    name: str
    tools: Mapping[str, Tool]

    async def ready(self) -> None:
        await trio.lowlevel.checkpoint()


def answering(name: str, *tools: str) -> Source:
    return Source(name, {tool: FakeTool(tool, f"{tool} of {name}") for tool in tools})


async def results(*tools: object) -> list[str]:
    """What comes of a call of `look`, `find` and `keep`."""
    calls = [vega.ToolCall(name, name, {}) for name in ("look", "find", "keep")]
    model = ScriptedModel([calls, "done"])
    agent = vega.Agent(name="a", system="x", tools=tools)
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
        await proc.send("go")
    assert sorted(each.name for each in model.requests[0].tools) == ["find", "keep", "look"]
    return [result.content for result in model.requests[1].messages[-1].tool_results]


async def test_no_source_takes_the_place_of_another_or_of_the_agents_own() -> None:
    one, two = answering("one", "look", "find"), answering("two", "look", "find", "keep")
    with trio.fail_after(10):
        assert await results(FakeTool("look", "own"), one, two) == ["own", "find of one", "keep of two"]
        assert await results(two, one, FakeTool("look", "own")) == ["own", "find of two", "keep of two"]


async def test_a_turn_has_the_tools_that_its_sources_have_then() -> None:
    source = answering("one", "look")
    model = ScriptedModel(["hello", "hello again"])
    with trio.fail_after(10):
        agent = vega.Agent(name="a", system="x", tools=[source])
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            await proc.send("go")
            source.tools = answering("one", "find").tools
            await proc.send("go")
    assert [[each.name for each in request.tools] for request in model.requests] == [["look"], ["find"]]

"""A model that goes round in circles is warned and then stopped; one that never gets a tool's arguments right, too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
from talk import WAYS, Told, Way

import vega_trio as vega
from vega_trio.protocols import ModelRequest
from vega_trio.testing import FakeTool, ScriptedModel

pytestmark = pytest.mark.parametrize("ask", WAYS)


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(5):
        yield


def always_looking(request: ModelRequest) -> vega.ToolCall:
    return vega.ToolCall(f"c{len(request.messages)}", "look", {"at": "it"})


async def test_the_same_call_three_times_warns_the_model_and_five_times_ends_the_turn(ask: Way) -> None:
    model, tool = ScriptedModel(always_looking), FakeTool("look", "nothing new")
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(vega.Agent(name="a", tools=[tool])) as proc:
        told = await ask(proc, "go")
        assert told.error_class == "limit_exceeded"
        assert "'look' 5 times" in told.error
        assert len(tool.calls) == 4
        results = [each.content for message in proc.messages() for each in message.tool_results]
        assert results[:2] == ["nothing new", "nothing new"]
        assert all("number" in each for each in results[2:4])
        assert results[4].startswith("Error: not run")
        assert proc.alive


async def test_the_failure_says_doom_loop(ask: Way) -> None:
    tool = FakeTool("look")
    agent = vega.Agent(name="a", tools=[tool])
    async with vega.open_orchestrator(model=ScriptedModel(always_looking)) as orch, orch.spawn(agent) as proc:
        async with orch.subscribe([vega.TurnFailure]) as events:
            await ask(proc, "go")
            assert (await anext(events)).stop_reason == "doom_loop"
        with pytest.raises(vega.TurnFailed) as raised:
            await proc.send("again")
        assert raised.value.stop_reason == "doom_loop"


async def test_the_next_turn_counts_from_the_start(ask: Way) -> None:
    look = vega.ToolCall("c", "look", {})
    agent = vega.Agent(name="a", tools=[FakeTool("look")])
    with ScriptedModel([look, look, "one", look, look, "two"]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            assert await ask(proc, "go") == Told("one")
            assert await ask(proc, "go") == Told("two")
            assert not any("number 3" in str(message.tool_results) for message in proc.messages())


async def test_a_tool_that_asks_for_better_arguments_gets_them(ask: Way) -> None:
    def weather(city: str) -> str:
        if city == "?":
            raise vega.ToolRetry("give a city")
        return f"sunny in {city}"

    calls = [vega.ToolCall(str(n), "weather", {"city": city}) for n, city in enumerate("?O")]
    with ScriptedModel([*calls, "It is sunny."]) as model:
        agent = vega.Agent(name="a", tools=[weather])
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            assert await ask(proc, "go") == Told("It is sunny.")
            told = [each for message in proc.messages() for each in message.tool_results]
            assert [(each.content, each.is_error) for each in told] == [
                ("Error: give a city", True),
                ("sunny in O", False),
            ]


async def test_a_tool_that_never_gets_them_ends_the_turn(ask: Way) -> None:
    tool = FakeTool("look", vega.ToolRetry("not that"))

    def guessing(request: ModelRequest) -> vega.ToolCall:
        return vega.ToolCall(f"c{len(request.messages)}", "look", {"at": len(request.messages)})

    agent = vega.Agent(name="a", tools=[tool])
    async with vega.open_orchestrator(model=ScriptedModel(guessing)) as orch, orch.spawn(agent) as proc:
        told = await ask(proc, "go")
        assert told.error_class == "limit_exceeded"
        assert "'look' with arguments that it refused 6 times in a row" in told.error
        assert len(tool.calls) == 6
        assert proc.alive

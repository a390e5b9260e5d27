"""An agent's functions become tools once, whoever spawns it and however often; unless their options change."""

from __future__ import annotations

import trio

import vega_trio as vega
from vega_trio.protocols import ModelRequest
from vega_trio.testing import ScriptedModel


def look(city: str) -> str:
    """Looks out of the window."""
    return f"rain in {city}"


async def test_two_processes_of_an_agent_share_what_was_read_of_its_functions() -> None:
    asked: list[ModelRequest] = []
    model = ScriptedModel(lambda request: asked.append(request) or "ok")
    with trio.fail_after(30):
        async with vega.open_orchestrator(model=model) as orch:
            for _ in range(2):
                process = await orch.spawn(vega.Agent(name="a", tools=[look]))
                await process.send("go")
    (first,), (second,) = (request.tools for request in asked)
    assert first is second


async def test_a_function_that_gets_other_options_is_read_anew() -> None:
    asked: list[ModelRequest] = []
    model = ScriptedModel(lambda request: asked.append(request) or "ok")
    with trio.fail_after(30):
        async with vega.open_orchestrator(model=model) as orch:
            for name in ("window", "door"):
                process = await orch.spawn(vega.Agent(name="a", tools=[vega.tool(name=name)(look)]))
                await process.send("go")
    assert [spec.name for request in asked for spec in request.tools] == ["window", "door"]

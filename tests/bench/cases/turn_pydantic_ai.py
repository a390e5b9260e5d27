"""Turns of pydantic-ai's agents."""

from __future__ import annotations

from on_asyncio import add, run_turns
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from stopwatch import Cost


def run(model: str, count: int, at_once: int) -> Cost:
    agent = Agent(AnthropicModel(model), instructions="Be brief.")
    if model.startswith("tools"):
        agent.tool_plain(add)

    async def turn() -> None:
        if model.startswith("deltas"):
            async with agent.run_stream("hi") as result:
                async for _ in result.stream_text(delta=True, debounce_by=None):
                    pass
        else:
            await agent.run("hi")

    return run_turns(turn, count, at_once)

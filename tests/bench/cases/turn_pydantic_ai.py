"""Turns of pydantic-ai's agents."""

from __future__ import annotations

from on_asyncio import Tool, Turn
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel


def turn_of(model: str, tools: list[Tool]) -> Turn:
    agent = Agent(AnthropicModel(model), instructions="Be brief.", tools=tools)

    async def turn() -> None:
        if model.startswith("deltas"):
            async with agent.run_stream("hi") as result:
                async for _ in result.stream_text(delta=True, debounce_by=None):
                    pass
        else:
            await agent.run("hi")

    return turn

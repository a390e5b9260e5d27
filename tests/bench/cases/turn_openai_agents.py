"""Turns of openai-agents, by chat completions: it speaks to no other model by itself. No traces, which go abroad."""

from __future__ import annotations

import os

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from on_asyncio import Tool, Turn
from openai import AsyncOpenAI

set_tracing_disabled(True)


def turn_of(model: str, tools: list[Tool]) -> Turn:
    client = AsyncOpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key="bench", max_retries=0)
    spoken = OpenAIChatCompletionsModel(model=model, openai_client=client)
    agent = Agent(name="bench", instructions="Be brief.", model=spoken, tools=[function_tool(each) for each in tools])

    async def turn() -> None:
        if model.startswith("deltas"):
            async for _ in Runner.run_streamed(agent, "hi").stream_events():
                pass
        else:
            await Runner.run(agent, "hi")

    return turn

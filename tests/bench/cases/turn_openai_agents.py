"""Turns of openai-agents, by chat completions: it speaks to no other model by itself. No traces, which go abroad."""

from __future__ import annotations

import os

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from on_asyncio import add, run_turns
from openai import AsyncOpenAI
from stopwatch import Cost

set_tracing_disabled(True)


def run(model: str, count: int, at_once: int) -> Cost:
    client = AsyncOpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key="bench", max_retries=0)
    tools = [function_tool(add)] if model.startswith("tools") else []
    spoken = OpenAIChatCompletionsModel(model=model, openai_client=client)
    agent = Agent(name="bench", instructions="Be brief.", model=spoken, tools=tools)

    async def turn() -> None:
        if model.startswith("deltas"):
            async for _ in Runner.run_streamed(agent, "hi").stream_events():
                pass
        else:
            await Runner.run(agent, "hi")

    return run_turns(turn, count, at_once)

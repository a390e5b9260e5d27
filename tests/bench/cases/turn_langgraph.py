"""Turns of langgraph's prebuilt agent."""

from __future__ import annotations

import os
import warnings

from langchain_anthropic import ChatAnthropic
from langgraph.prebuilt import create_react_agent
from on_asyncio import Tool, Turn

warnings.simplefilter("ignore")  # of its own deprecations


def turn_of(model: str, tools: list[Tool]) -> Turn:
    llm = ChatAnthropic(model=model, base_url=os.environ["ANTHROPIC_BASE_URL"], max_tokens=100)
    agent = create_react_agent(llm, tools, prompt="Be brief.")

    async def turn() -> None:
        given = {"messages": [("user", "hi")]}
        if model.startswith("deltas"):
            async for _ in agent.astream(given, stream_mode="messages"):
                pass
        else:
            await agent.ainvoke(given)

    return turn

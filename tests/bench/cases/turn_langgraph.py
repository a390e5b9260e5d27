"""Turns of langgraph's prebuilt agent."""

from __future__ import annotations

import os
import warnings

from langchain_anthropic import ChatAnthropic
from langgraph.prebuilt import create_react_agent
from on_asyncio import add, run_turns
from stopwatch import Cost

warnings.simplefilter("ignore")  # of its own deprecations


def run(model: str, count: int, at_once: int) -> Cost:
    llm = ChatAnthropic(model=model, base_url=os.environ["ANTHROPIC_BASE_URL"], max_tokens=100)
    agent = create_react_agent(llm, [add] if model.startswith("tools") else [], prompt="Be brief.")

    async def turn() -> None:
        given = {"messages": [("user", "hi")]}
        if model.startswith("deltas"):
            async for _ in agent.astream(given, stream_mode="messages"):
                pass
        else:
            await agent.ainvoke(given)

    return run_turns(turn, count, at_once)

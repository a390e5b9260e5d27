"""Turns of a CrewAI agent, without its telemetry."""

from __future__ import annotations

import os

os.environ |= {"CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true", "CREWAI_TRACING_ENABLED": "false"}

from crewai import LLM, Agent
from crewai.tools import tool
from on_asyncio import Tool, Turn


def turn_of(model: str, tools: list[Tool]) -> Turn:
    streams = model.startswith("deltas")
    url = os.environ["ANTHROPIC_BASE_URL"]
    llm = LLM(model=model, provider="anthropic", base_url=url, max_tokens=100, stream=streams)
    given = [tool(each.__name__)(each) for each in tools]

    async def turn() -> None:
        agent = Agent(role="bench", goal="Be brief.", backstory="Brief.", llm=llm, tools=given)
        await agent.kickoff_async("hi")

    return turn

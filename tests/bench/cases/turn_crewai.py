"""Turns of a CrewAI agent, without its telemetry."""

from __future__ import annotations

import os

os.environ |= {"CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true", "CREWAI_TRACING_ENABLED": "false"}

from crewai import LLM, Agent
from crewai.tools import tool
from on_asyncio import run_turns
from stopwatch import Cost


@tool("add")
def add(a: int, b: int) -> str:
    """Adds two numbers."""
    return str(a + b)


def run(model: str, count: int, at_once: int) -> Cost:
    streams = model.startswith("deltas")
    url = os.environ["ANTHROPIC_BASE_URL"]
    llm = LLM(model=model, provider="anthropic", base_url=url, max_tokens=100, stream=streams)
    tools = [add] if model.startswith("tools") else []

    async def turn() -> None:
        agent = Agent(role="bench", goal="Be brief.", backstory="Brief.", llm=llm, tools=tools)
        await agent.kickoff_async("hi")

    return run_turns(turn, count, at_once)

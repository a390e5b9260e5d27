"""Turns of AutoGen's assistant agent."""

from __future__ import annotations

import os

from autogen_agentchat.agents import AssistantAgent
from autogen_core.models import ModelInfo
from autogen_ext.models.anthropic import AnthropicChatCompletionClient
from on_asyncio import Tool, Turn

INFO = ModelInfo(vision=False, function_calling=True, json_output=False, family="unknown", structured_output=False)


def turn_of(model: str, tools: list[Tool]) -> Turn:
    client = AnthropicChatCompletionClient(
        model=model, base_url=os.environ["ANTHROPIC_BASE_URL"], api_key="bench", model_info=INFO, max_retries=0
    )

    async def turn() -> None:
        # It keeps its conversation: each turn has an agent of its own, as with the others.
        agent = AssistantAgent(
            "bench", client, system_message="Be brief.", max_tool_iterations=10,
            tools=tools, model_client_stream=model.startswith("deltas"),
        )  # fmt: skip
        if model.startswith("deltas"):
            async for _ in agent.run_stream(task="hi"):
                pass
        else:
            await agent.run(task="hi")

    return turn

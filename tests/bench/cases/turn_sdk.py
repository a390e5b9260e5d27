"""Turns of the bare Anthropic SDK, on Trio too: the least that speaks to the model at all."""

from __future__ import annotations

from typing import Any

import trio
from anthropic import AsyncAnthropic
from stopwatch import Cost, Stopwatch
from turn_ours import crowd

USER: Any = {"role": "user", "content": "hi"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
TOOLS: list[Any] = [{"name": "add", "description": "Adds two numbers.", "input_schema": SCHEMA}]


def run(model: str, count: int, at_once: int) -> Cost:
    async def main() -> Cost:
        watch = Stopwatch()
        async with AsyncAnthropic(max_retries=0) as client:
            turn = {"plain": plain, "deltas": deltas, "tools": tools}[model.partition("-")[0]]
            await turn(client, model)
            watch.start()
            await crowd(lambda: turn(client, model), count, at_once)
            return watch.stop()

    return trio.run(main)


async def plain(client: AsyncAnthropic, model: str) -> object:
    return await client.messages.create(model=model, max_tokens=100, system="Be brief.", messages=[USER])


async def deltas(client: AsyncAnthropic, model: str) -> object:
    text = ""
    async with client.messages.stream(model=model, max_tokens=100, system="Be brief.", messages=[USER]) as stream:
        async for piece in stream.text_stream:
            text += piece
    return text


async def tools(client: AsyncAnthropic, model: str) -> object:
    messages: list[Any] = [USER]
    while True:
        said = await client.messages.create(model=model, max_tokens=100, tools=TOOLS, messages=messages)
        messages.append({"role": "assistant", "content": said.content})
        calls = [part for part in said.content if part.type == "tool_use"]
        if not calls:
            return said
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": added(call.input)} for call in calls]
        messages.append({"role": "user", "content": results})


def added(given: Any) -> str:
    return str(given["a"] + given["b"])

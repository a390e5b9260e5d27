"""A turn in several libraries, on one server. Each function runs `count` turns, `at_once` of them side by side.

Ours runs agents with everything on: processes, events, journal, metrics, limits. The SDK alone does what it must.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import trio
from anthropic import AsyncAnthropic

import vega_trio as vega

Run = Callable[[str, int, int], "Cost"]
"""(model, turns, at once)"""


@attrs.frozen
class Cost:
    """For all turns together: CPU and wall-clock seconds."""

    cpu_s: float
    wall_s: float


@attrs.define
class Stopwatch:
    """Begins when what is measured begins, after warming up."""

    _cpu: float = 0.0
    _wall: float = 0.0

    def start(self) -> None:
        gc.collect()
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def stop(self) -> Cost:
        return Cost(time.process_time() - self._cpu, time.perf_counter() - self._wall)


def add(a: int, b: int) -> str:
    """Adds two numbers."""
    return str(a + b)


async def _add(a: int, b: int) -> str:
    return add(a, b)


_add.__name__, _add.__doc__ = "add", add.__doc__


async def _trio_crowd(one: Callable[[int], Awaitable[object]], count: int, at_once: int) -> None:
    """Runs `count` turns in `at_once` tasks, each of which has a place of its own."""

    async def lane(number: int) -> None:
        for _ in range(count // at_once):
            await one(number)

    async with trio.open_nursery() as nursery:
        for number in range(at_once):
            nursery.start_soon(lane, number)


# -- ours


def ours(model: str, count: int, at_once: int) -> Cost:
    async def main() -> Cost:
        watch = Stopwatch()
        agent = vega.Agent(name="bench", system="Be brief.", tools=[_add] if model.startswith("tools") else [])
        async with vega.open_orchestrator(model=f"anthropic:{model}", max_processes=100_000) as orch:
            await (await orch.spawn(agent)).send("hi")
            # Each turn begins a conversation, as with the others.
            idle = [await orch.spawn(agent) for _ in range(count)]
            watch.start()
            await _trio_crowd(lambda _: idle.pop().send("hi"), count, at_once)
            return watch.stop()

    return trio.run(main)


# -- the SDK alone, on Trio too


def sdk(model: str, count: int, at_once: int) -> Cost:
    async def main() -> Cost:
        watch = Stopwatch()
        async with AsyncAnthropic(max_retries=0) as client:
            turn = {"plain": _sdk_plain, "deltas": _sdk_deltas, "tools": _sdk_tools}[model.partition("-")[0]]
            await turn(client, model)
            watch.start()
            await _trio_crowd(lambda _: turn(client, model), count, at_once)
            return watch.stop()

    return trio.run(main)


async def _sdk_plain(client: AsyncAnthropic, model: str) -> object:
    message: dict[str, Any] = {"role": "user", "content": "hi"}
    return await client.messages.create(model=model, max_tokens=100, system="Be brief.", messages=[message])  # type: ignore[list-item]


async def _sdk_deltas(client: AsyncAnthropic, model: str) -> object:
    message: dict[str, Any] = {"role": "user", "content": "hi"}
    text = ""
    async with client.messages.stream(model=model, max_tokens=100, system="Be brief.", messages=[message]) as stream:  # type: ignore[list-item]
        async for piece in stream.text_stream:
            text += piece
    return text


async def _sdk_tools(client: AsyncAnthropic, model: str) -> object:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    tools: list[Any] = [{"name": "add", "description": "Adds two numbers.", "input_schema": schema}]
    messages: list[Any] = [{"role": "user", "content": "hi"}]
    while True:
        said = await client.messages.create(model=model, max_tokens=100, tools=tools, messages=messages)
        messages.append({"role": "assistant", "content": said.content})
        calls = [part for part in said.content if part.type == "tool_use"]
        if not calls:
            return said
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": add(**call.input)}  # type: ignore[arg-type]
            for call in calls
        ]
        messages.append({"role": "user", "content": results})


# -- others, where they are installed; they live on asyncio


def _on_asyncio(turn: Callable[[], Awaitable[object]], count: int, at_once: int) -> Cost:
    async def lane() -> None:
        for _ in range(count // at_once):
            await turn()

    async def main() -> Cost:
        watch = Stopwatch()
        await turn()
        watch.start()
        await asyncio.gather(*(lane() for _ in range(at_once)))
        return watch.stop()

    return asyncio.run(main())


def pydantic_ai(model: str, count: int, at_once: int) -> Cost:
    from pydantic_ai import Agent
    from pydantic_ai.models.anthropic import AnthropicModel

    agent: Any = Agent(AnthropicModel(model), instructions="Be brief.")  # type: ignore[arg-type]
    if model.startswith("tools"):
        agent.tool_plain(_add)

    async def turn() -> None:
        if model.startswith("deltas"):
            async with agent.run_stream("hi") as result:
                async for _ in result.stream_text(delta=True, debounce_by=None):
                    pass
        else:
            await agent.run("hi")

    return _on_asyncio(turn, count, at_once)


def langgraph(model: str, count: int, at_once: int) -> Cost:
    from langchain_anthropic import ChatAnthropic
    from langgraph.prebuilt import create_react_agent

    llm = ChatAnthropic(model=model, base_url=os.environ["ANTHROPIC_BASE_URL"], max_tokens=100)  # type: ignore[call-arg]
    agent: Any = create_react_agent(llm, [_add] if model.startswith("tools") else [], prompt="Be brief.")

    async def turn() -> None:
        given = {"messages": [("user", "hi")]}
        if model.startswith("deltas"):
            async for _ in agent.astream(given, stream_mode="messages"):
                pass
        else:
            await agent.ainvoke(given)

    return _on_asyncio(turn, count, at_once)


OTHERS = {"pydantic_ai": pydantic_ai, "langgraph": langgraph}
"""By the name of the module that has to be there."""

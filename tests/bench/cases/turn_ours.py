"""Turns of our agents with everything on: processes, events, journal, metrics, limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from stopwatch import Cost, Stopwatch

import vega_trio as vega


async def add(a: int, b: int) -> str:
    """Adds two numbers."""
    return str(a + b)


async def crowd(one: Callable[[], Awaitable[object]], count: int, at_once: int) -> None:
    """Runs `count` turns in `at_once` tasks."""

    async def lane() -> None:
        for _ in range(count // at_once):
            await one()

    async with trio.open_nursery() as nursery:
        for _ in range(at_once):
            nursery.start_soon(lane)


def run(model: str, count: int, at_once: int) -> Cost:
    async def main() -> Cost:
        watch = Stopwatch()
        agent = vega.Agent(name="bench", system="Be brief.", tools=[add] if model.startswith("tools") else [])
        async with vega.open_orchestrator(model=f"anthropic:{model}", max_processes=100_000) as orch:
            await (await orch.spawn(agent)).send("hi")
            # Each turn begins a conversation, as with the others.
            idle = [await orch.spawn(agent) for _ in range(count)]
            watch.start()
            await crowd(lambda: idle.pop().send("hi"), count, at_once)
            return watch.stop()

    return trio.run(main)

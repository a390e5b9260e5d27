"""Runs turns of those who live on asyncio. Of the standard library alone, as it is imported in their environments."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from stopwatch import Cost, Stopwatch

Turn = Callable[[], Awaitable[object]]
Tool = Callable[[int, int], Awaitable[str]]


async def add(a: int, b: int) -> str:
    """Adds two numbers."""
    return str(a + b)


def run_turns(turn: Turn, count: int, at_once: int) -> Cost:
    """`count` turns in `at_once` tasks, after one that warms up."""

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

"""The kernel's operations on asyncio, with tasks and queues. Each returns CPU seconds for `count`."""

from __future__ import annotations

import asyncio
from time import process_time


async def asyncio_spawn(count: int) -> float:
    async def body(started: asyncio.Event) -> None:
        started.set()

    async with asyncio.TaskGroup() as group:
        began = process_time()
        for _ in range(count):
            started = asyncio.Event()
            group.create_task(body(started))
            await started.wait()
        return process_time() - began


async def asyncio_round_trip(count: int) -> float:
    asked: asyncio.Queue[int] = asyncio.Queue(64)
    answered: asyncio.Queue[int] = asyncio.Queue(64)

    async def echo() -> None:
        for _ in range(count):
            await answered.put(await asked.get())

    async with asyncio.TaskGroup() as group:
        group.create_task(echo())
        began = process_time()
        for number in range(count):
            await asked.put(number)
            await answered.get()
        return process_time() - began


async def asyncio_one_way(count: int) -> float:
    queue: asyncio.Queue[int] = asyncio.Queue(64)

    async def read() -> None:
        for _ in range(count):
            await queue.get()

    began = process_time()
    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        for number in range(count):
            await queue.put(number)
    return process_time() - began

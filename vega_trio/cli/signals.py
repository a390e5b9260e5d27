"""Ctrl-C and SIGTERM as events: the first asks, the second interrupts."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@asynccontextmanager
async def on_interrupt(react: Callable[[int], Awaitable[None]]) -> AsyncIterator[None]:
    """Calls `react` with the number of the first signal in the block; the second raises KeyboardInterrupt in it."""
    with trio.open_signal_receiver(*INTERRUPTS) as signals:
        async with trio.open_nursery() as nursery:

            async def listen() -> None:
                first = True
                async for number in signals:
                    if not first:
                        raise KeyboardInterrupt
                    first = False
                    nursery.start_soon(react, number)

            nursery.start_soon(listen)
            yield
            nursery.cancel_scope.cancel()

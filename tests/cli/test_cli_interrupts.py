from __future__ import annotations

import os
import signal

import pytest
import trio
import trio.testing

from vega_trio.cli.failure import exit_code, unwrap
from vega_trio.cli.signals import on_interrupt


async def test_the_first_signal_asks_and_leaves_the_block_running() -> None:
    asked = []

    async def react(number: int) -> None:
        asked.append(number)

    with trio.fail_after(10):
        async with on_interrupt(react):
            os.kill(os.getpid(), signal.SIGTERM)
            await trio.testing.wait_all_tasks_blocked(0.01)
    assert asked == [signal.SIGTERM]


async def test_the_second_signal_interrupts_even_while_the_first_is_being_answered() -> None:
    async def react(_number: int) -> None:
        await trio.sleep_forever()

    with trio.fail_after(10):
        try:
            async with on_interrupt(react):
                os.kill(os.getpid(), signal.SIGINT)
                await trio.testing.wait_all_tasks_blocked(0.01)
                os.kill(os.getpid(), signal.SIGINT)
                await trio.sleep_forever()
        except* KeyboardInterrupt as group:
            interrupted = unwrap(group)
    assert exit_code(interrupted) == 130


async def test_behind_the_block_signals_mean_what_they_did() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def react(_number: int) -> None:
        pytest.fail("there was no signal")

    async with on_interrupt(react):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before

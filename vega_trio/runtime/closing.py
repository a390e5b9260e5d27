"""How everything that was spawned is stopped when the orchestrator's block is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
from trio.lowlevel import enable_ki_protection

from vega_trio.runtime.top import Top

if TYPE_CHECKING:
    from vega_trio.runtime.kernel import Kernel


@enable_ki_protection
async def shut_down(kernel: Kernel, timeout: float) -> None:
    """Stops what was spawned together; what still runs after `timeout` seconds is killed."""
    kernel.closing = True
    try:
        with trio.CancelScope(shield=True):
            with trio.move_on_after(timeout):
                await _stop_spawned(kernel)
                await _stop_supervisors(kernel)
                await _await_owned(kernel)
            await _kill_the_rest(kernel)
    finally:
        # An error of ours above must not leave the nursery waiting for tasks that nothing outside can cancel.
        for process in kernel.registry.everybody():
            process.kill()
        kernel.timers.stop()
        kernel.bus.close()


async def _stop_spawned(kernel: Kernel) -> None:
    processes = kernel.registry.living()
    spawned = [process for process in processes if process.keeper.owner is None]
    for process in spawned:
        process.keeper.dismiss()
    for process in spawned:
        await process.wait()


async def _stop_supervisors(kernel: Kernel) -> None:
    for process in reversed(kernel.registry.supervisors()):
        if isinstance(process.keeper, Top) and process.alive:
            await process.keeper.stop()


async def _await_owned(kernel: Kernel) -> None:
    """Children of processes were told to leave when those left."""
    while rest := kernel.registry.everybody():
        for process in rest:
            await process.wait()


async def _kill_the_rest(kernel: Kernel) -> None:
    while rest := kernel.registry.everybody():  # one that dies may still spawn
        async with trio.open_nursery() as nursery:
            for process in rest:
                nursery.start_soon(process.keeper.kill)

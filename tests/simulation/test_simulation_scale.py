"""Ten times as many cost ten times as much, and the counts are exact. `VEGA_SEEDS` set: 100,000 too."""

from __future__ import annotations

import gc
import os
from collections.abc import Awaitable, Callable
from itertools import count
from time import process_time

import pytest
import trio
import trio.testing

from vega_trio import ChildSpec, SupervisorSpec
from vega_trio.runtime import Orchestrator, Process, open_kernel
from vega_trio.store.memory import MemoryStore

SMALL, LARGE = 1_000, 100_000 if os.environ.get("VEGA_SEEDS") else 10_000
TOLERANCE = 3.0
"""How much dearer one may be among many: a quadratic cost would be 10 or 100 times, noise and caches are below this."""

Work = Callable[[Orchestrator, int], Awaitable[float]]


async def sleeper(me: Process) -> None:
    await trio.sleep_forever()


async def starts(orch: Orchestrator, number: int) -> float:
    began = process_time()
    for _ in range(number):
        await orch.spawn(sleeper)
    spent = process_time() - began
    assert len(orch.processes()) == number
    return spent


async def links(orch: Orchestrator, number: int) -> float:
    linked, got = trio.Event(), []

    async def watcher(me: Process) -> None:
        me.trap_exit = True
        for process in processes:
            me.link(process)
        linked.set()
        got.extend([(await me.exit_signals.receive()).process_id for _ in range(number)])

    processes = [await orch.spawn(sleeper) for _ in range(number)]
    began = process_time()
    proc = await orch.spawn(watcher)
    await linked.wait()
    for process in processes:
        process.kill()
    await proc.wait()
    spent = process_time() - began
    assert sorted(got) == sorted(process.id for process in processes)
    return spent


async def monitors(orch: Orchestrator, number: int) -> float:
    proc = await orch.spawn(sleeper)
    downs = 0

    async def watch() -> None:
        nonlocal downs
        async with orch.monitor(proc) as channel:
            async for _ in channel:
                downs += 1

    began = process_time()
    async with trio.open_nursery() as nursery:
        for _ in range(number):
            nursery.start_soon(watch)
        await trio.testing.wait_all_tasks_blocked()
        proc.kill()
    spent = process_time() - began
    assert downs == number
    return spent


async def restarts(orch: Orchestrator, number: int) -> float:
    began_bodies, done = 0, trio.Event()

    async def body(me: Process) -> None:
        nonlocal began_bodies
        began_bodies += 1
        if began_bodies == 2 * number:
            done.set()
        async for _ in me.inbox:
            raise ValueError("as told")

    children = [ChildSpec(str(each), body) for each in range(number)]
    sup = await orch.supervise(SupervisorSpec("one_for_all", children))  # type: ignore[arg-type]
    child = sup.get_child("0").process
    assert child is not None
    began = process_time()
    child.post_nowait("crash")
    await done.wait()
    spent = process_time() - began
    await trio.testing.wait_all_tasks_blocked()
    assert began_bodies == 2 * number
    assert sup.count_children().active == number
    return spent


def cost_of_one(work: Work, number: int) -> float:
    async def main() -> float:
        ids = count(1)
        async with open_kernel(
            store=MemoryStore(), make_body=lambda agent: sleeper, wall_clock=trio.current_time, rand=lambda: 0.5,
            new_id=lambda: f"id{next(ids)}", max_processes=1_000_000,
        ) as orch:  # fmt: skip
            return await work(orch, number) / number

    # The collector walks all that lives, again and again: its share grows with the number, whatever the kernel does.
    gc.collect()
    gc.disable()
    try:
        return trio.run(main)
    finally:
        gc.enable()


@pytest.mark.parametrize("work", [starts, links, monitors, restarts], ids=lambda work: work.__name__)
def test_the_cost_of_one_does_not_grow_with_their_number(work: Work) -> None:
    small = min(cost_of_one(work, SMALL) for _ in range(3))
    large = cost_of_one(work, LARGE)
    assert large < TOLERANCE * small, f"{large * 1e6:.0f} us each among {LARGE}, {small * 1e6:.0f} us among {SMALL}"

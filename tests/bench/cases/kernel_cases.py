"""The kernel's operations in pairs: raw Trio, and ours. Each runs in a Trio loop and returns CPU seconds for `count`.

Raw is the least that does the same thing: tasks in a nursery, memory channels, events, one cancel scope for a task that
is to be stopped.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from time import process_time

import attrs
import trio
import trio.testing
from kernel_asyncio import asyncio_one_way, asyncio_round_trip, asyncio_spawn

import vega_trio as vega
from vega_trio import ChildSpec, Orchestrator, Process, SupervisorSpec

Measured = Callable[[int], Awaitable[float]]


@attrs.frozen
class Case:
    """`target`: the highest ratio of ours to raw that is wanted. `erlang`: its name with Erlang and AutoGen."""

    name: str
    raw: Measured
    ours: Measured
    count: int
    target: float
    erlang: str
    asyncio: Measured | None = None


def orchestrator() -> AbstractAsyncContextManager[Orchestrator]:
    return vega.open_orchestrator(max_processes=10_000_000)


def begin() -> float:
    gc.collect()
    return process_time()


async def sleeper(me: Process) -> None:
    await trio.sleep_forever()


# -- spawn and exit


async def raw_spawn(count: int) -> float:
    async def body(started: trio.Event) -> None:
        started.set()

    async with trio.open_nursery() as nursery:
        began = begin()
        for _ in range(count):
            started = trio.Event()
            nursery.start_soon(body, started)
            await started.wait()
        return process_time() - began


async def our_spawn(count: int) -> float:
    async def body(me: Process) -> None:
        pass

    async with orchestrator() as orch:
        began = begin()
        for _ in range(count):
            await orch.spawn(body)
        return process_time() - began


# -- mail


async def raw_round_trip(count: int) -> float:
    ask, asked = trio.open_memory_channel[int](64)
    answer, answered = trio.open_memory_channel[int](64)

    async def echo() -> None:
        async for number in asked:
            await answer.send(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo)
        began = begin()
        for number in range(count):
            await ask.send(number)
            await answered.receive()
        spent = process_time() - began
        ask.close()
    return spent


async def our_round_trip(count: int) -> float:
    async def echo(me: Process) -> None:
        async for mail in me.inbox:
            mail.reply(mail.message)

    async with orchestrator() as orch:
        proc = await orch.spawn(echo)
        began = begin()
        for number in range(count):
            await proc.send(number)
        return process_time() - began


async def raw_one_way(count: int) -> float:
    send, receive = trio.open_memory_channel[int](64)

    async def read() -> None:
        async for _ in receive:
            pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        began = begin()
        for number in range(count):
            await send.send(number)
        send.close()
    return process_time() - began


async def our_one_way(count: int) -> float:
    async def read(me: Process) -> None:
        async for mail in me.inbox:
            if mail.message == count - 1:
                return

    async with orchestrator() as orch:
        proc = await orch.spawn(read)
        began = begin()
        for number in range(count):
            await proc.post(number)
        await proc.wait()
        return process_time() - began


# -- exits


async def _until_cancelled(scope: trio.CancelScope, send: trio.MemorySendChannel[int]) -> None:
    with scope:
        await trio.sleep_forever()
    send.send_nowait(1)


async def raw_notification(count: int) -> float:
    """A task is cancelled and says so on its watcher's channel, one after the other."""
    watched = [(trio.CancelScope(), *trio.open_memory_channel[int](math.inf)) for _ in range(count)]
    async with trio.open_nursery() as nursery:
        for scope, send, _ in watched:
            nursery.start_soon(_until_cancelled, scope, send)
        await trio.testing.wait_all_tasks_blocked()
        began = begin()
        for scope, _, receive in watched:
            scope.cancel()
            await receive.receive()
        return process_time() - began


async def our_notification(count: int) -> float:
    """A process is killed and its monitor hears of it, one after the other."""
    spent = 0.0
    async with orchestrator() as orch:
        processes = [await orch.spawn(sleeper) for _ in range(count)]
        gc.collect()
        for process in processes:
            async with orch.monitor(process) as downs:
                began = process_time()
                process.kill()
                await downs.receive()
                spent += process_time() - began
    return spent


async def raw_fan_in(count: int) -> float:
    """Many tasks are cancelled at once and tell one watcher."""
    send, receive = trio.open_memory_channel[int](math.inf)
    scopes = [trio.CancelScope() for _ in range(count)]
    async with trio.open_nursery() as nursery:
        for scope in scopes:
            nursery.start_soon(_until_cancelled, scope, send)
        await trio.testing.wait_all_tasks_blocked()
        began = begin()
        for scope in scopes:
            scope.cancel()
        for _ in range(count):
            await receive.receive()
        return process_time() - began


async def our_fan_in(count: int) -> float:
    """Many processes are killed at once; one that is linked to them all gets every signal."""
    linked = trio.Event()

    async def watcher(me: Process) -> None:
        me.trap_exit = True
        for process in processes:
            me.link(process)
        linked.set()
        for _ in range(count):
            await me.exit_signals.receive()

    async with orchestrator() as orch:
        processes = [await orch.spawn(sleeper) for _ in range(count)]
        proc = await orch.spawn(watcher)
        await linked.wait()
        began = begin()
        for process in processes:
            process.kill()
        await proc.wait()
        return process_time() - began


# -- restarts


async def raw_restart(count: int) -> float:
    """A task that crashes tells a loop, which starts it again and waits until it runs."""
    failed, failures = trio.open_memory_channel[Exception](math.inf)

    async def body(started: trio.Event) -> None:
        with trio.CancelScope(shield=True):
            try:
                started.set()
                await trio.lowlevel.checkpoint()
                raise ValueError("crash")
            except ValueError as error:
                failed.send_nowait(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(body, trio.Event())
        began = begin()
        for _ in range(count):
            await failures.receive()
            started = trio.Event()
            nursery.start_soon(body, started)
            await started.wait()
        return process_time() - began


async def our_restart(count: int) -> float:
    done = trio.Event()

    async def body(me: Process) -> None:
        await trio.lowlevel.checkpoint()
        if me.incarnation > count:
            done.set()
            await trio.sleep_forever()
        raise ValueError("crash")

    async with orchestrator() as orch:
        began = begin()
        await orch.supervise(SupervisorSpec(children=[ChildSpec("c", body)], max_restarts=None))
        await done.wait()
        return process_time() - began


async def raw_one_for_all(count: int) -> float:
    """The tasks are cancelled one by one, the last one first, and started one by one."""
    running: list[tuple[trio.CancelScope, trio.Event]] = []

    async def body(scope: trio.CancelScope, started: trio.Event, ended: trio.Event) -> None:
        with scope:
            started.set()
            await trio.sleep_forever()
        ended.set()

    async def start(nursery: trio.Nursery) -> None:
        scope, started, ended = trio.CancelScope(shield=True), trio.Event(), trio.Event()
        nursery.start_soon(body, scope, started, ended)
        await started.wait()
        running.append((scope, ended))

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            await start(nursery)
        began = begin()
        for scope, ended in reversed(running):
            scope.cancel()
            await ended.wait()
        running.clear()
        for _ in range(count):
            await start(nursery)
        spent = process_time() - began
        for scope, _ in running:
            scope.cancel()
    return spent


async def our_one_for_all(count: int) -> float:
    again = trio.Event()
    starts = 0

    async def body(me: Process) -> None:
        nonlocal starts
        starts += 1
        if starts == 2 * count:
            again.set()
        async for _ in me.inbox:
            raise ValueError("crash")

    async with orchestrator() as orch:
        children = [ChildSpec(str(number), body) for number in range(count)]
        sup = await orch.supervise(SupervisorSpec("one_for_all", children))  # type: ignore[arg-type]
        child = sup.get_child("0").process
        assert child is not None
        began = begin()
        child.post_nowait("crash")
        await again.wait()
        spent = process_time() - began
        await trio.testing.wait_all_tasks_blocked()
        assert starts == 2 * count, f"{starts - count} starts for one restart of {count} children"
    return spent


# -- memory


async def raw_idle(count: int) -> None:
    async def body(receive: trio.MemoryReceiveChannel[int]) -> None:
        async for _ in receive:
            pass

    async with trio.open_nursery() as nursery:
        channels = [trio.open_memory_channel[int](64) for _ in range(count)]
        for _, receive in channels:
            nursery.start_soon(body, receive)
        await trio.testing.wait_all_tasks_blocked()
        say_growth()
        nursery.cancel_scope.cancel()


async def our_idle(count: int) -> None:
    async def body(me: Process) -> None:
        async for _ in me.inbox:
            pass

    async with orchestrator() as orch:
        for _ in range(count):
            await orch.spawn(body)
        say_growth()


def say_growth() -> None:
    """The memory of this interpreter, in bytes, on standard output."""
    gc.collect()
    with open("/proc/self/statm") as file:
        print(int(file.read().split()[1]) * 4096, flush=True)


CASES = (
    Case("spawn + exit", raw_spawn, our_spawn, 20_000, 2.5, "spawn", asyncio_spawn),
    Case("mailbox round trip", raw_round_trip, our_round_trip, 30_000, 1.0, "round_trip", asyncio_round_trip),
    Case("one-way message", raw_one_way, our_one_way, 100_000, 1 / 3, "one_way", asyncio_one_way),
    Case("exit notification", raw_notification, our_notification, 5_000, 1.3, "notification"),
    Case("10,000 exits to one watcher, each", raw_fan_in, our_fan_in, 10_000, 1.3, "fan_in"),
    Case("crash to restart", raw_restart, our_restart, 10_000, 2.0, "restart"),
    Case("one_for_all of 1,000, each child", raw_one_for_all, our_one_for_all, 1_000, 2.0, "one_for_all"),
)

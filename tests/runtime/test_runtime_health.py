"""Alerts: one per episode, none for the healthy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import vega_trio as vega
from vega_trio._core.budget import Account
from vega_trio.runtime import HealthConfig, Orchestrator, Process


def worker(agent: vega.Agent) -> Callable[[Process], Awaitable[object]]:
    """Runs the function it is sent, with itself."""

    async def body(me: Process) -> object:
        async for mail in me.inbox:
            await mail.message(me)
            mail.reply()
        return None

    return body


@asynccontextmanager
async def watched(kernels: Any, **limits: Any) -> AsyncIterator[tuple[Orchestrator, Process, list[vega.HealthAlert]]]:
    alerts: list[vega.HealthAlert] = []
    async with (
        kernels(make_body=worker, mailbox=2, health=HealthConfig(**limits)) as orch,
        orch.subscribe(["alert.*"], buffer=1000) as events,
        trio.open_nursery() as nursery,
    ):

        async def collect() -> None:
            async for event in events:
                alerts.append(event)  # noqa: PERF401

        nursery.start_soon(collect)
        yield orch, await orch.spawn(vega.Agent(name="w"), supervision=vega.Supervision(max_restarts=5)), alerts
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


def told(alerts: list[vega.HealthAlert]) -> list[tuple[str, float, float]]:
    return [(alert.type, alert.value, alert.threshold) for alert in alerts]


async def test_silence_at_work_is_stale_once_until_the_next_sign(kernels: Any, clock: MockClock) -> None:
    async def work(me: Process) -> None:
        await trio.sleep(250)
        me.emit(vega.TextDelta(delta="x"))
        await trio.sleep(900)
        me.emit(vega.TextDelta(delta="y"))
        await trio.sleep(301)

    async with watched(kernels) as (_, proc, alerts):
        await trio.sleep(1000)  # idle is not stale
        await proc.send(work)
        await trio.sleep(1000)
    assert [alert.type for alert in alerts] == ["alert.stale"] * 2
    assert alerts[0].at == 1000 + 250 + 300
    assert alerts[0].process_id == proc.id


async def test_many_model_calls_in_one_turn(kernels: Any, clock: MockClock) -> None:
    async def work(me: Process) -> None:
        for _ in range(45):
            me.metrics.iterations += 1
            me.emit(vega.TextDelta(delta="x"))

    async with watched(kernels) as (_, proc, alerts):
        await proc.send(work)
        await proc.send(work)
    assert told(alerts) == [("alert.high_iterations", 40, 40)] * 2


async def test_failures_in_a_row(kernels: Any, clock: MockClock) -> None:
    def work(*errors: bool) -> Callable[[Process], Awaitable[None]]:
        async def run(me: Process) -> None:
            for error in errors:
                me.emit(vega.ToolEnd(error=error))

        return run

    async with watched(kernels) as (_, proc, alerts):
        await proc.send(work(True, True, True, True, False, True, True, True, True))
        assert alerts == []
        await proc.send(work(True, True, True, False, *[True] * 5))
    assert told(alerts) == [("alert.error_loop", 5, 5)] * 2


async def test_a_share_of_the_budget(kernels: Any, clock: MockClock) -> None:
    async def work(me: Process) -> None:
        if me.budget is not None:
            me.budget.settle(0, 450_000)
        me.emit(vega.TextDelta(delta="x"))

    async with watched(kernels) as (_, proc, alerts):
        await proc.send(work)
        proc.budget = Account("a", 1_000_000)
        await proc.send(work)
        assert alerts == []
        await proc.send(work)
    assert [alert.kind for alert in alerts] == ["high_cost"]
    assert alerts[0].threshold == pytest.approx(0.8)


async def test_a_share_of_the_deadline_and_of_the_restarts(kernels: Any, clock: MockClock) -> None:
    async def crash(me: Process) -> None:
        if me.current is not None and me.current.attempt == 1:
            raise ValueError("crash")

    async with watched(kernels) as (orch, proc, alerts):
        dated = await orch.spawn(vega.Agent(name="d"), deadline=100)
        quick = await orch.spawn(vega.Agent(name="q"), deadline=10)
        await orch.stop(quick.id)
        for _ in range(5):
            await proc.send(crash)
        await dated.wait()
    assert told(alerts) == [("alert.restarts", 4, 4), ("alert.deadline", 80, 80)]


async def test_a_mailbox_without_room(kernels: Any, clock: MockClock) -> None:
    async def nap(me: Process) -> None:
        await trio.sleep(9)

    async def sleep_in(me: Process) -> None:
        await trio.sleep(25)

    async with watched(kernels) as (_, proc, alerts):
        proc.post_nowait(nap)
        await wait_all_tasks_blocked()
        for _ in range(4):
            await proc.post(nap)
        await trio.sleep(100)
        assert [alert.kind for alert in alerts] == ["mailbox_full"]
        proc.post_nowait(sleep_in)
        await wait_all_tasks_blocked()
        for _ in range(2):
            proc.post_nowait(nap)
        await trio.sleep(11)
        assert len(alerts) == 2


async def test_a_functions_mailbox_without_room(orch: Orchestrator, clock: MockClock) -> None:
    async def slow(me: Process) -> None:
        async for _ in me.inbox:
            await trio.sleep(11)

    async with orch.subscribe([vega.HealthAlert]) as alerts:
        proc = await orch.spawn(slow)
        await wait_all_tasks_blocked()
        for number in range(65):
            proc.post_nowait(number)
            await wait_all_tasks_blocked()
        alert = await anext(alerts)
        assert (alert.type, alert.process_id, trio.current_time()) == ("alert.mailbox_full", proc.id, 10)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(proc.post, "one that waits for room")  # the box is full again as soon as there is room
            await trio.sleep(30)
            with trio.move_on_after(0):
                await anext(alerts)
                raise AssertionError("another alert in the same episode")


async def test_limits_can_be_turned_off(kernels: Any, clock: MockClock) -> None:
    async def work(me: Process) -> None:
        me.metrics.iterations += 1000
        for _ in range(10):
            me.emit(vega.ToolEnd(error=True))
        await trio.sleep(10_000)

    off = dict.fromkeys(("stale", "high_iterations", "error_loop", "deadline", "restarts", "mailbox_full"))
    async with watched(kernels, **off) as (_, proc, alerts):
        await proc.send(work)
    assert alerts == []
    with pytest.raises(ValueError, match="stale"):
        HealthConfig(stale=0)

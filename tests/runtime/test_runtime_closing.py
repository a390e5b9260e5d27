"""Leaving the orchestrator's block while things go wrong: it ends, in order, with what the block ended with."""

from __future__ import annotations

import math
from contextlib import ExitStack

import pytest
import trio
from kernels import OpenKernel
from trio.testing import MockClock

import vega_trio as vega
from vega_trio import ChildSpec, Supervision, SupervisorSpec
from vega_trio.runtime import Process


async def sleeper(me: Process) -> None:
    await trio.sleep_forever()


async def returns(me: Process) -> None:
    await trio.sleep(1)


async def leaves_slowly(me: Process) -> None:
    try:
        await trio.sleep_forever()
    finally:
        async with me.cleanup(10):
            await trio.sleep(3)


def crashes_at(time: float) -> object:
    async def body(me: Process) -> None:
        now = trio.current_time()
        await trio.sleep(time - now if now < time else math.inf)
        raise ValueError("as told")

    return body


async def test_a_group_restarts_while_the_orchestrator_closes_and_that_counts_as_ever(
    kernels: OpenKernel, clock: MockClock
) -> None:
    heard: list[vega.Event] = []
    with trio.fail_after(1000), ExitStack() as stack:
        async with kernels() as orch:
            stack.enter_context(orch.bus.tapped(heard.append))
            children = [
                ChildSpec("once", returns, restart="transient"),  # type: ignore[arg-type]
                ChildSpec("inner", SupervisorSpec(children=[ChildSpec("leaf", sleeper)])),
                ChildSpec("crasher", crashes_at(6)),  # type: ignore[arg-type]
            ]
            waits = await orch.supervise(SupervisorSpec("one_for_all", children))  # type: ignore[arg-type]
            await orch.supervise(SupervisorSpec(children=[ChildSpec("slow", leaves_slowly)]))
            await trio.sleep(5)
        assert trio.current_time() == 8
        assert waits.process.reason == vega.Shutdown()
        assert [event.process_id for event in heard if isinstance(event, vega.GaveUp)] == []
        assert len([event for event in heard if isinstance(event, vega.ProcessRestarting)]) == 1


async def test_a_supervisor_that_gives_up_while_the_orchestrator_closes_is_an_event_only(
    kernels: OpenKernel, clock: MockClock
) -> None:
    heard: list[vega.Event] = []
    with trio.fail_after(1000), ExitStack() as stack:
        async with kernels() as orch:
            stack.enter_context(orch.bus.tapped(heard.append))
            spec = SupervisorSpec(children=[ChildSpec("c", crashes_at(6))], max_restarts=0)  # type: ignore[arg-type]
            await orch.supervise(spec)
            await orch.supervise(SupervisorSpec(children=[ChildSpec("slow", leaves_slowly)]))
            await trio.sleep(5)
    assert any(isinstance(event, vega.GaveUp) for event in heard)


async def test_nothing_new_is_brought_into_a_closing_orchestrator(kernels: OpenKernel, clock: MockClock) -> None:
    refused: list[str] = []

    async def tries_everything(me: Process) -> None:
        try:
            await trio.sleep_forever()
        finally:
            async with me.cleanup():
                for name, door in {
                    "spawn": lambda: orch.spawn(sleeper),
                    "into a group": lambda: orch.spawn(sleeper, supervision=Supervision("restart_all")),  # type: ignore[arg-type]
                    "supervise": lambda: orch.supervise(SupervisorSpec()),
                    "start_child": lambda: sup.start_child(ChildSpec("new", sleeper)),
                    "restart_child": lambda: sup.restart_child("once"),
                }.items():
                    with pytest.raises(vega.OrchestratorClosed, match="stopping"):
                        await door()
                    refused.append(name)
                child = await me.spawn(sleeper)  # its own helpers end with it
                refused.append(child.status)

    with trio.fail_after(1000):
        async with kernels() as orch:
            sup = await orch.supervise(SupervisorSpec(children=[ChildSpec("once", returns, restart="transient")]))  # type: ignore[arg-type]
            await orch.spawn(tries_everything)
            await trio.sleep(2)
        assert refused == ["spawn", "into a group", "supervise", "start_child", "restart_child", "running"]
        assert orch.processes() == []


async def test_an_error_inside_of_the_shutdown_itself_ends_everything_all_the_same(
    kernels: OpenKernel, clock: MockClock
) -> None:
    broken = False

    def wall_clock() -> float:
        nonlocal broken
        if broken:
            broken = False
            raise RuntimeError("no time")
        return trio.current_time()

    with trio.fail_after(1000):
        with pytest.RaisesGroup(pytest.RaisesExc(RuntimeError, match="no time")):
            async with kernels(wall_clock=wall_clock) as orch:
                waiting = await orch.spawn(crashes_at(1), supervision=Supervision())  # type: ignore[arg-type]
                await orch.spawn(leaves_slowly)
                await orch.supervise(SupervisorSpec(children=[ChildSpec("a", sleeper)]))
                await trio.sleep(1.05)
                assert waiting.status == "pending"
                broken = True
    assert orch.processes() == []
    assert orch.supervisors() == []


def with_a_finished_child_of_the_name_n(max_restarts: int | None) -> SupervisorSpec:
    children = [
        ChildSpec("once", returns, restart="transient", name="n"),  # type: ignore[arg-type]
        ChildSpec("crasher", crashes_at(5)),  # type: ignore[arg-type]
    ]
    return SupervisorSpec("one_for_all", children, max_restarts=max_restarts)  # type: ignore[arg-type]


async def test_a_restart_that_cannot_be_made_is_tried_until_it_can(kernels: OpenKernel, clock: MockClock) -> None:
    with trio.fail_after(1000):
        async with kernels() as orch:
            sup = await orch.supervise(with_a_finished_child_of_the_name_n(None))
            await trio.sleep(2)
            thief = await orch.spawn(sleeper, name="n")
            await trio.sleep(8)
            assert sup.get_child("once").state == "restarting"
            thief.kill()
            await trio.sleep(0.1)
            assert [child.state for child in sup.which_children()] == ["running", "running"]


async def test_a_restart_that_cannot_be_made_leaves_the_rest_of_the_program_its_turn(
    kernels: OpenKernel, clock: MockClock
) -> None:
    with trio.fail_after(1000):
        async with kernels() as orch:
            sup = await orch.supervise(with_a_finished_child_of_the_name_n(1_000_000))
            await trio.sleep(2)
            await orch.spawn(sleeper, name="n")
            await trio.sleep(3)
            for _ in range(100):
                await trio.lowlevel.checkpoint()
            assert sup.get_child("once").restarts > 5


async def test_a_supervisor_stopped_before_its_first_step_starts_nothing(kernels: OpenKernel, clock: MockClock) -> None:
    started: list[str] = []

    async def body(me: Process) -> None:
        started.append(me.id)
        await trio.sleep_forever()

    spec = SupervisorSpec(children=[ChildSpec("a", body)])
    with trio.fail_after(1000):
        async with kernels() as orch:
            for _ in range(20):  # whichever task comes first
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(orch.supervise, spec)
                    await trio.lowlevel.checkpoint()
                    nursery.cancel_scope.cancel()
                assert orch.supervisors() == []
                assert orch.processes() == []


async def test_an_id_that_is_drawn_twice_is_drawn_again(kernels: OpenKernel, clock: MockClock) -> None:
    ids = iter(["a", "a", "b", "a", "b", "c", "a", "d"])
    with trio.fail_after(1000):
        async with kernels(new_id=lambda: next(ids)) as orch:
            async with orch.spawn(sleeper) as first:
                second = await orch.spawn(sleeper)
            third = await orch.spawn(sleeper, supervision=Supervision("restart_all"))  # type: ignore[arg-type]
            assert [first.id, second.id, third.id] == ["a", "b", "c"]
            assert orch.get("a") is first

"""Whole programs cancelled from outside before each step that any of their tasks takes: nothing is left behind.

`simulate` fails a run that leaves a process or task, or that cannot end.
"""

from __future__ import annotations

import pytest
import trio

import vega_trio as vega
from vega_trio import BackoffConfig, ChildSpec, Supervision, SupervisorSpec
from vega_trio.runtime import Process
from vega_trio.testing import Simulation, simulate_cancellation


async def clerk(me: Process) -> object:
    """Answers after a second; leaves in an orderly way, which takes another."""
    try:
        async for mail in me.inbox:
            await trio.sleep(1)
            if mail.message == "crash":
                raise ValueError("as told")
            mail.reply(mail.message)
    finally:
        async with me.cleanup():
            await trio.sleep(1)
    return None


async def slow(me: Process) -> object:
    await trio.sleep(1)
    me.ready()
    return await clerk(me)


def spec(*names: str, strategy: str = "rest_for_one", **options: object) -> SupervisorSpec:
    children = [ChildSpec(name, slow, start_timeout=5) for name in names]
    return SupervisorSpec(strategy, children, backoff=BackoffConfig(initial=1), **options)  # type: ignore[arg-type]


async def calls(sim: Simulation) -> None:
    proc = await sim.orch.spawn(clerk, supervision=Supervision())
    async with trio.open_nursery() as nursery:
        for number in range(70):
            nursery.start_soon(proc.post, number)
        assert await proc.send("last") == "last"
    with pytest.raises(vega.ProcessExited):
        await proc.send("crash")
    with pytest.raises(vega.CallTimeout):
        await proc.send("late", timeout=0.5)


async def a_group_restart(sim: Simulation) -> None:
    sup = await sim.orch.supervise(spec("a", "b", "c"))
    child = sup.get_child("b").process
    assert child is not None
    with pytest.raises(vega.ProcessExited):
        await child.send("crash")
    await trio.sleep(10)
    assert [info.restarts for info in sup.which_children()] == [0, 1, 1]


async def child_administration(sim: Simulation) -> None:
    sup = await sim.orch.supervise(spec("a", "b"))
    await sup.terminate_child("a")
    await sup.restart_child("a")
    await sup.start_child(ChildSpec("late", slow, start_timeout=5))
    with pytest.raises(vega.FailedToStart):
        await sup.start_child(ChildSpec("never", slow, start_timeout=0.5))
    await sup.terminate_child("late")
    await sup.delete_child("late")
    await sup.stop()


async def giving_up_and_escalating(sim: Simulation) -> None:
    inner = ChildSpec("inner", spec("a", max_restarts=0), restart="transient")  # type: ignore[arg-type]
    outer = ChildSpec("outer", SupervisorSpec(children=[inner, ChildSpec("e", clerk, on_failure="escalate")]))  # type: ignore[arg-type]
    sup = await sim.orch.supervise(SupervisorSpec(children=[outer]), fatal=False)

    def worker(name: str) -> Process:
        (found,) = [each for each in sim.orch.processes() if each.body is (slow if name == "a" else clerk)]
        return found

    worker("a").post_nowait("crash")
    await trio.sleep(5)
    worker("e").post_nowait("crash")
    await trio.sleep(5)
    assert sup.get_child("outer").restarts == 1


async def links_monitors_and_children(sim: Simulation) -> None:
    async def parent(me: Process) -> None:
        me.trap_exit = True
        child = await me.spawn_link(clerk)
        await me.spawn(clerk)
        async with me.monitor(child) as downs:
            child.post_nowait("crash")
            assert isinstance((await downs.receive()).reason, vega.Crashed)
        signal = await me.exit_signals.receive()
        assert signal.process_id == child.id

    async with sim.orch.spawn(parent) as proc:
        await proc.wait()


@pytest.mark.parametrize(
    ("scenario", "stride"),
    [
        (calls, 3),
        (a_group_restart, 1),
        (child_administration, 1),
        (giving_up_and_escalating, 1),
        (links_monitors_and_children, 1),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_cancelled_at_any_step_nothing_is_left(scenario: object, stride: int) -> None:
    assert simulate_cancellation(scenario, seed=0, stride=stride) > 20  # type: ignore[arg-type]

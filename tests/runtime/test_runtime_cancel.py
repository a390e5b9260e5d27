"""Every await may be cancelled: each scenario is cancelled at its k-th step, for every k, and nothing is left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import vega_trio as vega
from vega_trio import BackoffConfig, ChildSpec, Supervision, SupervisorSpec
from vega_trio.runtime import Orchestrator, Process, open_kernel
from vega_trio.store.memory import MemoryStore

Scenario = Callable[[Orchestrator], Awaitable[None]]


@attrs.define(eq=False, slots=False)
class CancelAtStep(trio.abc.Instrument):
    """Cancels `scope` before the k-th step of the task that entered it."""

    k: int
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    task: trio.lowlevel.Task | None = None
    steps: int = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self.task:
            self.steps += 1
            if self.steps == self.k:
                self.scope.cancel()


async def sleeper(me: Process) -> None:
    try:
        await trio.sleep_forever()
    finally:
        async with me.cleanup():
            await trio.sleep(1)


async def slow(me: Process) -> None:
    await trio.sleep(1)
    me.ready()
    await sleeper(me)


async def echo(me: Process) -> None:
    async for mail in me.inbox:
        await trio.sleep(1)
        if mail.message == "crash":
            raise ValueError("as told")
        mail.reply(mail.message)


async def spawn_and_talk(orch: Orchestrator) -> None:
    proc = await orch.spawn(echo, name="echo", supervision=Supervision(backoff=BackoffConfig(initial=1)))
    await proc.send("hello")
    for _ in range(64):
        await proc.post("fill")
    with trio.move_on_after(1.5):
        await proc.post("waits for room")
    with pytest.raises(vega.ProcessExited):
        await (await orch.spawn(echo)).send("crash")
    await orch.send("echo", "again", timeout=1000)
    await orch.stop(proc.id)
    await proc.wait()


async def scoped(orch: Orchestrator) -> None:
    async with orch.spawn(slow, start_timeout=5, name="outer") as outer, orch.spawn(sleeper) as inner:
        async with outer.monitor(inner) as downs:
            inner.exit()
            await downs.receive()
    with pytest.raises(vega.ProcessCrashed):  # noqa: PT012
        async with orch.spawn(echo) as proc:
            proc.post_nowait("crash")
            await trio.sleep_forever()


async def supervise(orch: Orchestrator) -> None:
    children = [
        ChildSpec("a", sleeper),
        ChildSpec("b", slow, start_timeout=5),
        ChildSpec("n", SupervisorSpec(children=[ChildSpec("x", slow, start_timeout=5)])),
    ]
    sup = await orch.supervise(SupervisorSpec("one_for_all", children), name="top")  # type: ignore[arg-type]
    await sup.start_child(ChildSpec("c", slow, start_timeout=5))
    await sup.terminate_child("a")
    await sup.restart_child("a")
    process = sup.get_child("a").process
    assert process is not None
    process.kill()
    await trio.sleep(10)
    await sup.terminate_child("c")
    await sup.delete_child("c")
    await orch.kill(process.id)
    await sup.stop()


async def families(orch: Orchestrator) -> None:
    async def parent(me: Process) -> None:
        async with me.spawn(sleeper):
            await me.spawn_link(slow, start_timeout=5)
            await me.spawn(sleeper, supervision=Supervision("restart_all"))
            await me.spawn(sleeper, supervision=Supervision("restart_all"))
            await trio.sleep(3)

    async with orch.spawn(parent) as proc:
        group = orch.group("g")
        group.join(proc)
        await group.broadcast("hello", timeout=1)
        await group.bb_set("k", 1)
        await proc.wait()


async def turns(orch: Orchestrator) -> None:
    proc = await orch.spawn(vega.Agent(name="a"))
    async with proc.stream("hang") as events:
        await trio.sleep(1)
        await proc.stop_turn()
        async for _ in events:
            pass
    pending = proc.start_send("hello")
    assert await pending.wait() == "hello"
    async with orch.subscribe() as all_events:
        await proc.send("hello")
        proc.kill()
        await anext(all_events)


def agent_body(agent: vega.Agent) -> Callable[[Process], Awaitable[object]]:
    async def body(me: Process) -> object:
        async for mail in me.inbox:
            with mail.handling() as scope:
                if mail.message == "hang":
                    await trio.sleep_forever()
                mail.reply(mail.message)
            if scope.cancelled_caught:
                me.emit(vega.TurnStopped(turn_id=mail.id, root_turn_id=mail.root_id))
                mail.fail(vega.TurnCancelled(mail.id))
        return None

    return body


def run(scenario: Scenario, k: int, *, inside: bool) -> bool:
    """Runs it, cancelled at step k, around the kernel or `inside` it. Whether it got to its end first."""
    instrument = CancelAtStep(k)
    done = False

    async def cancelled(orch: Orchestrator) -> None:
        nonlocal done
        with instrument.scope:
            await scenario(orch)
            done = True
        instrument.task = None

    async def main() -> None:
        nonlocal done
        ids = count()
        opened: list[Orchestrator] = []
        baseline = trio.lowlevel.current_statistics().tasks_living
        with trio.fail_after(10_000), instrument.scope if not inside else trio.CancelScope():
            if not inside:
                instrument.task = trio.lowlevel.current_task()
            async with open_kernel(
                store=MemoryStore(),
                make_body=agent_body,
                wall_clock=trio.current_time,
                rand=lambda: 0.5,
                new_id=lambda: f"id{next(ids)}",
            ) as orch:
                opened.append(orch)
                if inside:
                    instrument.task = trio.lowlevel.current_task()
                    await cancelled(orch)
                    await trio.sleep(100)
                    assert all(process.status == "running" for process in orch.processes()), "alive and well"
                    for top in orch.supervisors():
                        await top.start_child(ChildSpec("probe", sleeper))
                        await top.stop()
                else:
                    await scenario(orch)
            done = done or not inside
        instrument.task = None
        for orch in opened:  # none when the cancel struck before it was open
            assert orch.processes() == []
            assert orch.supervisors() == []
            assert [orch.whereis(name) for name in ("echo", "outer", "top")] == [None] * 3
        await wait_all_tasks_blocked()
        assert trio.lowlevel.current_statistics().tasks_living == baseline

    trio.run(main, clock=MockClock(autojump_threshold=0), instruments=[instrument])
    return done and instrument.steps < k


@pytest.mark.parametrize("inside", [False, True], ids=["around the kernel", "inside"])
@pytest.mark.parametrize("scenario", [spawn_and_talk, scoped, supervise, families, turns])
def test_cancelled_at_any_step_nothing_is_left_and_nothing_is_broken(scenario: Scenario, inside: bool) -> None:
    for k in count(1):
        if run(scenario, k, inside=inside):
            break
    assert k > 5

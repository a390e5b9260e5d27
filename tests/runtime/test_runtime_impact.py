"""Restarts that are asked for, and what is said beforehand of a kill or a restart: exactly that happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import vega_trio as vega
from vega_trio import ChildSpec, Supervision, SupervisorSpec
from vega_trio.runtime.impact import Impact, impact_of_kill, impact_of_restart
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process

SUPERVISED = Supervision("restart", backoff=None)


async def sleeper(me: Process) -> None:
    await trio.sleep_forever()


async def trapper(me: Process) -> None:
    me.trap_exit = True
    await trio.sleep_forever()


def linked_to(other: Process, body: Callable[[Process], object] = sleeper) -> Callable[[Process], object]:
    async def linking(me: Process) -> object:
        if body is trapper:
            me.trap_exit = True
        if other.live is not None and me.incarnation == 1:
            me.link(other)
        return await trio.sleep_forever()

    return linking


def watching(other: Process) -> Callable[[Process], object]:
    async def watcher(me: Process) -> None:
        async with me.monitor(other) as downs:
            async for _ in downs:
                pass
        await trio.sleep_forever()

    return watcher


async def settle() -> None:
    await wait_all_tasks_blocked()


def state(orch: Orchestrator) -> dict[str, int]:
    return {each.id: each.incarnation for each in orch.processes()}


def check(before: dict[str, int], after: dict[str, int], said: Impact, named: Iterable[str]) -> None:
    """What was said of the processes in `named` is what became of them."""
    died = {each for each in named if each not in after}
    restarted = {each for each in named if each in after and after[each] > before[each]}
    assert died == set(said.dies) & set(named)
    assert restarted == set(said.restarts) & set(named)


async def test_a_restart_ends_the_incarnation_in_order_starts_the_next_and_is_not_counted(
    autojump_clock: MockClock,
) -> None:
    with trio.fail_after(60):
        async with vega.open_orchestrator(model=vega.testing.ScriptedModel([])) as orch:
            process = await orch.spawn(sleeper, supervision=SUPERVISED)
            async with orch.subscribe(["process.*"]) as events:
                for number in range(5):
                    assert orch.restart(process.id)
                    await settle()
                    assert (process.incarnation, process.alive) == (number + 2, True)
                restarting = await anext(aiter(events))
            assert process.keeper.used == 0
            assert restarting.type == "process.restarting"
            assert "asked" in restarting.reason


async def test_a_process_without_supervision_and_one_that_has_ended_are_not_restarted(
    autojump_clock: MockClock,
) -> None:
    with trio.fail_after(60):
        async with vega.open_orchestrator(model=vega.testing.ScriptedModel([])) as orch:
            alone = await orch.spawn(sleeper)
            ended = await orch.spawn(sleeper, supervision=SUPERVISED)
            await orch.kill(ended.id)
            assert not orch.restart(alone.id)
            assert not orch.restart(ended.id)
            assert impact_of_restart(alone) == impact_of_restart(ended) == Impact((), (), ())
            await settle()
            assert (alone.incarnation, ended.incarnation) == (1, 1)


async def test_a_process_in_backoff_is_started_at_once_when_a_restart_is_asked_for(autojump_clock: MockClock) -> None:
    async def crashes_once(me: Process) -> None:
        if me.incarnation == 1:
            await trio.sleep(0.1)
            raise ValueError
        await trio.sleep_forever()

    with trio.fail_after(60):
        async with vega.open_orchestrator(model=vega.testing.ScriptedModel([])) as orch:
            slow = Supervision("restart", backoff=vega.BackoffConfig(initial=20.0))
            process = await orch.spawn(crashes_once, supervision=slow)
            await trio.sleep(1)
            assert process.keeper.next_at is not None
            begun = trio.current_time()
            assert orch.restart(process.id)
            await settle()
            assert (process.incarnation, process.status, process.keeper.next_at) == (2, "running", None)
            assert trio.current_time() == begun


@pytest.mark.parametrize("strategy", ["one_for_one", "one_for_all", "rest_for_one"])
@pytest.mark.parametrize("which", [0, 1, 2])
async def test_a_restart_names_exactly_those_that_restart(autojump_clock: MockClock, strategy: str, which: int) -> None:
    with trio.fail_after(60):
        async with vega.open_orchestrator(model=vega.testing.ScriptedModel([])) as orch:
            spec = SupervisorSpec(strategy, [ChildSpec(name, sleeper, name=name) for name in "abc"])
            supervisor = await orch.supervise(spec)
            children = [child.process for child in supervisor.which_children()]
            guest = await orch.spawn(linked_to(children[2]))
            watcher = await orch.spawn(watching(children[1]))
            await settle()
            before, said = state(orch), impact_of_restart(children[which])
            assert orch.restart(children[which].id)
            await settle()
            after = state(orch)
            check(before, after, said, [*(each.id for each in children), guest.id])
            assert (watcher.id in said.notified) == (after[children[1].id] == 2)
            assert supervisor.restarts_used == 0


async def test_a_kill_names_linked_owned_and_notified_ones_and_nobody_else(autojump_clock: MockClock) -> None:
    async def owner(me: Process) -> None:
        await me.spawn(sleeper, name="owned")
        await trio.sleep_forever()

    with trio.fail_after(60):
        async with vega.open_orchestrator(model=vega.testing.ScriptedModel([])) as orch:
            target = await orch.spawn(owner, supervision=SUPERVISED)
            linked = await orch.spawn(linked_to(target))
            supervised = await orch.spawn(linked_to(target), supervision=SUPERVISED)
            told = await orch.spawn(linked_to(target, trapper))
            watcher = await orch.spawn(watching(linked))
            await orch.spawn(sleeper)
            await settle()
            owned = orch.whereis("owned")
            before, said = state(orch), impact_of_kill([target])
            await orch.kill(target.id)
            await settle()
            check(before, state(orch), said, before)
            assert set(said.dies) == {target.id, linked.id, owned.id}
            assert said.restarts == (supervised.id,)
            assert set(said.notified) == {told.id, watcher.id}


async def test_a_linked_child_whose_supervisor_gives_up_takes_its_siblings_along(autojump_clock: MockClock) -> None:
    with trio.fail_after(60):
        async with vega.open_orchestrator(model=vega.testing.ScriptedModel([])) as orch:
            target = await orch.spawn(sleeper)
            children = [ChildSpec("a", linked_to(target)), ChildSpec("b", sleeper)]
            await orch.supervise(SupervisorSpec("one_for_one", children, max_restarts=0), fatal=False)
            await settle()
            before, said = state(orch), impact_of_kill([target])
            await orch.kill(target.id)
            await settle()
            check(before, state(orch), said, before)
            assert len(said.dies) == 3


async def test_a_nested_supervisor_that_restarts_takes_its_children_down_for_good(autojump_clock: MockClock) -> None:
    with trio.fail_after(60):
        async with vega.open_orchestrator(model=vega.testing.ScriptedModel([])) as orch:
            inner = SupervisorSpec("one_for_one", [ChildSpec("leaf", sleeper)])
            children = [ChildSpec("a", sleeper), ChildSpec("nested", inner)]
            supervisor = await orch.supervise(SupervisorSpec("one_for_all", children))
            first = supervisor.get_child("a").process
            before, said = state(orch), impact_of_restart(first)
            orch.restart(first.id)
            await settle()
            check(before, state(orch), said, before)
            assert (len(said.dies), said.restarts) == (1, (first.id,))

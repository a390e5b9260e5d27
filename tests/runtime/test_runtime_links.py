"""Links, monitors, exit signals and exit reasons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise, product

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import vega_trio as vega
from vega_trio import Crashed, ExitSignal, Killed, NoProcess, Normal, Shutdown
from vega_trio.exits import ExitReason
from vega_trio.runtime import Orchestrator, Process


async def sleeper(me: Process) -> None:
    await trio.sleep_forever()


async def trapper(me: Process) -> None:
    me.trap_exit = True
    await trio.sleep_forever()


BOOM = Crashed(ValueError("boom"))


@pytest.mark.parametrize("reason", [Shutdown(), Shutdown("why"), BOOM, Killed()])
async def test_a_linked_peer_dies_of_the_same_reason(orch: Orchestrator, clock: MockClock, reason: ExitReason) -> None:
    chain = [await orch.spawn(sleeper) for _ in range(4)]
    for one, other in pairwise(chain):
        one.link(other)
    if isinstance(reason, Killed):
        chain[0].kill()
    else:
        chain[0].exit(reason)
    assert [await each.wait() for each in chain] == [reason] * 4


async def test_a_normal_exit_does_not_reach_linked_peers_that_do_not_trap(orch: Orchestrator, clock: MockClock) -> None:
    async def short(me: Process) -> None:
        await trio.sleep(1)

    one, other = await orch.spawn(short), await orch.spawn(sleeper)
    one.link(other)
    await one.wait()
    await wait_all_tasks_blocked()
    assert other.alive


async def test_a_trapper_gets_one_signal_for_each_linked_exit_normal_and_killed_included(
    orch: Orchestrator, clock: MockClock
) -> None:
    async def short(me: Process) -> int:
        await trio.sleep(1)
        return 7

    me = await orch.spawn(trapper)
    signals = me.exit_signals
    one, killed = await orch.spawn(short), await orch.spawn(sleeper)
    for each in (one, killed):
        me.link(each)
        me.link(each)
        each.link(me)
    await trio.sleep(1)
    await one.wait()
    killed.kill()
    await killed.wait()
    assert [signals.receive_nowait(), signals.receive_nowait()] == [
        ExitSignal(one.id, None, 1, Normal(7), linked=True, at=1.0),
        ExitSignal(killed.id, None, 1, Killed(), linked=True, at=1.0),
    ]
    with pytest.raises(trio.WouldBlock):
        signals.receive_nowait()
    assert me.alive


async def test_one_unlink_undoes_any_number_of_links(orch: Orchestrator, clock: MockClock) -> None:
    one, other = await orch.spawn(sleeper), await orch.spawn(sleeper)
    one.link(other)
    one.link(other)
    other.unlink(one)
    one.exit(BOOM)
    await one.wait()
    await wait_all_tasks_blocked()
    assert other.alive


async def test_linking_to_the_dead_is_a_signal_for_a_trapper_and_an_error_for_others(
    orch: Orchestrator, clock: MockClock
) -> None:
    dead, me, other = await orch.spawn(sleeper), await orch.spawn(trapper), await orch.spawn(sleeper)
    dead.kill()
    await dead.wait()
    me.link(dead)
    signal = me.exit_signals.receive_nowait()
    assert (signal.process_id, signal.reason, signal.linked) == (dead.id, NoProcess(), True)
    with pytest.raises(vega.NoProcessError):
        other.link(dead)


async def test_spawn_link_links_before_the_first_step(orch: Orchestrator, clock: MockClock) -> None:
    async def boom(me: Process) -> None:
        raise ValueError("at once")

    async def parent(me: Process) -> None:
        with pytest.raises(vega.FailedToStart):
            await me.spawn_link(boom)
        await trio.sleep_forever()

    proc = await orch.spawn(parent)
    reason = await proc.wait()
    assert isinstance(reason, Crashed)
    assert str(reason.error) == "at once"


@pytest.mark.parametrize(
    ("reason", "plain", "trapping"),
    [
        (Normal(), None, "message"),
        (Shutdown(), Shutdown(), "message"),
        (BOOM, BOOM, "message"),
        (Killed(), Killed(), Killed()),
    ],
)
async def test_what_an_exit_signal_does(
    orch: Orchestrator, clock: MockClock, reason: ExitReason, plain: ExitReason | None, trapping: object
) -> None:
    one, other = await orch.spawn(sleeper), await orch.spawn(trapper)
    signals = other.exit_signals
    one.exit(reason)
    other.exit(reason)
    await wait_all_tasks_blocked()
    assert one.reason == plain
    if trapping == "message":
        assert other.alive
        signal = signals.receive_nowait()
        assert (signal.reason, signal.process_id, signal.linked) == (reason, None, False)
    else:
        assert other.reason == trapping


@pytest.mark.parametrize("reason", [Normal(3), Shutdown(), BOOM, Killed()])
@pytest.mark.parametrize("traps", [False, True])
async def test_exit_on_oneself_raises_at_once(
    orch: Orchestrator, clock: MockClock, reason: ExitReason, traps: bool
) -> None:
    after = []

    async def body(me: Process) -> None:
        me.trap_exit = traps
        await trio.sleep(1)
        me.exit(reason)
        after.append(1)

    proc = await orch.spawn(body)
    assert await proc.wait() == reason
    assert after == []


async def test_the_first_pending_reason_wins_and_kill_overrides(orch: Orchestrator, clock: MockClock) -> None:
    one, other = await orch.spawn(sleeper), await orch.spawn(sleeper)
    one.exit(Shutdown("first"))
    one.exit(BOOM)
    other.exit(Shutdown("first"))
    other.kill()
    assert await one.wait() == Shutdown("first")
    assert await other.wait() == Killed()


async def test_each_monitor_gets_one_down_and_then_ends(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(sleeper)
    async with orch.monitor(proc) as first, orch.monitor(proc) as second, orch.monitor(proc) as discarded:
        proc.exit(BOOM)
        await proc.wait()
        for downs in (first, second):
            assert [(down.process_id, down.incarnation, down.reason) async for down in downs] == [(proc.id, 1, BOOM)]
        del discarded
    async with orch.monitor(proc) as downs:
        assert [down.reason async for down in downs] == [NoProcess()]


async def test_a_restart_is_a_down_and_nothing_is_monitored_or_linked_again(
    orch: Orchestrator, clock: MockClock
) -> None:
    proc = await orch.spawn(vega.Agent(name="a"), supervision=vega.Supervision())
    watcher = await orch.spawn(trapper)
    watcher.link(proc)
    async with orch.monitor(proc) as downs:
        assert await proc.send("crash once") == ("crash once", 2)
        assert [down.agent_name async for down in downs] == ["a"]
    assert isinstance(watcher.exit_signals.receive_nowait().reason, Crashed)
    proc.kill()
    await trio.sleep(1)
    with pytest.raises(trio.WouldBlock):
        watcher.exit_signals.receive_nowait()


async def test_mail_sent_before_a_death_is_there_before_the_down(orch: Orchestrator, clock: MockClock) -> None:
    async def sender(me: Process) -> None:
        await trio.sleep(1)
        for n in range(10):
            await receiver.post(n)

    receiver = await orch.spawn(sleeper)
    proc = await orch.spawn(sender)
    async with receiver.monitor(proc) as downs:
        await downs.receive()
        assert receiver.mailbox_length == 10


async def test_the_name_is_free_before_anybody_hears_of_the_final_exit(orch: Orchestrator, clock: MockClock) -> None:
    group = orch.group("g")
    proc = await orch.spawn(sleeper, name="n")
    group.join(proc)
    async with orch.monitor(proc) as downs:
        proc.kill()
        await downs.receive()
        assert orch.whereis("n") is None
        assert not group.has(proc)


async def test_names_are_unique_and_one_per_process(orch: Orchestrator, clock: MockClock) -> None:
    one, other = await orch.spawn(sleeper, name="n"), await orch.spawn(sleeper)
    with pytest.raises(vega.NameTaken):
        await orch.spawn(sleeper, name="n")
    with pytest.raises(vega.NameTaken):
        orch.register("n", other)
    with pytest.raises(vega.AlreadyNamed):
        orch.register("m", one)
    orch.unregister("n")
    orch.register("n", other)
    assert (orch.whereis("n"), one.name) == (other, None)
    one.kill()
    await one.wait()
    with pytest.raises(vega.NoProcessError):
        orch.register("m", one)
    with pytest.raises(vega.UnknownName):
        await orch.post("nobody", "hello")


async def test_children_of_a_process_end_with_its_incarnation(orch: Orchestrator, clock: MockClock) -> None:
    async def parent(me: Process) -> None:
        await me.spawn(sleeper, name=f"plain {me.incarnation}", supervision=vega.Supervision())
        await me.spawn(trapper, name=f"trapper {me.incarnation}", shutdown=3)
        await me.inbox.__anext__()
        raise ValueError("crash")

    proc = await orch.spawn(parent, supervision=vega.Supervision(backoff=None))
    await wait_all_tasks_blocked()
    first = {name: orch.whereis(name) for name in ("plain 1", "trapper 1")}
    await proc.post("go")
    await wait_all_tasks_blocked()
    plain, stubborn = first["plain 1"], first["trapper 1"]
    assert plain is not None
    assert stubborn is not None
    assert plain.reason == Shutdown()
    assert stubborn.alive
    assert orch.whereis("plain 2") is not None
    assert await stubborn.wait() == Killed()
    assert trio.current_time() == 3


async def test_an_error_while_dying_changes_no_reason_and_is_an_event(orch: Orchestrator, clock: MockClock) -> None:
    async def cleanup_fails(me: Process) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise KeyError("in cleanup")

    async def group_fails(me: Process) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cleanup_fails, me)
            await trio.sleep_forever()

    for body in (cleanup_fails, group_fails):
        async with orch.subscribe([vega.ShutdownError]) as events:
            proc = await orch.spawn(body, supervision=vega.Supervision())
            proc.exit(Shutdown("bye"))
            assert await proc.wait() == Shutdown("bye")
            assert "in cleanup" in (await anext(events)).error  # type: ignore[attr-defined]


async def test_finished_work_is_not_thrown_away(orch: Orchestrator, clock: MockClock) -> None:
    async def swallows(me: Process) -> str:
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
        return "saved"

    async def swallows_and_fails(me: Process) -> str:
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
        raise ValueError("of its own")

    kept, crashed, killed = [await orch.spawn(body) for body in (swallows, swallows_and_fails, swallows)]
    kept.exit()
    crashed.exit()
    killed.kill()
    assert await kept.wait() == Normal("saved")
    assert isinstance(await crashed.wait(), Crashed)
    assert await killed.wait() == Killed()


async def test_groups_of_errors(orch: Orchestrator, clock: MockClock) -> None:
    async def raise_after(event: trio.Event, error: Exception) -> None:
        await event.wait()
        raise error

    def body(*errors: Exception) -> object:
        async def run(me: Process) -> None:
            async with trio.open_nursery() as nursery:
                event = trio.Event()
                for error in errors:
                    nursery.start_soon(raise_after, event, error)
                await trio.sleep(1)
                event.set()

        return run

    one, two = ValueError("1"), KeyError("2")
    alone = await orch.spawn(body(one))  # type: ignore[arg-type]
    assert await alone.wait() == Crashed(one)
    both = await (await orch.spawn(body(one, two))).wait()  # type: ignore[arg-type]
    assert isinstance(both, Crashed)
    assert isinstance(both.error, ExceptionGroup)
    exits = await orch.spawn(body(one, vega.ProcessExit(Shutdown("x"))))  # type: ignore[arg-type]
    assert await exits.wait() == Shutdown("x")


async def test_ctrl_c_in_a_process_leaves_bare_after_an_ordered_stop(kernels: object, clock: MockClock) -> None:
    starts = []

    async def interrupted(me: Process) -> None:
        starts.append(me.id)
        await trio.sleep(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise error

    for error, supervised in product((KeyboardInterrupt(), SystemExit(3)), (True, False)):
        ended: list[ExitReason] = []
        starts.clear()
        with pytest.raises(type(error)):  # noqa: PT012
            async with kernels() as orch:  # type: ignore[operator]
                other = await orch.spawn(sleeper, supervision=vega.Supervision())
                other.on_end(ended.append)
                if supervised:
                    await orch.supervise(vega.SupervisorSpec(children=[vega.ChildSpec("i", interrupted)]))
                else:
                    await orch.spawn(interrupted, supervision=vega.Supervision(backoff=None))
                await trio.sleep_forever()
        assert ended == [Shutdown()]
        assert len(starts) == 1, "restarts nothing"


async def test_who_ignores_has_ended_normally_for_those_who_watch(orch: Orchestrator, clock: MockClock) -> None:
    async def ignores(me: Process) -> None:
        raise vega.Ignore

    async def parent(me: Process) -> None:
        assert await me.spawn_link(ignores) is None
        await trio.sleep_forever()

    proc = await orch.spawn(parent)
    await wait_all_tasks_blocked()
    assert proc.alive


async def test_a_child_that_ignores_its_restart_is_down_and_completed(orch: Orchestrator, clock: MockClock) -> None:
    async def once(me: Process) -> None:
        if me.incarnation == 2:
            raise vega.Ignore
        await trio.sleep(1)
        raise ValueError("once")

    async with orch.subscribe([vega.ProcessCompleted]) as events:
        sup = await orch.supervise(vega.SupervisorSpec(children=[vega.ChildSpec("o", once)]))
        await trio.sleep(2)
        assert sup.get_child("o").state == "stopped"
        assert (await anext(events)).incarnation == 2


async def test_outer_cancellation_stops_everything_in_order(kernels: object, clock: MockClock) -> None:
    log = []

    async def slow_to_leave(me: Process) -> None:
        try:
            await trio.sleep_forever()
        finally:
            async with me.cleanup():
                await trio.sleep(2)
                log.append(me.name)

    with trio.move_on_after(1):
        async with kernels() as orch:  # type: ignore[operator]
            for name in "ab":
                await orch.spawn(slow_to_leave, name=name)
            spec = [vega.ChildSpec(name, slow_to_leave, name=name) for name in "cd"]
            await orch.supervise(vega.SupervisorSpec(children=spec))
            await trio.sleep_forever()
    assert sorted(log[:2]) == ["a", "b"]
    assert log[2:] == ["d", "c"]
    assert trio.current_time() == 7


async def test_what_is_left_after_the_shutdown_timeout_is_killed(kernels: object, clock: MockClock) -> None:
    async with kernels(shutdown_timeout=3) as orch:  # type: ignore[operator]
        one = await orch.spawn(trapper, shutdown=100)
        spec = vega.SupervisorSpec(children=[vega.ChildSpec("t", trapper, shutdown=100)])
        other = (await orch.supervise(spec)).get_child("t").process
        assert other is not None
    assert (one.reason, other.reason) == (Killed(), Killed())
    assert trio.current_time() == 3


async def test_nothing_is_spawned_in_a_stopping_orchestrator(kernels: object, clock: MockClock) -> None:
    async with kernels() as orch:  # type: ignore[operator]
        pass
    with pytest.raises(vega.OrchestratorClosed):
        await orch.spawn(sleeper)


async def test_there_are_at_most_max_processes_and_the_spawn_tree_is_at_most_32_deep(
    kernels: object, clock: MockClock
) -> None:
    async with kernels(max_processes=40) as orch:  # type: ignore[operator]
        proc = None
        for _ in range(33):
            proc = await orch.spawn(sleeper, parent=proc, spawn_reason="deeper")
        with pytest.raises(vega.SpawnTooDeep):
            await orch.spawn(sleeper, parent=proc)
        assert proc.spawn_depth == 32
        for _ in range(7):
            last = await orch.spawn(sleeper)
        with pytest.raises(vega.TooManyProcesses):
            await orch.spawn(sleeper)
        await orch.kill(last.id)
        await orch.spawn(sleeper)
        (root,) = [node for node in orch.spawn_tree() if node.children]
        assert root.children[0].spawn_reason == "deeper"
        assert len(orch.processes()) == 40


async def test_each_that_lives_on_after_a_kill_is_told_of_once_and_in_its_own_time(
    orch: Orchestrator, clock: MockClock
) -> None:
    def shielded_for(seconds: float) -> Callable[[Process], Awaitable[None]]:
        async def body(me: Process) -> None:
            with trio.CancelScope(shield=True):
                await trio.sleep(seconds)

        return body

    first, quick, last = [await orch.spawn(shielded_for(seconds)) for seconds in (9, 0.9, 9)]
    told: list[tuple[float, str | None]] = []
    with orch.bus.tapped(lambda event: told.append((trio.current_time(), event.process_id))):
        first.kill()
        quick.kill()
        await trio.sleep(0.5)
        last.kill()
        last.kill()
        await trio.sleep(3)
    alerts = [each for each in told if each[1] != quick.id]
    assert alerts == [(1.0, first.id), (1.5, last.id)]
    assert [at for at, id_ in told if id_ == quick.id] == [0.9]  # its end, and no alert


async def test_an_unkillable_process_is_reported_with_its_stack_and_waited_for(
    orch: Orchestrator, clock: MockClock
) -> None:
    async def shielded(me: Process) -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(5)

    proc = await orch.spawn(shielded)
    async with orch.subscribe(["alert.*"]) as events:
        proc.kill()
        alert = await anext(events)
    assert isinstance(alert, vega.HealthAlert)
    assert alert.kind == "unkillable"
    assert "in shielded" in alert.message
    assert trio.current_time() == 1
    assert await proc.wait() == Killed()
    assert trio.current_time() == 5

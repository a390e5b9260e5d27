"""What a caller is owed, and what it is not: calls, posts, names, status, the spawn tree."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio
from kernels import OpenKernel
from trio.testing import MockClock, wait_all_tasks_blocked

import vega_trio as vega
from vega_trio import (
    BackoffConfig,
    ChildSpec,
    Crashed,
    Killed,
    NoProcess,
    Normal,
    Shutdown,
    Supervision,
    SupervisorSpec,
)
from vega_trio.runtime import Mail, Orchestrator, Process, Supervisor


async def sleeper(me: Process) -> None:
    await trio.sleep_forever()


async def naps(me: Process) -> None:
    await trio.sleep(1)


async def slow_echo(me: Process) -> None:
    async for mail in me.inbox:
        if mail.message == "crash":
            raise ValueError("as told")
        await trio.sleep(1)
        mail.reply(mail.message)


# -- calls


async def test_a_call_that_takes_too_long_is_a_timeout_and_its_late_reply_is_dropped(
    orch: Orchestrator, clock: MockClock
) -> None:
    proc = await orch.spawn(slow_echo)
    with pytest.raises(TimeoutError) as caught:
        await proc.send("late", timeout=0.5)
    assert isinstance(caught.value, vega.CallTimeout)
    assert trio.current_time() == 0.5
    assert await proc.send("next") == "next"


async def test_a_timeout_covers_the_wait_for_room(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(sleeper)
    for number in range(64):
        proc.post_nowait(number)
    with pytest.raises(vega.CallTimeout):
        await proc.send("no room", timeout=2)
    assert (trio.current_time(), proc.mailbox_length) == (2, 64)


async def test_a_cancelled_caller_leaves_the_callee_alone(orch: Orchestrator, clock: MockClock) -> None:
    handled: list[str] = []

    async def body(me: Process) -> None:
        async for mail in me.inbox:
            await trio.sleep(1)
            handled.append(mail.message)
            mail.reply(None)

    proc = await orch.spawn(body)
    with trio.move_on_after(0.5):
        await proc.send("cancelled")
    await trio.sleep(1)
    assert handled == ["cancelled"]
    assert proc.status == "running"


async def test_a_call_ends_with_the_reason_of_its_callee(orch: Orchestrator, clock: MockClock) -> None:
    async def leaves(me: Process) -> object:
        mail = await anext(me.inbox)
        match mail.message:
            case "return":
                return 7
            case "kill":
                me.kill()
                return await trio.sleep_forever()
            case reason:
                raise vega.ProcessExit(reason)

    for message, reason, kind in [
        ("return", Normal(7), vega.ProcessExited),
        (Shutdown("done"), Shutdown("done"), vega.ProcessExited),
        ("kill", Killed(), vega.ProcessCrashed),
    ]:
        proc = await orch.spawn(leaves)
        waiting = proc.start_send("behind it, never taken") if message == "kill" else None
        if waiting is not None:
            proc = await orch.spawn(leaves)
        with pytest.raises(vega.ProcessExited) as caught:
            await proc.send(message)
        assert type(caught.value) is kind
        assert (caught.value.process_id, caught.value.reason) == (proc.id, reason)
        assert await proc.wait() == reason
        with pytest.raises(vega.ProcessExited) as late:
            await proc.send("anyone?")
        assert late.value.reason == NoProcess()


async def test_a_body_answers_with_a_value_or_an_error(orch: Orchestrator, clock: MockClock) -> None:
    senders: list[str | None] = []

    async def body(me: Process) -> None:
        async for mail in me.inbox:
            senders.append(mail.sender_id)
            if mail.message == "fail":
                mail.fail(KeyError("no such thing"))
            mail.reply(mail.message)
            mail.reply("a second reply is dropped")

    async def asks(me: Process) -> object:
        return await proc.send("from within")

    proc = await orch.spawn(body)
    assert await proc.send("value") == "value"
    with pytest.raises(KeyError, match="no such thing"):
        await proc.send("fail")
    asker = await orch.spawn(asks)
    assert await asker.wait() == Normal("from within")
    assert senders == [None, None, asker.id]


async def test_mail_of_one_sender_arrives_in_the_order_in_which_it_was_sent(
    orch: Orchestrator, clock: MockClock
) -> None:
    got: dict[str, list[int]] = {}

    async def body(me: Process) -> None:
        async for mail in me.inbox:
            name, number = mail.message
            got.setdefault(name, []).append(number)
            await trio.lowlevel.checkpoint()

    async def sends(name: str) -> None:
        for number in range(100):  # more than the mailbox holds
            await proc.post((name, number))

    proc = await orch.spawn(body)
    async with trio.open_nursery() as nursery:
        for name in "abc":
            nursery.start_soon(sends, name)
    await wait_all_tasks_blocked()
    assert got == {name: list(range(100)) for name in "abc"}


async def test_a_signal_passes_a_full_mailbox(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(sleeper)
    for number in range(64):
        proc.post_nowait(number)
    with pytest.raises(vega.MailboxFull):
        proc.post_nowait("one more")
    proc.exit(Shutdown("now"))
    assert await proc.wait() == Shutdown("now")


async def test_names_are_addresses_as_long_as_their_process_lives(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(slow_echo, name="echo", supervision=Supervision(max_restarts=1, backoff=None))
    assert await orch.send("echo", "hello") == "hello"
    assert await orch.post("echo", "crash")
    await wait_all_tasks_blocked()
    assert (orch.whereis("echo"), proc.incarnation) == (proc, 2)
    assert await orch.send("echo", "again") == "again"
    await orch.post("echo", "crash")
    await proc.wait()
    assert orch.whereis("echo") is None
    for door in (orch.send, orch.post):
        with pytest.raises(vega.UnknownName, match="'echo'"):
            await door("echo", "anyone?")
    with pytest.raises(vega.UnknownName):
        orch.unregister("echo")


# -- what it is doing


async def test_the_status_is_derived(orch: Orchestrator, clock: MockClock) -> None:
    seen: list[str] = []

    async def starts_slowly(me: Process) -> None:
        seen.append(me.status)
        await trio.sleep(1)
        me.ready()
        seen.append(me.status)
        await trio.sleep(1)
        raise ValueError("as told")

    policy = Supervision(max_restarts=1, backoff=BackoffConfig(5))
    proc = await orch.spawn(starts_slowly, start_timeout=10, supervision=policy)
    seen.append(proc.status)
    await trio.sleep(2)
    seen.append(f"in backoff {proc.status}")
    assert isinstance(await proc.wait(), Crashed)
    assert seen == ["pending", "running", "running", "in backoff pending", "pending", "running"]
    assert (proc.status, proc.result, proc.alive) == ("failed", None, False)
    for body, options, status in [
        (sleeper, {"deadline": 1}, "timeout"),
        (naps, {}, "completed"),
    ]:
        other = await orch.spawn(body, **options)
        await other.wait()
        assert other.status == status
    stopped = await orch.spawn(sleeper)
    await orch.stop(stopped.id)
    assert stopped.status == "completed"
    killed = await orch.spawn(sleeper)
    await orch.kill(killed.id)
    assert (killed.status, killed.reason) == ("failed", Killed())


async def test_the_spawn_tree_tells_who_spawned_whom_and_why(orch: Orchestrator, clock: MockClock) -> None:
    agent = vega.Agent(name="writer")

    async def parent(me: Process) -> None:
        child = await me.spawn(agent, task="write", spawn_reason="delegation")
        assert (child.parent_id, child.parent_agent, child.spawn_depth) == (me.id, None, 1)
        await child.spawn(sleeper, spawn_reason="helper")
        await trio.sleep_forever()

    root = await orch.spawn(parent, task="lead")
    await wait_all_tasks_blocked()
    (node,) = orch.spawn_tree()
    (child,) = node.children
    (leaf,) = child.children
    assert (node.process_id, node.agent_name, node.task, node.status) == (root.id, None, "lead", "running")
    assert (child.agent_name, child.task, child.spawn_reason, child.spawn_depth) == ("writer", "write", "delegation", 1)
    assert (leaf.spawn_reason, leaf.spawn_depth, leaf.children) == ("helper", 2, ())
    assert orch.get(leaf.process_id).parent_agent == "writer"
    child_process = orch.get(child.process_id)
    recorded = await orch.spawn(sleeper, parent=child_process)
    await orch.stop(root.id)
    await child_process.wait()
    assert recorded.alive, "orch.spawn(parent=...) only records the tree"


async def test_the_last_thousand_that_finished_stay_readable_and_orphans_become_roots(
    orch: Orchestrator, clock: MockClock
) -> None:
    async def nothing(me: Process) -> int:
        return 1

    first = await orch.spawn(nothing)
    orphan = await orch.spawn(sleeper, parent=first)
    others = [await orch.spawn(nothing) for _ in range(999)]
    assert orch.get(first.id).result == 1
    assert [node.process_id for node in orch.spawn_tree() if node.children] == [first.id]
    others.append(await orch.spawn(nothing))
    with pytest.raises(vega.UnknownProcess):
        orch.get(first.id)
    assert all(orch.get(each.id) is each for each in others)
    assert orch.processes() == [orphan]
    assert orphan.id in {node.process_id for node in orch.spawn_tree()}


# -- signals


async def test_a_signal_tells_its_sender_and_none_from_outside_of_any_process(
    orch: Orchestrator, clock: MockClock
) -> None:
    signals: list[vega.ExitSignal] = []

    async def trapper(me: Process) -> None:
        me.trap_exit = True
        async for signal in me.exit_signals:
            signals.append(signal)  # noqa: PERF401 - as they come

    async def sends(me: Process) -> None:
        proc.exit(Shutdown("from a process"))

    proc = await orch.spawn(trapper)
    await trio.sleep(3)
    proc.exit(Normal())
    sender = await orch.spawn(sends)
    await wait_all_tasks_blocked()
    assert [(each.process_id, each.incarnation, each.linked, each.at) for each in signals] == [
        (None, 0, False, 3),
        (sender.id, 1, False, 3),
    ]
    assert [each.reason for each in signals] == [Normal(), Shutdown("from a process")]


async def test_an_exit_and_a_kill_are_signals_after_which_restarts_apply(orch: Orchestrator, clock: MockClock) -> None:
    spec = SupervisorSpec(children=[ChildSpec("a", sleeper)], max_restarts=None)
    sup = await orch.supervise(spec)
    for number, strike in enumerate((Process.kill, Process.exit), 2):
        child = sup.get_child("a").process
        assert child is not None
        strike(child)
        await wait_all_tasks_blocked()
        assert (child.incarnation, child.status) == (number, "running")
    for end in (orch.stop, orch.kill):
        child = sup.get_child("a").process
        assert child is not None
        await end(child.id)
        assert sup.get_child("a").state == "stopped"
        assert sup.get_child("a").process is None
        await sup.restart_child("a")


async def test_trapping_links_and_monitors_belong_to_one_incarnation(orch: Orchestrator, clock: MockClock) -> None:
    flags: list[bool] = []

    async def body(me: Process) -> None:
        flags.append(me.trap_exit)
        me.trap_exit = True
        async for _ in me.inbox:
            raise ValueError("as told")

    other = await orch.spawn(sleeper)
    proc = await orch.spawn(body, supervision=Supervision(backoff=None))
    proc.link(other)
    other.trap_exit = True
    await proc.post("crash")
    await wait_all_tasks_blocked()
    assert flags == [False, False]
    assert proc.statistics().links == 0
    assert other.statistics().exit_signals == 1


async def test_leaving_a_monitors_block_discards_its_down(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(sleeper)
    async with orch.monitor(proc) as downs:
        proc.kill()
        await proc.wait()
    with pytest.raises(trio.ClosedResourceError):
        downs.receive_nowait()


async def test_a_cleanup_has_its_time_and_no_more(orch: Orchestrator, clock: MockClock) -> None:
    done: list[str] = []

    async def body(me: Process) -> None:
        try:
            await trio.sleep_forever()
        finally:
            async with me.cleanup(timeout=2):
                await trio.sleep(1)
                done.append("in time")
                await trio.sleep(2)
                done.append("too late")

    proc = await orch.spawn(body, shutdown=100)
    await orch.stop(proc.id)
    assert (done, trio.current_time(), proc.reason) == (["in time"], 2, Shutdown())


# -- supervisors


async def test_a_supervisor_has_started_when_all_below_it_have(orch: Orchestrator, clock: MockClock) -> None:
    async def starts_in(me: Process) -> None:
        await trio.sleep(2)
        me.ready()
        await trio.sleep_forever()

    leaf = ChildSpec("leaf", starts_in, start_timeout=10)
    inner = SupervisorSpec(children=[leaf, ChildSpec("next", starts_in, start_timeout=10)])
    sup = await orch.supervise(SupervisorSpec(children=[ChildSpec("inner", inner)]))
    assert trio.current_time() == 4
    await sup.start_child(leaf)
    assert trio.current_time() == 6


async def test_nested_supervisors_start_a_child_at_most_so_often(kernels: OpenKernel, clock: MockClock) -> None:
    starts = 0

    async def hopeless(me: Process) -> None:
        nonlocal starts
        starts += 1
        await trio.sleep(0.01)
        raise ValueError("again")

    inner = SupervisorSpec(children=[ChildSpec("c", hopeless)], max_restarts=2, window=1000)
    outer = SupervisorSpec(children=[ChildSpec("inner", inner)], max_restarts=3, window=1000)

    async def program() -> None:
        async with kernels() as orch:
            tops.append(await orch.supervise(outer))
            await trio.sleep_forever()

    tops: list[Supervisor] = []
    with trio.fail_after(1000), pytest.raises(vega.SupervisorGaveUp) as caught:
        await program()
    (top,) = tops
    assert starts == (2 + 1) * (3 + 1)
    assert (caught.value.supervisor_id, caught.value.child_id, caught.value.restarts) == (top.id, "inner", 3)
    assert isinstance(top.process.reason, Shutdown)
    assert top.process.reason.detail is caught.value


async def test_what_is_not_fatal_is_told_by_events_only(orch: Orchestrator, clock: MockClock) -> None:
    async def crash(me: Process) -> None:
        await trio.sleep(1)
        raise ValueError("as told")

    async with orch.subscribe(["supervisor.*"]) as events:
        child = ChildSpec("c", crash)
        gives_up = await orch.supervise(SupervisorSpec(children=[child], max_restarts=0), fatal=False)
        child = ChildSpec("c", crash, on_failure="escalate")  # type: ignore[arg-type]
        escalates = await orch.supervise(SupervisorSpec(children=[child]), fatal=False)
        await trio.sleep(2)
        assert {type(await anext(events)), type(await anext(events))} == {vega.GaveUp, vega.EscalatedUp}
    assert not gives_up.process.reason.abnormal  # type: ignore[union-attr]
    reason = escalates.process.reason
    assert isinstance(reason, Crashed)
    assert isinstance(reason.error, vega.Escalated)
    assert isinstance(reason.error.cause, ValueError)
    assert reason.error.__cause__ is reason.error.cause


async def test_the_error_of_the_block_itself_wins_over_a_supervisors(kernels: OpenKernel, clock: MockClock) -> None:
    async def crash(me: Process) -> None:
        await trio.sleep(1)
        raise ValueError("as told")

    async def program() -> None:
        async with kernels() as orch:
            await orch.supervise(SupervisorSpec(children=[ChildSpec("c", crash)], max_restarts=0))
            try:
                await trio.sleep_forever()
            finally:
                raise KeyError("mine")

    with trio.fail_after(1000), pytest.raises(KeyError, match="mine"):
        await program()


async def test_unlimited_restarts_remember_nothing(orch: Orchestrator, clock: MockClock) -> None:
    async def body(me: Process) -> None:
        async for _ in me.inbox:
            raise ValueError("as told")

    sup = await orch.supervise(SupervisorSpec(children=[ChildSpec("a", body)], max_restarts=None))
    child = sup.get_child("a").process
    assert child is not None
    for _ in range(200):
        await child.post("crash")
        await wait_all_tasks_blocked()
    assert (child.incarnation, sup.get_child("a").restarts, sup.restarts_used) == (201, 200, 0)


async def test_stopping_a_supervisor_cancels_the_restarts_that_wait(orch: Orchestrator, clock: MockClock) -> None:
    async def crash(me: Process) -> None:
        await trio.sleep(1)
        raise ValueError("as told")

    spec = SupervisorSpec(children=[ChildSpec("a", crash)], backoff=BackoffConfig(100, max=100))
    sup = await orch.supervise(spec)
    await trio.sleep(2)
    assert sup.get_child("a").state == "restarting"
    child = sup.get_child("a").process
    assert child is not None
    await sup.stop()
    assert trio.current_time() == 2
    assert isinstance(child.reason, Crashed)
    await trio.sleep(1000)
    assert child.incarnation == 1


async def test_a_supervisor_waits_for_who_cannot_be_killed(orch: Orchestrator, clock: MockClock) -> None:
    begun: list[float] = []

    async def stubborn(me: Process) -> None:
        begun.append(trio.current_time())
        with trio.CancelScope(shield=True):
            await trio.sleep(10)

    sup = await orch.supervise(SupervisorSpec(children=[ChildSpec("a", stubborn)]))
    await trio.sleep(1)
    child = sup.get_child("a").process
    assert child is not None
    child.kill()
    await trio.sleep(20)
    assert begun[:2] == [0, 10], "the next incarnation begins when the last one has gone, not before"


async def test_a_parent_that_traps_cannot_be_outlived_by_children_that_trap(
    orch: Orchestrator, clock: MockClock
) -> None:
    async def trapper(me: Process) -> None:
        me.trap_exit = True
        await trio.sleep_forever()

    async def parent(me: Process) -> None:
        children.append(await me.spawn(trapper, shutdown=3))
        await trapper(me)

    children: list[Process] = []
    proc = await orch.spawn(parent, shutdown=2)
    await wait_all_tasks_blocked()
    await orch.stop(proc.id)
    assert (trio.current_time(), proc.reason) == (2, Killed())
    assert await children[0].wait() == Killed()
    assert trio.current_time() == 5


async def test_mail_is_finished_once(orch: Orchestrator, clock: MockClock) -> None:
    kept: list[Mail] = []

    async def body(me: Process) -> None:
        kept.append(await anext(me.inbox))
        await trio.sleep(math.inf)

    proc = await orch.spawn(body)
    pending = proc.start_send("hello")
    await wait_all_tasks_blocked()
    kept[0].reply("first")
    kept[0].fail(ValueError("second"))
    assert await pending.wait() == "first"
    assert await pending.wait() == "first"


@pytest.mark.parametrize("wrong", [{"restart": "temporary"}, {"restart": "transient"}])
async def test_a_hook_may_answer_for_a_child_what_its_restart_type_allows(
    orch: Orchestrator, clock: MockClock, wrong: Any
) -> None:
    async def crash(me: Process) -> None:
        await trio.sleep(1)
        raise ValueError("as told")

    child = ChildSpec("a", crash, on_failure=lambda reason: "restart", **wrong)  # type: ignore[arg-type, return-value]
    async with orch.subscribe([vega.HookFailed]) as events:
        sup = await orch.supervise(SupervisorSpec(children=[child], max_restarts=5))
        await trio.sleep(1.5)
        if wrong["restart"] == "temporary":
            assert "restart" in (await anext(events)).error  # type: ignore[attr-defined]
            assert sup.which_children() == []
        else:
            assert sup.get_child("a").restarts == 1
            await sup.stop()

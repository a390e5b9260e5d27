"""Starting, ending and restarting one process, and the mail it gets."""

from __future__ import annotations

import gc
import math
import weakref
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from trio.testing import MockClock

import vega_trio as vega
from vega_trio import Crashed, Killed, Normal, Shutdown
from vega_trio.runtime import Mail, Orchestrator, Process


async def sleeper(me: Process) -> None:
    await trio.sleep_forever()


async def echo(me: Process) -> None:
    async for mail in me.inbox:
        if mail.message == "crash":
            raise ValueError("as told")
        mail.reply(mail.message)


async def test_a_process_that_returns_has_completed_with_its_result(orch: Orchestrator, clock: MockClock) -> None:
    async def body(me: Process) -> int:
        await trio.sleep(1)
        return 42

    proc = await orch.spawn(body)
    assert (proc.status, proc.alive, proc.reason) == ("running", True, None)
    assert await proc.wait() == Normal(42)
    assert (proc.status, proc.alive, proc.result) == ("completed", False, 42)


async def test_a_crash_before_the_first_suspension_is_a_failed_start(orch: Orchestrator, clock: MockClock) -> None:
    async def body(me: Process) -> None:
        raise ValueError("no")

    with pytest.raises(vega.FailedToStart) as caught:
        await orch.spawn(body, id="p")
    assert caught.value.child_id == "p"
    assert isinstance(caught.value.reason, Crashed)


async def test_a_crash_right_after_the_first_suspension_is_no_failed_start(
    orch: Orchestrator, clock: MockClock
) -> None:
    async def body(me: Process) -> None:
        await trio.lowlevel.checkpoint()
        raise ValueError("no")

    for _ in range(20):  # the order of tasks in one tick is random
        proc = await orch.spawn(body)
        assert isinstance(await proc.wait(), Crashed)


async def test_a_body_that_returns_at_once_has_started(orch: Orchestrator, clock: MockClock) -> None:
    async def body(me: Process) -> str:
        return "done"

    proc = await orch.spawn(body)
    assert proc.result == "done"


async def test_ignore_before_the_start_gives_none(orch: Orchestrator, clock: MockClock) -> None:
    async def body(me: Process) -> None:
        raise vega.Ignore

    assert await orch.spawn(body) is None
    assert orch.processes() == []


async def test_with_a_start_timeout_it_has_started_when_it_says_ready(orch: Orchestrator, clock: MockClock) -> None:
    async def body(me: Process) -> None:
        await trio.sleep(3)
        me.ready("open")
        await trio.sleep_forever()

    before = trio.current_time()
    proc = await orch.spawn(body, start_timeout=5)
    assert trio.current_time() == before + 3
    assert proc.ready_value == "open"
    await trio.sleep(10)
    assert proc.alive


async def test_a_start_that_takes_too_long_is_stopped_and_fails(orch: Orchestrator, clock: MockClock) -> None:
    with pytest.raises(vega.FailedToStart) as caught:
        await orch.spawn(sleeper, start_timeout=5)
    assert trio.current_time() == 5
    assert isinstance(caught.value.reason, Crashed)
    assert isinstance(caught.value.reason.error, vega.StartTimeout)


@pytest.mark.parametrize("shutdown", [3.0, "brutal_kill"])
async def test_a_start_that_takes_too_long_fails_so_also_when_it_must_be_killed(
    orch: Orchestrator, clock: MockClock, shutdown: Any
) -> None:
    async def trapper(me: Process) -> None:
        me.trap_exit = True
        await trio.sleep_forever()

    with pytest.raises(vega.FailedToStart) as caught:
        await orch.spawn(trapper, start_timeout=5, shutdown=shutdown)
    assert trio.current_time() == (8 if shutdown == 3 else 5)
    assert isinstance(caught.value.reason, Crashed)
    assert isinstance(caught.value.reason.error, vega.StartTimeout)


async def test_a_cancelled_spawn_leaves_no_process(orch: Orchestrator, clock: MockClock) -> None:
    with trio.move_on_after(1):
        await orch.spawn(sleeper, start_timeout=5)
    assert orch.processes() == []


async def test_leaving_the_block_stops_the_process(orch: Orchestrator, clock: MockClock) -> None:
    async with orch.spawn(sleeper) as proc:
        assert proc.alive
    assert proc.reason == Shutdown()


async def test_a_crash_cancels_the_block_and_is_raised_bare(orch: Orchestrator, clock: MockClock) -> None:
    async def body(me: Process) -> None:
        await trio.sleep(1)
        raise ValueError("no")

    with pytest.raises(vega.ProcessCrashed) as caught:
        async with orch.spawn(body):
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, ValueError)


async def test_the_blocks_own_error_wins(orch: Orchestrator, clock: MockClock) -> None:
    async def body(me: Process) -> None:
        await trio.sleep(1)
        raise ValueError("no")

    with pytest.raises(KeyError):  # noqa: PT012
        async with orch.spawn(body) as proc:
            await proc.wait()
            raise KeyError("mine")


async def test_a_process_is_restarted_with_its_identity_and_untaken_mail(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(echo, name="e", supervision=vega.Supervision(backoff=vega.BackoffConfig(initial=1)))
    first, second = proc.start_send("crash"), proc.start_send("hello")
    with pytest.raises(vega.ProcessExited):
        await first.wait()
    assert (proc.status, proc.incarnation) == ("pending", 1)
    assert await second.wait() == "hello"
    assert trio.current_time() == 1
    assert (proc.status, proc.incarnation, proc.restarts) == ("running", 2, 1)
    assert orch.whereis("e") is proc


async def test_an_agents_unfinished_mail_is_delivered_again_and_its_caller_waits_on(
    orch: Orchestrator, clock: MockClock
) -> None:
    proc = await orch.spawn(vega.Agent(name="a"), supervision=vega.Supervision())
    assert await proc.send("crash once") == ("crash once", 2)
    assert proc.incarnation == 2


async def test_a_policy_that_gives_up_keeps_the_last_reason(orch: Orchestrator, clock: MockClock) -> None:
    async with orch.subscribe(["supervisor.gave_up"]) as events:
        proc = await orch.spawn(vega.Agent(name="a"), supervision=vega.Supervision(max_restarts=2))
        with pytest.raises(vega.ProcessCrashed):
            await proc.send("crash")
        assert (await anext(events)).process_id == proc.id
    assert isinstance(proc.reason, Crashed)
    assert (proc.incarnation, proc.status) == (3, "failed")


async def test_a_killed_process_gets_no_time_for_cleanup(orch: Orchestrator, clock: MockClock) -> None:
    done = []

    async def body(me: Process) -> None:
        try:
            await trio.sleep_forever()
        finally:
            async with me.cleanup():
                await trio.sleep(1)
                done.append(me.id)

    polite, killed = await orch.spawn(body), await orch.spawn(body)
    polite.exit()
    killed.kill()
    assert await polite.wait() == Shutdown()
    assert await killed.wait() == Killed()
    assert done == [polite.id]


async def test_stop_turn_cancels_the_turn_and_the_process_lives(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(vega.Agent(name="a"))
    pending = proc.start_send("hang", turn_id="t")
    await trio.sleep(1)
    assert await proc.stop_turn() == "t"
    with pytest.raises(vega.TurnCancelled):
        await pending.wait()
    assert await proc.stop_turn() is None
    assert await proc.send("hello") == ("hello", 1)


async def test_a_message_cancelled_before_it_is_taken_is_dropped(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(vega.Agent(name="a"))
    hanging, queued = proc.start_send("hang"), proc.start_send("never")
    await trio.sleep(1)
    async with orch.subscribe(["turn.cancelled"]) as events:
        queued.cancel()
        with pytest.raises(vega.TurnCancelled):
            await queued.wait()
        assert (await anext(events)).turn_id == queued.turn_id
    assert proc.mailbox_length == 0
    hanging.cancel()
    with pytest.raises(vega.TurnCancelled):
        await hanging.wait()


async def test_what_waits_can_be_dropped_and_what_is_under_way_goes_on(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(vega.Agent(name="a"))
    hanging, *queued = [proc.start_send(text) for text in ("hang", "one", "two")]
    await trio.sleep(1)
    proc.drop_waiting()
    for pending in queued:
        with pytest.raises(vega.TurnCancelled):
            await pending.wait()
    assert proc.current is not None
    assert proc.current.id == hanging.turn_id


async def test_what_is_asked_within_a_turn_belongs_to_its_root(orch: Orchestrator, clock: MockClock) -> None:
    roots: list[tuple[str, str]] = []

    async def helper(me: Process) -> None:
        async for mail in me.inbox:
            roots.append((mail.root_id, mail.id))
            mail.reply()

    async def caller(me: Process) -> None:
        async for mail in me.inbox:
            await orch.send("helper", "please")
            mail.reply()

    await orch.spawn(helper, name="helper")
    proc = await orch.spawn(caller)
    await proc.send("go", turn_id="root")
    assert roots[0][0] == "root"
    assert roots[0][1] != "root"


async def test_a_stream_ends_after_the_turns_last_event(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(vega.Agent(name="a"))
    async with proc.stream("hang") as events:
        await trio.sleep(1)
        await proc.stop_turn()
        assert [event.type async for event in events] == ["turn.cancelled"]


async def test_a_stream_raises_when_the_process_ends_for_good(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(vega.Agent(name="a"))
    async with proc.stream("crash") as events:
        assert (await anext(events)).type == "process.failed"
        with pytest.raises(vega.ProcessCrashed):
            await anext(events)


async def test_a_full_mailbox_refuses_posts_and_makes_senders_wait(orch: Orchestrator, clock: MockClock) -> None:
    taken: list[Mail] = []

    async def body(me: Process) -> None:
        await trio.sleep(5)
        async for mail in me.inbox:
            taken.append(mail)
            mail.reply()

    proc = await orch.spawn(body)
    for n in range(64):
        assert proc.post_nowait(n)
    with pytest.raises(vega.MailboxFull):
        proc.post_nowait(64)
    with pytest.raises(vega.CallTimeout):
        await proc.send("late", timeout=1)
    await proc.send("patient")
    assert [mail.message for mail in taken] == [*range(64), "patient"]


async def test_statistics_show_what_a_process_holds(orch: Orchestrator, clock: MockClock) -> None:
    async def body(me: Process) -> None:
        me.trap_exit = True
        await me.spawn(sleeper)
        await anext(aiter(me.inbox))
        await trio.sleep_forever()

    proc, other = await orch.spawn(body), await orch.spawn(sleeper)
    proc.link(other)
    proc.exit()
    pending = proc.start_send("taken")
    proc.post_nowait("waiting")
    await trio.testing.wait_all_tasks_blocked()
    async with orch.monitor(proc):
        assert attrs.astuple(proc.statistics()) == (1, 64, 0, 1, 1, 1, 1, 1)
    await orch.kill(proc.id)
    assert attrs.astuple(proc.statistics()) == (0, 64, 0, 0, 0, 0, 0, 0)
    with pytest.raises(vega.ProcessCrashed):
        await pending.wait()


async def test_calls_to_the_dead_and_to_oneself_are_refused(orch: Orchestrator, clock: MockClock) -> None:
    async def body(me: Process) -> None:
        await me.send("hello")

    with pytest.raises(vega.FailedToStart) as caught:
        await orch.spawn(body)
    assert isinstance(caught.value.__cause__, vega.WouldDeadlock)
    proc = orch.get(caught.value.child_id)
    assert not await proc.post("hello")
    with pytest.raises(vega.ProcessExited) as exited:
        await proc.send("hello")
    assert exited.value.reason == vega.NoProcess()


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_dead_process_leaves_nothing_to_the_cycle_collector(
    orch: Orchestrator, clock: MockClock, stopped: bool
) -> None:
    async def body(me: Process) -> None:
        await trio.sleep(math.inf if stopped else 1)

    gc.collect()
    gc.disable()
    try:
        proc = await orch.spawn(body)
        parts = [weakref.ref(each) for each in (proc.live, proc.keeper)]
        if stopped:
            await orch.stop(proc.id)
        await proc.wait()
        await trio.testing.wait_all_tasks_blocked()
        assert [part() for part in parts] == [None, None]
    finally:
        gc.enable()


async def test_an_id_is_drawn_for_mail_only_when_somebody_asks_for_it(kernels: Any, clock: MockClock) -> None:
    drawn: list[str] = []

    def new_id() -> str:
        drawn.append(f"id{len(drawn)}")
        return drawn[-1]

    async def body(me: Process) -> None:
        async for mail in me.inbox:
            mail.reply((mail.id, mail.root_id, mail.id) if mail.message else None)

    with trio.fail_after(5):
        async with kernels(new_id=new_id) as orch:
            proc = await orch.spawn(body)
            assert await proc.send("") is None
            assert drawn == ["id0"]
            assert await proc.send("yours?") == ("id1", "id1", "id1")


async def test_a_supervisor_takes_no_mail_and_says_so(orch: Orchestrator, clock: MockClock) -> None:
    sup = await orch.supervise(vega.SupervisorSpec(), name="sup")
    waiting = (lambda: sup.process.send(1), lambda: sup.process.post(1), lambda: orch.send("sup", 1), lambda: stream())
    at_once = (lambda: sup.process.start_send(1), lambda: sup.process.post_nowait(1))

    async def stream() -> None:
        async with sup.process.stream("hello"):
            pass

    for door in waiting:
        with pytest.raises(vega.WouldDeadlock, match=r"\(sup\) is a supervisor, which takes no mail"):
            await door()
    for door in at_once:
        with pytest.raises(vega.WouldDeadlock, match="send to one of its children"):
            door()


async def test_spawn_refuses_options_that_make_no_sense(orch: Orchestrator, clock: MockClock) -> None:
    for error, options, said in [
        (TypeError, {"parent": "x"}, "parent must be a Process, not 'x'; orch.get"),
        (TypeError, {"supervision": "restart"}, "supervision must be a vega.Supervision, not 'restart'"),
        (TypeError, {"task": 3}, "task must be a text, not 3"),
        (TypeError, {"messages": ["hello"]}, "messages must be a list of vega.Message, and 'hello' is none"),
        (ValueError, {"deadline": -1}, "deadline must be a number of seconds, at least 0, not -1"),
        (ValueError, {"start_timeout": "1"}, "start_timeout must be a number of seconds, at least 0, not '1'"),
        (ValueError, {"shutdown": "soon"}, "shutdown must be a number of seconds, at least 0, not 'soon'"),
    ]:
        with pytest.raises(error) as caught:
            await orch.spawn(sleeper, **options)  # type: ignore[arg-type]
        assert said in str(caught.value)
    with pytest.raises(TypeError, match="spawn takes an Agent or an async function, not 3"):
        await orch.spawn(3)  # type: ignore[arg-type]
    assert orch.processes() == []


async def test_a_crash_that_is_restarted_leaves_nothing_to_the_cycle_collector(
    orch: Orchestrator, clock: MockClock
) -> None:
    class Oops(Exception):
        def __init__(self) -> None:
            errors.append(weakref.ref(self))

    async def body(me: Process) -> None:
        await trio.sleep(1)
        raise Oops

    errors: list[weakref.ref[Oops]] = []
    gc.collect()
    gc.disable()
    try:
        spec = vega.SupervisorSpec(children=[vega.ChildSpec("c", body)], max_restarts=None)
        sup = await orch.supervise(spec)
        await trio.sleep(3.5)
        assert [error() is None for error in errors] == [True, True, False]
        await sup.stop()
    finally:
        gc.enable()

"""`supervision` per process: restart, stop, escalate, restart_all, hooks, deadlines."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import vega_trio as vega
from vega_trio import BackoffConfig, Crashed, ExitSignal, Shutdown, Strategy, Supervision
from vega_trio.exits import ExitReason
from vega_trio.runtime import Orchestrator, Process


async def obeys(me: Process) -> object:
    """Crashes, returns or exits as its mail says."""
    async for mail in me.inbox:
        match mail.message:
            case "crash":
                raise ValueError(me.name)
            case "return":
                return None
            case "shutdown":
                raise vega.ProcessExit
    return None


async def tell(proc: Process, message: str = "crash") -> None:
    await proc.post(message)
    await wait_all_tasks_blocked()


def policy(strategy: str = "restart", **fields: Any) -> Supervision:
    return Supervision(strategy, **{"backoff": None, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("strategy", "message", "alive"),
    [
        ("restart", "crash", True),
        ("restart", "return", False),
        ("restart", "shutdown", False),
        ("stop", "crash", False),
        ("restart_all", "crash", True),
        ("restart_all", "return", False),
    ],
)
async def test_a_strategy_is_a_restart_type(
    orch: Orchestrator, clock: MockClock, strategy: str, message: str, alive: bool
) -> None:
    proc = await orch.spawn(obeys, supervision=policy(strategy))
    await tell(proc, message)
    assert proc.alive is alive
    assert proc.incarnation == (2 if alive else 1)


async def test_without_a_policy_a_process_is_temporary(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(obeys)
    await tell(proc)
    assert (proc.status, proc.incarnation) == ("failed", 1)


async def test_an_agent_brings_its_policy_and_spawn_may_override_it(orch: Orchestrator, clock: MockClock) -> None:
    agent = vega.Agent(name="a", supervision=policy("stop"))
    one, other = await orch.spawn(agent), await orch.spawn(agent, supervision=policy())
    await tell(one, "crash once")
    await tell(other, "crash once")
    assert (one.alive, other.alive) == (False, True)


async def test_an_escalated_failure_is_raised_by_the_orchestrators_block(kernels: Any, clock: MockClock) -> None:
    with pytest.raises(vega.Escalated) as caught:  # noqa: PT012
        async with kernels() as orch:
            proc = await orch.spawn(obeys, name="e", supervision=policy("escalate"))
            await tell(proc)
            await trio.sleep_forever()
    assert caught.value.child_id == proc.id
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("traps", [True, False])
async def test_a_parent_process_gets_the_signal_of_an_escalated_failure(
    orch: Orchestrator, clock: MockClock, traps: bool
) -> None:
    children: list[Process] = []

    async def parent(me: Process) -> ExitSignal:
        me.trap_exit = traps
        children.append(await me.spawn(obeys, supervision=policy("escalate")))
        return await me.exit_signals.receive()

    proc = await orch.spawn(parent)
    await wait_all_tasks_blocked()
    await tell(children[0])
    reason = proc.result.reason if traps else proc.reason
    assert isinstance(reason, Crashed)
    assert isinstance(reason.error, vega.Escalated)
    assert reason.error.child_id == children[0].id
    assert isinstance(children[0].reason, Crashed)
    assert isinstance(children[0].reason.error, ValueError)


async def test_restart_all_restarts_those_with_the_same_parent_and_policy_in_spawn_order(
    orch: Orchestrator, clock: MockClock
) -> None:
    started: list[str | None] = []

    async def body(me: Process) -> None:
        started.append(me.name)
        await obeys(me)

    shared = policy("restart_all")
    group = [await orch.spawn(body, name=name, supervision=shared) for name in "abc"]
    other_policy = await orch.spawn(body, name="d", supervision=policy("restart_all", max_restarts=7))
    other_parent = await orch.spawn(body, name="e", supervision=shared, parent=other_policy)
    started.clear()
    await tell(group[1])
    assert started == ["a", "b", "c"]
    assert [proc.incarnation for proc in group] == [2, 2, 2]
    assert (other_policy.incarnation, other_parent.incarnation) == (1, 1)


async def test_a_finished_process_of_a_group_is_not_revived_and_the_group_goes_with_the_last(
    orch: Orchestrator, clock: MockClock
) -> None:
    shared = policy("restart_all")
    one, other = [await orch.spawn(obeys, supervision=shared) for _ in range(2)]
    await tell(one, "return")
    await tell(other)
    assert (one.incarnation, other.incarnation) == (1, 2)
    assert len(orch.supervisors()) == 1
    await tell(other, "return")
    assert orch.supervisors() == []
    again = await orch.spawn(obeys, supervision=shared)
    await tell(again)
    assert again.incarnation == 2


async def test_a_group_that_gives_up_ends_its_processes_only(orch: Orchestrator, clock: MockClock) -> None:
    given_up: list[tuple[Process, ExitReason]] = []
    shared = policy("restart_all", max_restarts=0, on_give_up=lambda *told: given_up.append(told))
    one, other, bystander = [await orch.spawn(obeys, supervision=each) for each in (shared, shared, policy())]
    await tell(one)
    assert isinstance(one.reason, Crashed)
    assert other.reason == Shutdown()
    assert bystander.alive
    assert given_up == [(one, one.reason)]


async def test_children_in_a_group_end_with_their_parent(orch: Orchestrator, clock: MockClock) -> None:
    async def parent(me: Process) -> None:
        children.extend([await me.spawn(obeys, supervision=policy("restart_all")) for _ in range(2)])
        await trio.sleep_forever()

    children: list[Process] = []
    proc = await orch.spawn(parent)
    await wait_all_tasks_blocked()
    proc.kill()
    await wait_all_tasks_blocked()
    assert [child.reason for child in children] == [Shutdown(), Shutdown()]


async def test_a_cancelled_spawn_into_a_group_leaves_no_process(orch: Orchestrator, clock: MockClock) -> None:
    async def slow(me: Process) -> None:
        await trio.sleep(5)
        me.ready()
        await trio.sleep_forever()

    shared = policy("restart_all")
    one = await orch.spawn(obeys, supervision=shared)
    with trio.move_on_after(1):
        await orch.spawn(slow, supervision=shared, start_timeout=10)
    assert orch.processes() == [one]
    await tell(one)
    assert one.incarnation == 2


async def test_hooks_hear_of_failures_restarts_and_the_end(orch: Orchestrator, clock: MockClock) -> None:
    heard: list[object] = []
    supervision = Supervision(
        max_restarts=1,
        backoff=BackoffConfig(initial=5),
        on_failure=lambda reason: heard.append(type(reason).__name__),  # type: ignore[func-returns-value]
        on_restart=lambda proc, attempt: heard.append((proc.incarnation, attempt, proc.status)),
        on_give_up=lambda proc, reason: heard.append((proc.status, type(reason).__name__)),
    )
    proc = await orch.spawn(obeys, supervision=supervision)
    await tell(proc)
    assert heard == ["Crashed", (1, 1, "pending")]
    await trio.sleep(6)
    await tell(proc)
    assert heard[2:] == ["Crashed", ("failed", "Crashed")]


@pytest.mark.parametrize(
    ("strategy", "answer", "alive", "failed"),
    [
        ("restart", None, True, False),
        ("restart", Strategy.STOP, False, False),
        ("restart", "restart_all", True, False),
        ("restart", "nonsense", True, True),
        ("stop", Strategy.RESTART, False, True),
        ("restart", ZeroDivisionError(), True, True),
    ],
)
async def test_on_failure_decides_unless_it_fails(
    orch: Orchestrator, clock: MockClock, strategy: str, answer: object, alive: bool, failed: bool
) -> None:
    def on_failure(reason: ExitReason) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with orch.subscribe([vega.HookFailed]) as events:
        proc = await orch.spawn(obeys, supervision=policy(strategy, on_failure=on_failure))
        await tell(proc)
        assert proc.alive is alive
        with trio.move_on_after(1) as scope:
            await anext(events)
        assert scope.cancelled_caught is not failed


async def test_other_failing_hooks_are_events(orch: Orchestrator, clock: MockClock) -> None:
    def fails(*_: object) -> None:
        raise KeyError("hook")

    async with orch.subscribe([vega.HookFailed]) as events:
        proc = await orch.spawn(obeys, supervision=policy(max_restarts=1, on_restart=fails, on_give_up=fails))
        await tell(proc)
        await tell(proc)
        assert [(await anext(events)).hook for _ in range(2)] == ["on_restart", "on_give_up"]  # type: ignore[attr-defined]
    assert not proc.alive


async def test_a_policy_under_a_supervisor_decides_first(orch: Orchestrator, clock: MockClock) -> None:
    agent = vega.Agent(name="a", supervision=policy(max_restarts=1, window=1000))
    spec = vega.SupervisorSpec(children=[vega.ChildSpec("c", agent)], max_restarts=1, window=1000)
    sup = await orch.supervise(spec)
    proc = sup.get_child("c").process
    assert proc is not None
    await tell(proc, "crash once")
    assert (proc.incarnation, sup.restarts_used) == (2, 0)
    await tell(proc, "crash once")
    assert (proc.incarnation, sup.restarts_used) == (3, 1)


async def test_escalate_under_a_supervisor_ends_the_supervisor_abnormally(orch: Orchestrator, clock: MockClock) -> None:
    agent = vega.Agent(name="a", supervision=policy("escalate"))
    sup = await orch.supervise(vega.SupervisorSpec(children=[vega.ChildSpec("c", agent)]), fatal=False)
    proc = sup.get_child("c").process
    assert proc is not None
    await tell(proc)
    assert isinstance(sup.process.reason, Crashed)
    assert isinstance(sup.process.reason.error, vega.Escalated)


@pytest.mark.parametrize("strategy", ["restart", "restart_all", "stop"])
async def test_a_deadline_counts_over_restarts_and_is_final(
    orch: Orchestrator, clock: MockClock, strategy: str
) -> None:
    proc = await orch.spawn(obeys, supervision=policy(strategy), deadline=10)
    await trio.sleep(4)
    if strategy != "stop":
        await tell(proc)
    assert isinstance(await proc.wait(), Crashed)
    assert trio.current_time() == 10
    assert proc.status == "timeout"
    assert isinstance(proc.reason, Crashed)
    assert isinstance(proc.reason.error, vega.ProcessTimeout)
    assert proc.reason.error.deadline_s == 10


async def test_a_deadline_that_passes_before_a_restart_is_final_too(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(obeys, supervision=policy(backoff=BackoffConfig(initial=20)), deadline=10)
    await tell(proc)
    assert proc.status == "pending"
    await proc.wait()
    assert (proc.status, trio.current_time()) == ("timeout", 10)


async def test_a_deadline_cannot_be_trapped_and_bounds_the_cleanup(orch: Orchestrator, clock: MockClock) -> None:
    async def body(me: Process) -> None:
        me.trap_exit = True
        try:
            await trio.sleep_forever()
        finally:
            async with me.cleanup(timeout=60):
                await trio.sleep_forever()

    proc = await orch.spawn(body, deadline=10, shutdown=2)
    await proc.wait()
    assert (proc.status, trio.current_time()) == ("timeout", 12)


async def test_a_stopped_process_is_not_restarted_later(orch: Orchestrator, clock: MockClock) -> None:
    proc = await orch.spawn(obeys, supervision=policy(backoff=BackoffConfig(initial=5)))
    await tell(proc)
    await orch.stop(proc.id)
    assert isinstance(proc.reason, Crashed)
    await trio.sleep(10)
    assert proc.incarnation == 1


async def test_a_supervisor_may_be_spawned_by_a_process_and_ends_with_it(orch: Orchestrator, clock: MockClock) -> None:
    children: list[Process] = []

    async def child(me: Process) -> None:
        children.append(me)
        await trio.sleep_forever()

    async def parent(me: Process) -> None:
        await me.spawn(vega.SupervisorSpec(children=[vega.ChildSpec("c", child)]))
        await trio.sleep_forever()

    proc = await orch.spawn(parent)
    await wait_all_tasks_blocked()
    proc.kill()
    await wait_all_tasks_blocked()
    assert children[0].reason == Shutdown()
    with pytest.raises(ValueError, match="deadline"):
        orch.spawn(vega.SupervisorSpec(), deadline=3)

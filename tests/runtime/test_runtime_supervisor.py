"""Supervisors: order of starts and stops, strategies, intensity, backoff, giving up, escalation."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import pytest
import trio
from trio.testing import MockClock

import vega_trio as vega
from vega_trio import BackoffConfig, ChildSpec, Crashed, Killed, Normal, Shutdown, SupervisorSpec
from vega_trio.runtime import Orchestrator, Process, Supervisor


@attrs.define
class Trace:
    """What the children did, in order: `+a1` started incarnation 1 of a, `-a` left."""

    log: list[str] = attrs.field(factory=list)
    live: dict[str, Process] = attrs.field(factory=dict)
    failing: dict[str, int] = attrs.field(factory=dict)

    def body(self, name: str) -> Callable[[Process], object]:
        async def child(me: Process) -> object:
            if self.failing.get(name, 0):
                self.failing[name] -= 1
                self.log.append(f"!{name}")
                raise ValueError("cannot start")
            self.log.append(f"+{name}{me.incarnation}")
            assert name not in self.live, "two incarnations at once"
            self.live[name] = me
            try:
                async for mail in me.inbox:
                    match mail.message:
                        case "crash":
                            raise ValueError(name)
                        case "return":
                            return name
                        case vega.ProcessExit() as exit_:
                            raise exit_
            finally:
                del self.live[name]
                self.log.append(f"-{name}")

        return child

    def spec(self, child_id: str, **options: object) -> ChildSpec:
        return ChildSpec(child_id, self.body(child_id), **options)  # type: ignore[arg-type]

    def specs(self, names: str, **options: object) -> tuple[ChildSpec, ...]:
        return tuple(self.spec(name, **options) for name in names)

    async def tell(self, name: str, message: object = "crash") -> None:
        await self.live[name].post(message)
        await trio.testing.wait_all_tasks_blocked()

    def take(self) -> str:
        log, self.log = self.log, []
        return " ".join(log)


@pytest.fixture
def trace() -> Trace:
    return Trace()


def states(sup: Supervisor) -> str:
    return " ".join(f"{child.id}:{child.state}" for child in sup.which_children())


async def test_children_start_in_order_and_stop_in_reverse(orch: Orchestrator, clock: MockClock, trace: Trace) -> None:
    sup = await orch.supervise(SupervisorSpec(children=trace.specs("abc")))
    assert trace.take() == "+a1 +b1 +c1"
    assert states(sup) == "a:running b:running c:running"
    await sup.stop()
    assert trace.take() == "-c -b -a"
    assert sup.process.reason == Shutdown()


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("one_for_one", "-b +b2"),
        ("one_for_all", "-b -c -a +a2 +b2 +c2"),
        ("rest_for_one", "-b -c +b2 +c2"),
    ],
)
async def test_a_strategy_restarts_whom_it_names(
    orch: Orchestrator, clock: MockClock, trace: Trace, strategy: str, expected: str
) -> None:
    sup = await orch.supervise(SupervisorSpec(strategy, trace.specs("abc")))  # type: ignore[arg-type]
    ids = [child.process.id for child in sup.which_children() if child.process]
    trace.take()
    await trace.tell("b")
    assert trace.take() == expected
    assert [child.process.id for child in sup.which_children() if child.process] == ids


async def test_siblings_that_crash_in_the_same_tick_are_absorbed(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    sup = await orch.supervise(SupervisorSpec("one_for_all", trace.specs("abc"), max_restarts=1))  # type: ignore[arg-type]
    for name in "abc":
        trace.live[name].post_nowait("crash")
    await trio.testing.wait_all_tasks_blocked()
    assert sup.restarts_used == 1
    assert states(sup) == "a:running b:running c:running"


@pytest.mark.parametrize(
    ("restart", "message", "expected"),
    [
        ("permanent", "return", "a:running"),
        ("permanent", vega.ProcessExit(), "a:running"),
        ("permanent", "crash", "a:running"),
        ("transient", "return", "a:stopped"),
        ("transient", vega.ProcessExit(), "a:stopped"),
        ("transient", vega.ProcessExit(Killed()), "a:running"),
        ("transient", "crash", "a:running"),
        ("temporary", "return", ""),
        ("temporary", "crash", ""),
    ],
)
async def test_the_restart_type_decides(
    orch: Orchestrator, clock: MockClock, trace: Trace, restart: str, message: object, expected: str
) -> None:
    sup = await orch.supervise(SupervisorSpec(children=[trace.spec("a", restart=restart)]))
    await trace.tell("a", message)
    assert states(sup) == expected


async def test_a_failed_start_stops_the_earlier_ones_and_starts_no_later_one(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    trace.failing["c"] = 1
    with pytest.raises(vega.FailedToStart) as caught:
        await orch.supervise(SupervisorSpec(children=trace.specs("abcd")))
    assert caught.value.child_id == "c"
    assert isinstance(caught.value.__cause__, ValueError)
    assert trace.take() == "+a1 +b1 !c -b -a"
    assert orch.supervisors() == []


async def test_a_temporary_child_that_cannot_even_be_made_is_a_failed_start(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    await orch.supervise(SupervisorSpec(children=[trace.spec("a", name="n")]))
    with pytest.raises(vega.FailedToStart) as caught:
        await orch.supervise(SupervisorSpec(children=[trace.spec("b"), trace.spec("t", name="n", restart="temporary")]))
    assert isinstance(caught.value.__cause__, vega.NameTaken)
    sup = await orch.supervise(SupervisorSpec())
    for restart in ("temporary", "permanent"):
        with pytest.raises(vega.FailedToStart):
            await sup.start_child(trace.spec("t", name="n", restart=restart))
        assert states(sup) == ""


async def test_a_name_taken_meanwhile_is_a_failed_restart(orch: Orchestrator, clock: MockClock, trace: Trace) -> None:
    specs = (trace.spec("a", restart="transient", name="n"), trace.spec("b"))
    sup = await orch.supervise(SupervisorSpec("one_for_all", specs, max_restarts=2), fatal=False)  # type: ignore[arg-type]
    await trace.tell("a", "return")
    await orch.spawn(trace.body("thief"), name="n")  # type: ignore[arg-type]
    trace.take()
    async with orch.subscribe([vega.ProcessRestarting]) as events:
        await trace.tell("b")
        assert [(await anext(events)).attempt for _ in range(2)] == [1, 2]  # type: ignore[attr-defined]
    assert trace.take() == "-b"
    assert isinstance(sup.process.reason, Shutdown)


async def test_a_nested_failed_start_is_told_as_a_shutdown(orch: Orchestrator, clock: MockClock, trace: Trace) -> None:
    trace.failing["b"] = 1
    inner = ChildSpec("inner", SupervisorSpec(children=trace.specs("ab")))
    with pytest.raises(vega.FailedToStart) as caught:
        await orch.supervise(SupervisorSpec(children=[inner]))
    assert caught.value.child_id == "inner"
    assert isinstance(caught.value.reason, Shutdown)
    failure = caught.value.reason.detail
    assert isinstance(failure, vega.FailedToStart)
    assert failure.child_id == "b"


async def test_one_restart_too_many_gives_up_and_ends_the_orchestrator(
    kernels: Callable[..., object], clock: MockClock, trace: Trace
) -> None:
    with pytest.raises(vega.SupervisorGaveUp) as caught:  # noqa: PT012
        async with kernels() as orch:  # type: ignore[attr-defined]
            await orch.supervise(SupervisorSpec(children=trace.specs("abc"), max_restarts=2, window=5))
            for _ in range(3):
                await trace.tell("b")
            await trio.sleep_forever()
    assert (caught.value.child_id, caught.value.restarts) == ("b", 2)
    assert isinstance(caught.value.__cause__, ValueError)
    assert trace.take() == "+a1 +b1 +c1 -b +b2 -b +b3 -b -c -a"


async def test_a_restart_just_outside_the_window_no_longer_counts(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    sup = await orch.supervise(SupervisorSpec(children=trace.specs("a"), max_restarts=1, window=5), fatal=False)
    await trace.tell("a")
    await trio.sleep(5.25)  # times that floats hold exactly: the edge is what is tested
    await trace.tell("a")
    assert sup.process.alive
    await trio.sleep(5)
    await trace.tell("a")
    assert isinstance(sup.process.reason, Shutdown)
    assert isinstance(sup.process.reason.detail, vega.SupervisorGaveUp)


async def test_backoff_delays_the_start_and_the_loop_answers_meanwhile(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    spec = SupervisorSpec(children=trace.specs("ab"), backoff=BackoffConfig(initial=1), max_restarts=None)
    sup = await orch.supervise(spec)
    for delay in (1, 2, 4):
        crashed = trio.current_time()
        await trace.tell("a")
        assert states(sup) == "a:restarting b:running"
        with pytest.raises(vega.ChildRestarting):
            await sup.start_child(trace.spec("a"))
        while "a" not in trace.live:
            await trio.sleep(0.25)
            await trio.testing.wait_all_tasks_blocked()
        assert trio.current_time() - crashed == delay
    await trio.sleep(5)
    crashed = trio.current_time()
    await trace.tell("a")
    await trio.sleep(1)
    await trio.testing.wait_all_tasks_blocked()
    assert "a" in trace.live, "it had stayed up for the window, so the backoff starts over"


async def test_a_group_waits_for_the_crashed_childs_backoff_but_stops_at_once(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    specs = (trace.spec("a"), trace.spec("b", backoff=BackoffConfig(initial=3)))
    sup = await orch.supervise(SupervisorSpec("one_for_all", specs))  # type: ignore[arg-type]
    trace.take()
    await trace.tell("b")
    assert trace.take() == "-b -a"
    assert states(sup) == "a:restarting b:restarting"
    assert [child.process.status for child in sup.which_children() if child.process] == ["pending", "pending"]
    await trio.sleep(2.9)
    assert trace.take() == ""
    await trio.sleep(0.2)
    assert trace.take() == "+a2 +b2"


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("one_for_one", "-b !b !b +b4"),
        ("rest_for_one", "-b -c !b !b +b4 +c2"),
        ("one_for_all", "-b -c -a +a2 !b -a +a3 !b -a +a4 +b4 +c2"),
    ],
)
async def test_a_restart_that_fails_is_tried_again_and_counted(
    orch: Orchestrator, clock: MockClock, trace: Trace, strategy: str, expected: str
) -> None:
    sup = await orch.supervise(SupervisorSpec(strategy, trace.specs("abc")))  # type: ignore[arg-type]
    trace.take()
    trace.failing["b"] = 2
    await trace.tell("b")
    assert trace.take() == expected
    assert sup.restarts_used == 3


async def test_a_restart_that_always_fails_gives_up(orch: Orchestrator, clock: MockClock, trace: Trace) -> None:
    sup = await orch.supervise(SupervisorSpec(children=trace.specs("ab")), fatal=False)
    trace.take()
    trace.failing["b"] = 99
    await trace.tell("b")
    assert trace.take() == "-b !b !b !b -a"
    assert isinstance(sup.process.reason, Shutdown)


async def test_child_administration(orch: Orchestrator, clock: MockClock, trace: Trace) -> None:
    sup = await orch.supervise(SupervisorSpec(children=trace.specs("ab"), max_children=3))
    old = sup.get_child("a").process
    await sup.terminate_child("a")
    await sup.terminate_child("a")
    assert states(sup) == "a:stopped b:running"
    assert sup.get_child("a").process is None
    for wrong, error in (("a", vega.ChildAlreadyPresent), ("b", vega.ChildAlreadyStarted)):
        with pytest.raises(error):
            await sup.start_child(trace.spec(wrong))
    new = await sup.restart_child("a")
    assert old is not None
    assert new is not None
    assert new.id != old.id
    assert old.reason == Shutdown()
    with pytest.raises(vega.ChildRunning):
        await sup.restart_child("a")
    with pytest.raises(vega.ChildRunning):
        await sup.delete_child("a")
    await sup.start_child(trace.spec("t", restart="temporary"))
    with pytest.raises(vega.MaxChildren):
        await sup.start_child(trace.spec("x"))
    assert attrs.astuple(sup.count_children()) == (3, 3, 3, 0)
    await sup.terminate_child("t")
    await sup.terminate_child("a")
    await sup.delete_child("a")
    assert states(sup) == "b:running"
    with pytest.raises(vega.ChildNotFound):
        sup.get_child("a")
    trace.failing["f"] = 1
    with pytest.raises(vega.FailedToStart):
        await sup.start_child(trace.spec("f"))
    assert states(sup) == "b:running"
    await sup.stop()
    with pytest.raises(vega.NoProcessError):
        await sup.terminate_child("b")


async def test_terminating_a_waiting_child_cancels_its_restart(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    sup = await orch.supervise(SupervisorSpec(children=trace.specs("a"), backoff=BackoffConfig(initial=1)))
    process = sup.get_child("a").process
    assert process is not None
    await trace.tell("a")
    assert process.alive
    await sup.terminate_child("a")
    assert isinstance(process.reason, Crashed)
    await trio.sleep(10)
    assert states(sup) == "a:stopped"


async def test_a_group_restart_revives_finished_children_as_new_processes(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    specs = (trace.spec("a", restart="transient", name="first"), trace.spec("b"))
    sup = await orch.supervise(SupervisorSpec("one_for_all", specs))  # type: ignore[arg-type]
    old = sup.get_child("a").process
    await trace.tell("a", "return")
    assert states(sup) == "a:stopped b:running"
    assert orch.whereis("first") is None
    await trace.tell("b")
    new = sup.get_child("a").process
    assert new is not None
    assert old is not None
    assert (old.result, new.id != old.id, new.incarnation) == ("a", True, 1)
    assert orch.whereis("first") is new


async def test_without_revive_finished_children_stay_down(orch: Orchestrator, clock: MockClock, trace: Trace) -> None:
    specs = (trace.spec("a", restart="transient"), trace.spec("t", restart="temporary"), trace.spec("b"))
    sup = await orch.supervise(SupervisorSpec("one_for_all", specs, revive=False))  # type: ignore[arg-type]
    await trace.tell("a", "return")
    await trace.tell("b")
    assert states(sup) == "a:stopped b:running"


async def test_a_nested_supervisor_that_gives_up_is_restarted_when_permanent(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    inner = ChildSpec("inner", SupervisorSpec(children=trace.specs("a"), max_restarts=1, window=math.inf))
    sup = await orch.supervise(SupervisorSpec(children=[inner], max_restarts=1, window=math.inf), fatal=False)
    starts = 0
    while "a" in trace.live:
        starts += 1
        await trace.tell("a")
    assert starts == 4
    assert isinstance(sup.process.reason, Shutdown)
    assert not orch.supervisors()


async def test_a_transient_nested_supervisor_that_gives_up_stays_down(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    inner = ChildSpec("inner", SupervisorSpec(children=trace.specs("a"), max_restarts=0), restart="transient")
    sup = await orch.supervise(SupervisorSpec(children=[inner]))
    assert sup.get_child("inner").kind == "supervisor"
    await trace.tell("a")
    assert states(sup) == "inner:stopped"


async def test_escalation_ends_the_supervisor_with_the_cause(
    kernels: Callable[..., object], clock: MockClock, trace: Trace
) -> None:
    inner = ChildSpec(
        "inner", SupervisorSpec(children=[*trace.specs("a"), trace.spec("b", on_failure="escalate")]),
        on_failure="escalate",
    )  # fmt: skip
    with pytest.raises(vega.Escalated) as caught:  # noqa: PT012
        async with kernels() as orch:  # type: ignore[attr-defined]
            await orch.supervise(SupervisorSpec(children=[inner]))
            await trace.tell("b")
            await trio.sleep_forever()
    assert caught.value.child_id == "inner"
    assert isinstance(caught.value.cause, vega.Escalated)
    assert isinstance(caught.value.cause.__cause__, ValueError)


async def test_on_failure_may_stop_or_restart_all(orch: Orchestrator, clock: MockClock, trace: Trace) -> None:
    answers: list[object] = ["stop"]
    specs = (*trace.specs("ab"), trace.spec("c", on_failure=lambda reason: vega.Strategy(answers[0])))
    sup = await orch.supervise(SupervisorSpec(children=specs))
    trace.take()
    await trace.tell("c")
    assert states(sup) == "a:running b:running c:stopped"
    await sup.restart_child("c")
    answers[0] = "restart_all"
    trace.take()
    await trace.tell("c")
    assert trace.take() == "-c -b -a +a2 +b2 +c2"
    assert sup.restarts_used == 1


async def test_a_hook_that_answers_what_is_not_allowed_changes_nothing(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    spec = trace.spec("a", restart="temporary", on_failure=lambda reason: vega.Strategy.RESTART)
    sup = await orch.supervise(SupervisorSpec(children=[spec]))
    async with orch.subscribe([vega.HookFailed]) as events:
        await trace.tell("a")
        assert "restart" in (await anext(events)).error
    assert states(sup) == ""


@pytest.mark.parametrize(
    ("auto", "first", "second"), [("any_significant", False, False), ("all_significant", True, False)]
)
async def test_auto_shutdown(
    orch: Orchestrator, clock: MockClock, trace: Trace, auto: str, first: bool, second: bool
) -> None:
    specs = (trace.spec("a"), *trace.specs("bc", restart="transient", significant=True))
    sup = await orch.supervise(SupervisorSpec(children=specs, auto_shutdown=auto))  # type: ignore[arg-type]
    await trace.tell("b", "return")
    assert sup.process.alive is first
    if "c" in trace.live:
        await trace.tell("c", "return")
    assert sup.process.alive is second
    assert sup.process.reason == Shutdown()


async def test_terminating_a_significant_child_shuts_nothing_down(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    specs = trace.specs("b", restart="transient", significant=True)
    sup = await orch.supervise(SupervisorSpec(children=specs, auto_shutdown="any_significant"))  # type: ignore[arg-type]
    await sup.terminate_child("b")
    assert sup.process.alive


async def test_shutdown_times_are_kept(orch: Orchestrator, clock: MockClock) -> None:
    async def stubborn(me: Process) -> None:
        me.trap_exit = True
        await trio.sleep_forever()

    times = {"a": 2.0, "b": "brutal_kill", "c": None}
    specs = [ChildSpec(name, stubborn, shutdown=time) for name, time in times.items()]  # type: ignore[arg-type]
    sup = await orch.supervise(SupervisorSpec(children=specs))
    processes = [child.process for child in sup.which_children()]
    await sup.stop()
    assert trio.current_time() == 7
    assert [process.reason for process in processes if process] == [Killed()] * 3


async def test_a_process_told_to_leave_while_it_starts_is_killed_in_time_though_it_says_ready(
    orch: Orchestrator, clock: MockClock
) -> None:
    async def stubborn(me: Process) -> None:
        me.trap_exit = True
        await trio.sleep(2)
        me.ready()
        await trio.sleep_forever()

    with trio.move_on_after(1):
        await orch.spawn(stubborn, start_timeout=60, shutdown=3)
    assert trio.current_time() == 4
    assert orch.processes() == []


async def test_the_first_order_to_leave_sets_the_time(orch: Orchestrator, clock: MockClock) -> None:
    async def stubborn(me: Process) -> None:
        me.trap_exit = True
        await trio.sleep_forever()

    proc = await orch.spawn(stubborn, shutdown=5)
    async with trio.open_nursery() as nursery:
        for at in (0, 4):
            await trio.sleep(at)
            nursery.start_soon(orch.stop, proc.id)
    assert trio.current_time() == 5
    assert proc.reason == Killed()


async def test_dynamic_children_stop_together(orch: Orchestrator, clock: MockClock) -> None:
    async def stubborn(me: Process) -> None:
        me.trap_exit = True
        await trio.sleep_forever()

    sup = await orch.supervise(SupervisorSpec(dynamic=True))
    for n in range(10):
        await sup.start_child(ChildSpec(f"c{n}", stubborn, shutdown=3))
    await sup.stop()
    assert trio.current_time() == 3


async def test_a_supervisor_ignores_exit_signals_but_a_kill_takes_its_subtree(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    inner = ChildSpec("inner", SupervisorSpec(children=trace.specs("bc")))
    sup = await orch.supervise(SupervisorSpec(children=[*trace.specs("a"), inner]))
    processes = list(trace.live.values())
    sup.process.exit(Crashed(ValueError()))
    await trio.testing.wait_all_tasks_blocked()
    assert sup.process.alive
    sup.process.kill()
    await sup.process.wait()
    assert sup.process.reason == Killed()
    assert [process.reason for process in processes] == [Killed()] * 3
    assert orch.processes() == []


async def test_a_call_from_a_child_that_is_still_starting_would_deadlock(orch: Orchestrator, clock: MockClock) -> None:
    caught: list[Exception] = []
    top: list[Supervisor] = []

    async def child(me: Process) -> None:
        try:
            await top[0].terminate_child("x")
        except vega.WouldDeadlock as error:
            caught.append(error)
        me.ready()
        await top[0].terminate_child("other")
        await trio.sleep_forever()

    async def other(me: Process) -> None:
        await trio.sleep_forever()

    sup = await orch.supervise(SupervisorSpec(children=[ChildSpec("other", other)]))
    top.append(sup)
    await sup.start_child(ChildSpec("x", child, start_timeout=5))
    await trio.testing.wait_all_tasks_blocked()
    assert len(caught) == 1
    assert states(sup) == "other:stopped x:running"


async def test_stop_and_kill_by_id_keep_the_spec_inactive(orch: Orchestrator, clock: MockClock, trace: Trace) -> None:
    sup = await orch.supervise(SupervisorSpec(children=trace.specs("ab")))
    await orch.stop(trace.live["a"].id)
    await orch.kill(trace.live["b"].id)
    assert states(sup) == "a:stopped b:stopped"


async def test_supervise_cancelled_leaves_nothing(orch: Orchestrator, clock: MockClock, trace: Trace) -> None:
    async def slow(me: Process) -> None:
        await trio.sleep(10)
        me.ready()

    with trio.move_on_after(1):
        await orch.supervise(SupervisorSpec(children=[*trace.specs("a"), ChildSpec("s", slow, start_timeout=20)]))
    assert trio.current_time() == 1
    assert trace.take() == "+a1 -a"
    assert orch.supervisors() == []


async def test_exits_while_the_supervisor_starts_are_handled_after_it(
    orch: Orchestrator, clock: MockClock, trace: Trace
) -> None:
    async def slow(me: Process) -> None:
        trace.log.append("+s")
        trace.live["a"].post_nowait("crash") if me.incarnation == 1 else None
        await trio.sleep(1)
        me.ready()
        try:
            await trio.sleep_forever()
        finally:
            trace.log.append("-s")

    specs = (*trace.specs("a"), ChildSpec("s", slow, start_timeout=5))
    sup = await orch.supervise(SupervisorSpec("one_for_all", specs))  # type: ignore[arg-type]
    await trio.sleep(5)
    assert trace.take() == "+a1 +s -a -s +a2 +s"
    assert states(sup) == "a:running s:running"


async def test_normal_result_is_kept(orch: Orchestrator, clock: MockClock, trace: Trace) -> None:
    sup = await orch.supervise(SupervisorSpec(children=trace.specs("a", restart="transient")))
    process = sup.get_child("a").process
    assert process is not None
    await trace.tell("a", "return")
    assert process.reason == Normal("a")

"""What bodies raise, send and name themselves must not harm the kernel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from kernels import OpenKernel
from trio.testing import MockClock

import vega_trio as vega
from vega_trio import ChildSpec, Crashed, Supervision, SupervisorSpec
from vega_trio.exits import describe, told
from vega_trio.runtime import Orchestrator, Process


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class Incomparable(Exception):
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("never compare me")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unprintable(), "Unprintable: (cannot be shown: RuntimeError)"),
        (Incomparable("x"), "Incomparable: x"),
        (ValueError("half a pair \ud800"), "ValueError: half a pair ?"),
        (ValueError("x" * 1_000_000), "ValueError: " + "x" * 10_000 + "... (990,000 characters more)"),
    ],
    ids=["unprintable", "incomparable", "surrogate", "huge"],
)
async def test_an_error_is_told_in_events_whatever_it_is(
    kernels: OpenKernel, clock: MockClock, error: Exception, said: str
) -> None:
    async def fails(me: Process) -> None:
        async for _ in me.inbox:
            raise error

    async def fails_to_start(me: Process) -> None:
        raise error

    async def fails_to_end(me: Process) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise error

    heard: list[vega.Event] = []
    with trio.fail_after(1000):
        async with kernels() as orch:
            with orch.bus.tapped(heard.append):
                proc = await orch.spawn(fails, supervision=Supervision(max_restarts=1, backoff=None))
                for _ in range(2):
                    with pytest.raises(vega.ProcessCrashed) as crashed:
                        await proc.send("now")
                    assert crashed.value.__cause__ is error
                spec = SupervisorSpec(children=[ChildSpec("a", fails, on_failure="escalate", name="a")])  # type: ignore[arg-type]
                sup = await orch.supervise(spec, fatal=False)
                await orch.post("a", "now")
                assert isinstance(await sup.process.wait(), Crashed)
                with pytest.raises(vega.FailedToStart):
                    await orch.spawn(fails_to_start)
                dying = await orch.spawn(fails_to_end)
                await orch.stop(dying.id)
                assert dying.reason == vega.Shutdown()
    assert [event.error for event in heard if isinstance(event, vega.ShutdownError | vega.EscalatedUp)] == [said, said]
    assert said in {event.error for event in heard if isinstance(event, vega.ProcessFailed)}


@pytest.mark.parametrize("wrong", ["bye", vega.Killed, None.__class__, 3])
async def test_only_an_exit_reason_is_one(orch: Orchestrator, clock: MockClock, wrong: Any) -> None:
    async def leaves(me: Process) -> None:
        await trio.sleep(1)
        raise vega.ProcessExit(wrong)

    proc = await orch.spawn(leaves)
    sup = await orch.supervise(SupervisorSpec())
    doors: list[Callable[[], object]] = [lambda: proc.exit(wrong), lambda: vega.ProcessExit(wrong)]
    for door in doors:
        with pytest.raises(TypeError, match="an exit reason is Normal"):
            door()
    with pytest.raises(TypeError, match="an exit reason is Normal"):
        await sup.stop(wrong)
    with pytest.raises(TypeError, match="BaseException"):
        Crashed("not an error")  # type: ignore[arg-type]
    reason = await proc.wait()
    assert isinstance(reason, Crashed)
    assert isinstance(reason.error, TypeError)
    assert sup.process.alive


@pytest.mark.parametrize("where", ["on_failure", "on_restart", "on_leave"])
async def test_a_hook_that_exits_the_program_does_so_in_order(
    kernels: OpenKernel, clock: MockClock, where: str
) -> None:
    def leave(*_: object) -> None:
        raise SystemExit(3)

    async def crash(me: Process) -> None:
        await trio.sleep(1)
        raise ValueError("as told")

    async def sleeper(me: Process) -> None:
        try:
            await trio.sleep_forever()
        finally:
            stopped.append(me.name)

    async def program() -> None:
        async with kernels() as orch:
            await orch.supervise(SupervisorSpec(children=[ChildSpec(name, sleeper, name=name) for name in "ab"]))
            hook = {where: leave} if where != "on_leave" else {}
            proc = await orch.spawn(crash, supervision=Supervision(max_restarts=int(bool(hook)), **hook))  # type: ignore[arg-type]
            if not hook:
                orch.group("g").on_leave(leave)
                orch.group("g").join(proc)
            await trio.sleep_forever()

    stopped: list[str | None] = []
    with trio.fail_after(1000), pytest.raises(SystemExit) as caught:
        await program()
    assert caught.value.code == 3
    assert stopped == ["b", "a"]


async def test_names_tasks_and_reasons_are_texts_that_can_be_written_down(orch: Orchestrator, clock: MockClock) -> None:
    async def sleeper(me: Process) -> None:
        await trio.sleep_forever()

    proc = await orch.spawn(sleeper)
    doors: list[Callable[[], Awaitable[object]]] = [
        lambda: orch.spawn(sleeper, name="\ud800"),  # type: ignore[list-item, return-value]
        lambda: orch.spawn(sleeper, name="a\nb"),  # type: ignore[list-item, return-value]
        lambda: orch.spawn(sleeper, name=""),  # type: ignore[list-item, return-value]
        lambda: orch.spawn(sleeper, task="\ud800"),  # type: ignore[list-item, return-value]
        lambda: orch.spawn(sleeper, spawn_reason="\ud800"),  # type: ignore[list-item, return-value]
    ]
    for door in doors:
        with pytest.raises(ValueError, match=r"must be|cannot be"):
            await door()
    with pytest.raises(ValueError, match="name must be"):
        orch.register("\ud800", proc)
    with pytest.raises(ValueError, match="a group's name must be"):
        orch.group("")
    assert orch.processes() == [proc]


async def test_what_is_no_spec_is_refused(orch: Orchestrator, clock: MockClock) -> None:
    sup = await orch.supervise(SupervisorSpec())
    with pytest.raises(TypeError, match="start_child takes a ChildSpec, not 'x'"):
        await sup.start_child("x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="supervise takes a SupervisorSpec, not 'x'"):
        await orch.supervise("x")  # type: ignore[arg-type]


def test_a_reason_is_described_in_one_way() -> None:
    assert describe(Crashed(ValueError("no such city"))) == "crashed: ValueError: no such city"
    assert describe(vega.Shutdown(Unprintable())) == "shutdown: (cannot be shown: RuntimeError)"
    assert told(KeyError("k")) == "KeyError: 'k'"


async def test_what_cannot_be_made_in_a_group_is_refused_as_anywhere_else(
    kernels: OpenKernel, clock: MockClock
) -> None:
    async def sleeper(me: Process) -> None:
        await trio.sleep_forever()

    async def fails(me: Process) -> None:
        raise vega.NameTaken("my own")

    together = Supervision("restart_all")  # type: ignore[arg-type]
    with trio.fail_after(1000):
        async with kernels(max_processes=2) as orch:
            first = await orch.spawn(sleeper, name="n", supervision=together)
            with pytest.raises(vega.NameTaken):
                await orch.spawn(sleeper, name="n", supervision=together)
            with pytest.raises(vega.FailedToStart, match="my own"):
                await orch.spawn(fails, supervision=together)
            await orch.spawn(sleeper, supervision=together)
            with pytest.raises(vega.TooManyProcesses):
                await orch.spawn(sleeper, supervision=together)
            assert orch.processes()[0] is first

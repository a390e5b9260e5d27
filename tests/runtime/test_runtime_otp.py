"""Ours against the real one: the scenarios recorded on Erlang/OTP (otp/golden.json), played again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import vega_trio as vega
from vega_trio import ChildSpec, Crashed, Killed, Normal, Shutdown, SupervisorSpec
from vega_trio.exits import ExitReason
from vega_trio.runtime import Orchestrator, Process, Supervisor

sys.path.insert(0, str(Path(__file__).parent / "otp"))

from scenarios import SCENARIOS, Scenario, Step

GOLDEN = json.loads((Path(__file__).parent / "otp" / "golden.json").read_text())
ANSWERS = {
    vega.ChildAlreadyStarted: "already_started",
    vega.ChildAlreadyPresent: "already_present",
    vega.ChildRunning: "running",
    vega.ChildNotFound: "not_found",
    vega.FailedToStart: "failed_to_start",
    vega.NoProcessError: "dead",
}
CALLS = ("start", "restart", "terminate", "delete")


@attrs.define
class Stage:
    """Where a scenario is played."""

    failing: dict[str, int]
    log: list[str] = attrs.field(factory=list)
    live: dict[str, Process] = attrs.field(factory=dict)

    def spec(self, name: str, restart: str, significant: bool = False) -> ChildSpec:
        async def body(me: Process) -> None:
            if self.failing.get(name, 0):
                self.failing[name] -= 1
                self.log.append(f"!{name}")
                raise ValueError("cannot start")
            self.live[name] = me
            self.log.append(f"+{name}")
            try:
                mail = await anext(aiter(me.inbox))
                if isinstance(mail.message, Exception):
                    raise mail.message
            finally:
                self.log.append(f"-{name}")

        return ChildSpec(name, body, restart=restart, significant=significant)  # type: ignore[arg-type]

    async def step(self, sup: Supervisor, step: Step) -> str:
        what, *rest = step
        name = str(rest[0])
        result = "ok" if sup.process.alive else "dead"
        messages = {"crash": ValueError("crash"), "leave": vega.ProcessExit(), "return": None}
        match what:
            case _ if result == "dead":
                pass
            case "fail":
                self.failing[name] = int(rest[1])
            case "kill":
                self.live[name].kill()
            case "together":
                for each in rest:
                    self.live[str(each)].post_nowait(ValueError("crash"))
            case _ if what in CALLS:
                result = await self.call(sup, str(what), name, rest)
            case _:
                self.live[name].post_nowait(messages[str(what)])
        await wait_all_tasks_blocked()
        return result

    async def call(self, sup: Supervisor, what: str, name: str, rest: list[Any]) -> str:
        try:
            match what:
                case "start":
                    await sup.start_child(self.spec(name, rest[1]))
                case "restart":
                    await sup.restart_child(name)
                case "terminate":
                    await sup.terminate_child(name)
                case "delete":
                    await sup.delete_child(name)
        except vega.VegaError as error:
            return ANSWERS[type(error)]
        return "ok"


async def play(orch: Orchestrator, scenario: Scenario) -> dict[str, Any]:
    stage = Stage(dict(scenario.failing))
    spec = SupervisorSpec(
        scenario.strategy,  # type: ignore[arg-type]
        [stage.spec(*each) for each in scenario.specs],
        max_restarts=scenario.intensity,
        window=3600,
        auto_shutdown=scenario.auto_shutdown,  # type: ignore[arg-type]
    )
    try:
        sup = await orch.supervise(spec, fatal=False)
    except vega.FailedToStart:
        return {"trace": stage.log, "results": ["failed_to_start"], "children": [], "alive": False}
    results = [await stage.step(sup, step) for step in scenario.steps]
    alive = sup.process.alive
    children = [[child.id, child.state] for child in sup.which_children()] if alive else []
    await sup.stop()
    return {"trace": stage.log, "results": results, "children": children, "alive": alive}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
async def test_ours_does_what_otp_did(orch: Orchestrator, clock: MockClock, scenario: Scenario) -> None:
    ours, theirs = await play(orch, scenario), GOLDEN["scenarios"][scenario.name]
    if scenario.steps and scenario.steps[0][0] == "together":  # the order of simultaneous crashes is anybody's
        ours["trace"], theirs["trace"] = sorted(ours["trace"]), sorted(theirs["trace"])
    assert ours == theirs


REASONS: dict[str, ExitReason] = {
    "normal": Normal(),
    "shutdown": Shutdown(),
    "boom": Crashed(ValueError("boom")),
    "kill": Killed(),
    "killed": Killed(),
}


@pytest.mark.parametrize(("how", "reason", "traps", "expected"), GOLDEN["signals"])
async def test_exit_signals_do_what_erlangs_do(
    orch: Orchestrator, clock: MockClock, how: str, reason: str, traps: str, expected: str | list[str]
) -> None:
    async def body(me: Process) -> ExitReason:
        me.trap_exit = traps == "true"
        return (await me.exit_signals.receive()).reason

    async def peer(me: Process) -> None:
        me.link(proc)
        await trio.sleep(1)
        if reason != "kill":
            raise vega.ProcessExit(REASONS[reason])
        await trio.sleep_forever()

    proc = await orch.spawn(body)
    if how == "exit":
        proc.exit(REASONS[reason])
    else:
        other = await orch.spawn(peer)
        await trio.sleep(1)
        if reason == "kill":
            other.kill()
    await wait_all_tasks_blocked()
    match expected:
        case "nothing":
            assert proc.alive
        case ["dies", why]:
            assert proc.reason == REASONS[why]
        case ["message", why]:
            assert proc.result == REASONS[why]


def test_every_scenario_is_recorded_and_every_recording_played() -> None:
    assert [scenario.name for scenario in SCENARIOS] == list(GOLDEN["scenarios"])

"""Runs a scenario that `record.escript` has recorded on Erlang/OTP, and writes down the same things."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import attrs
import trio

import vega_trio as vega
from vega_trio import ChildSpec, Killed, Normal, Shutdown, SupervisorSpec
from vega_trio.exits import Down, ExitReason
from vega_trio.runtime import Process, Supervisor
from vega_trio.testing import Simulation

SETTLE_S = 1.0

ANSWERS: dict[type[Exception], str] = {
    vega.ChildAlreadyStarted: "already_started",
    vega.ChildAlreadyPresent: "already_present",
    vega.ChildRunning: "running",
    vega.ChildRestarting: "restarting",
    vega.ChildNotFound: "not_found",
    vega.FailedToStart: "failed_to_start",
}


@attrs.define(eq=False)
class Left:
    """A worker has ended; why is known once its Down has come."""

    child_id: str
    downs: trio.MemoryReceiveChannel[Down]

    def __str__(self) -> str:
        return f"-{self.child_id} {kind(self.downs.receive_nowait().reason)}"


def kind(reason: ExitReason) -> str:
    match reason:
        case Normal():
            return "normal"
        case Shutdown():
            return "shutdown"
        case Killed():
            return "killed"
        case _:
            return "crashed"


@attrs.define(eq=False)
class Replay:
    """`spec` is the recorded supervisor spec, as it stands in the JSON."""

    sim: Simulation
    spec: dict[str, Any]
    sup: Supervisor = attrs.field(init=False)
    log: list[str | Left] = attrs.field(factory=list)
    processes: dict[str, Process] = attrs.field(factory=dict)
    failing: dict[str, int] = attrs.field(factory=dict)
    declining: dict[str, int] = attrs.field(factory=dict)
    monitors: AsyncExitStack = attrs.field(factory=AsyncExitStack)

    async def step(self, do: list[Any]) -> tuple[Any, list[str]]:
        """The step's result and what the workers did because of it."""
        result = await self.do(*do)
        await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(SETTLE_S)
        log, self.log = self.log, []
        return result, [str(each) for each in log]

    async def do(self, what: str, *arguments: Any) -> Any:
        match what, arguments:
            case "start", ():
                return await self.start()
            case "sleep", (ms,):
                await trio.sleep(ms / 1000)
            case "fail", (child_id, times):
                self.failing[child_id] = times
            case "ignore", (child_id, times):
                self.declining[child_id] = times
            case "tell", (child_id, "kill"):
                self.processes[child_id].kill()
            case "tell", (child_id, how):
                self.processes[child_id].post_nowait(how)
            case _:
                return await self.ask(what, *arguments)
        return "ok"

    async def start(self) -> object:
        try:
            self.sup = await self.sim.orch.supervise(self.supervisor_spec(self.spec), fatal=False)
        except vega.FailedToStart as failure:
            return {"failed_to_start": failure.child_id}
        return "ok"

    async def ask(self, what: str, child: Any = None) -> Any:
        sup = self.sup
        match what:
            case "stop":
                await sup.stop()
                return kind(sup.process.reason or Normal())
            case "alive":
                return True if sup.process.reason is None else kind(sup.process.reason)
            case "which":
                return [[info.id, info.state, info.kind] for info in sup.which_children()]
            case "count":
                return attrs.asdict(sup.count_children())
            case _:
                return await self.call(what, child)

    async def call(self, what: str, child: Any) -> str:
        try:
            match what:
                case "start_child":
                    started = await self.sup.start_child(self.child_spec(child))
                case "start_dynamic":
                    started = await self.sup.start_child(self.child_spec({**self.spec["children"][0], "id": child}))
                case "restart":
                    started = await self.sup.restart_child(child)
                case "terminate":
                    await self.sup.terminate_child(child)
                    return "ok"
                case _:
                    await self.sup.delete_child(child)
                    return "ok"
        except tuple(ANSWERS) as error:
            return ANSWERS[type(error)]
        return "ignored" if started is None else "ok"

    # -- from the recorded spec to ours

    def supervisor_spec(self, spec: dict[str, Any]) -> SupervisorSpec:
        dynamic = spec["strategy"] == "simple_one_for_one"
        return SupervisorSpec(
            "one_for_one" if dynamic else spec["strategy"],  # type: ignore[arg-type]
            () if dynamic else [self.child_spec(child) for child in spec["children"]],
            max_restarts=spec["intensity"],
            window=spec["period"],
            auto_shutdown=spec["auto_shutdown"],
            dynamic=dynamic,
        )

    def child_spec(self, child: dict[str, Any]) -> ChildSpec:
        return ChildSpec(
            child["id"],
            self.supervisor_spec(child["spec"]) if child["kind"] == "supervisor" else self.worker(child),
            restart=child["restart"],
            shutdown=shutdown_time(child["shutdown"]),
            significant=child.get("significant", False),
        )

    def worker(self, child: dict[str, Any]) -> Callable[[Process], Any]:
        child_id = child["id"]

        async def body(me: Process) -> None:
            self.may_start(child_id)
            self.log.append(f"+{child_id}")
            self.processes[child_id] = me
            left = Left(child_id, await self.monitors.enter_async_context(me.monitor(me)))
            me.trap_exit = child.get("stubborn", False)
            try:
                async for mail in me.inbox:
                    match mail.message:
                        case "crash":
                            raise ValueError("as told")
                        case "normal":
                            return
                        case "shutdown":
                            raise vega.ProcessExit(Shutdown())
                        case "shutdown_detail":
                            raise vega.ProcessExit(Shutdown("detail"))
            finally:
                self.log.append(left)

        return body

    def may_start(self, child_id: str) -> None:
        if self.failing.get(child_id, 0):
            self.failing[child_id] -= 1
            self.log.append(f"!{child_id}")
            raise ValueError("told to fail")
        if self.declining.get(child_id, 0):
            self.declining[child_id] -= 1
            raise vega.Ignore


def shutdown_time(recorded: int | str) -> Any:
    match recorded:
        case "infinity":
            return math.inf
        case "brutal_kill":
            return "brutal_kill"
        case ms:
            return int(ms) / 1000

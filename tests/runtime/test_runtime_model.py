"""Random lives of a supervisor against a plain model of OTP: same children, same order of starts and stops."""

from __future__ import annotations

from typing import Any

import attrs
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

import vega_trio as vega
from vega_trio import ChildSpec, SupervisorSpec
from vega_trio.runtime import Orchestrator, Process, Supervisor, open_kernel
from vega_trio.store.memory import MemoryStore

WINDOW = 8.0
NAMES = "abcdef"
SIGNIFICANT = "bdf"  # but for permanent ones, and where nothing shuts down by itself


@attrs.define
class Child:
    kind: str
    state: str = "stopped"
    plan: Plan | None = None


@attrs.define(eq=False)
class Plan:
    due: float
    cause: str


@attrs.define
class Model:
    """supervisor.erl in one page, with delays and with plans that take over what they overlap."""

    strategy: str
    max_restarts: int | None
    delay: float
    children: dict[str, Child]
    auto_shutdown: str = "never"
    failing: dict[str, int] = attrs.field(factory=dict)
    now: float = 0.0
    log: list[str] = attrs.field(factory=list)
    restarts: list[float] = attrs.field(factory=list)
    plans: list[Plan] = attrs.field(factory=list)
    ended: bool = False

    def start(self, name: str) -> bool:
        if self.failing.get(name, 0):
            self.failing[name] -= 1
            self.log.append(f"!{name}")
            return False
        self.log.append(f"+{name}")
        self.children[name] = Child(self.children[name].kind, "running")
        return True

    def stop(self, name: str) -> None:
        self.log.append(f"-{name}")
        self.down(name)

    def down(self, name: str) -> None:
        child = self.children[name]
        if child.kind == "temporary":
            del self.children[name]
        else:
            child.state = "stopped"

    def exit(self, name: str, *, abnormal: bool) -> None:
        self.log.append(f"-{name}")
        kind = self.children[name].kind
        if kind == "temporary" or (kind == "transient" and not abnormal):
            ends = self.auto_shutdown != "never" and self.ends_with(name)
            self.down(name)
            if ends:
                self.end()
        else:
            self.restart(name)

    def ends_with(self, name: str) -> bool:
        if name not in SIGNIFICANT:
            return False
        others = (child for each, child in self.children.items() if each != name and is_significant(each, child.kind))
        return self.auto_shutdown == "any_significant" or all(child.state == "stopped" for child in others)

    def restart(self, cause: str) -> None:
        self.restarts = [at for at in self.restarts if at >= self.now - WINDOW] + [self.now]
        if self.max_restarts is not None and len(self.restarts) > self.max_restarts:
            self.down(cause)
            self.end()
            return
        plan = Plan(self.now + self.delay, cause)
        self.children[cause].state = "restarting"
        for name in reversed(self.group(cause)):
            child = self.children[name]
            if child.state == "running":
                self.stop(name)
                if name not in self.children:
                    continue
                child.state = "restarting"
            self.take_over(child, plan)
        self.plans.append(plan)
        if not self.delay:
            self.carry_out(plan)

    def group(self, cause: str) -> list[str]:
        order = list(self.children)
        match self.strategy:
            case "one_for_one":
                return [cause]
            case "one_for_all":
                return order
            case _:
                return order[order.index(cause) :]

    def take_over(self, child: Child, plan: Plan) -> None:
        older, child.plan = child.plan, plan
        if older is not None and older is not plan:
            self.plans.remove(older)
            for other in self.children.values():
                if other.plan is older:
                    other.plan = plan

    def carry_out(self, plan: Plan) -> None:
        for name, child in list(self.children.items()):
            if child.plan is plan:
                child.plan = None
                if not self.start(name):
                    self.retry(name, plan)
                    return
        self.plans.remove(plan)

    def retry(self, name: str, plan: Plan) -> None:
        for child in self.children.values():
            child.state = "restarting" if child.plan is plan else child.state
        self.children[name].plan = plan
        self.restart(name)

    def leave(self, name: str) -> None:
        plan, self.children[name].plan = self.children[name].plan, None
        if plan is not None and not any(
            child.plan is plan and child.state == "restarting" for child in self.children.values()
        ):
            self.plans.remove(plan)
            for child in self.children.values():
                child.plan = None if child.plan is plan else child.plan

    def end(self) -> None:
        self.ended = True
        for name in reversed(list(self.children)):
            if self.children[name].state == "running":
                self.stop(name)
            elif self.children[name].state == "restarting":
                self.down(name)

    def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        while not self.ended and (due := [plan for plan in self.plans if plan.due <= until]):
            plan = min(due, key=lambda each: each.due)
            self.now = plan.due
            self.carry_out(plan)
        self.now = until

    # calls: the error's class, or None

    def call(self, operation: str, name: str, kind: str) -> type[Exception] | None:
        child = self.children.get(name)
        if operation == "start":
            return self.call_start(name, child, kind)
        if child is None:
            return vega.ChildNotFound
        if operation == "terminate":
            if child.state != "stopped":
                self.leave(name)
                self.stop(name) if child.state == "running" else self.down(name)
            return None
        if child.state != "stopped":
            return vega.ChildRunning if child.state == "running" else vega.ChildRestarting
        if operation == "delete":
            self.leave(name)
            del self.children[name]
            return None
        self.leave(name)
        return None if self.start(name) else vega.FailedToStart

    def call_start(self, name: str, child: Child | None, kind: str) -> type[Exception] | None:
        if child is not None:
            return {
                "running": vega.ChildAlreadyStarted,
                "restarting": vega.ChildRestarting,
                "stopped": vega.ChildAlreadyPresent,
            }[child.state]
        self.children[name] = Child(kind)
        if self.start(name):
            return None
        del self.children[name]
        return vega.FailedToStart


def is_significant(name: str, kind: str) -> bool:
    return name in SIGNIFICANT and kind != "permanent"


@attrs.define
class Real:
    """The supervisor under test and what its children said."""

    orch: Orchestrator
    failing: dict[str, int]
    auto_shutdown: str
    log: list[str] = attrs.field(factory=list)
    live: dict[str, Process] = attrs.field(factory=dict)
    sup: Supervisor = attrs.field(init=False)

    def spec(self, name: str, kind: str) -> ChildSpec:
        async def body(me: Process) -> None:
            if self.failing.get(name, 0):
                self.failing[name] -= 1
                self.log.append(f"!{name}")
                raise ValueError("cannot start")
            assert name not in self.live, "two incarnations at once"
            self.live[name] = me
            self.log.append(f"+{name}")
            try:
                async for mail in me.inbox:
                    if isinstance(mail.message, Exception):
                        raise mail.message
                    return
            finally:
                del self.live[name]
                self.log.append(f"-{name}")

        significant = self.auto_shutdown != "never" and is_significant(name, kind)
        return ChildSpec(name, body, restart=kind, name=name, significant=significant)  # type: ignore[arg-type]

    async def die(self, name: str, how: str) -> None:
        process = self.live[name]
        async with self.orch.monitor(process) as downs:
            match how:
                case "kill":
                    process.kill()
                case "exit":
                    process.exit()
                case _:
                    message = {"crash": ValueError("told"), "leave": vega.ProcessExit(), "return": None}[how]
                    process.post_nowait(message)
            await wait_all_tasks_blocked()
            assert len([down async for down in downs]) == 1

    async def call(self, operation: str, name: str, kind: str) -> type[Exception] | None:
        calls: dict[str, Any] = {
            "start": lambda: self.sup.start_child(self.spec(name, kind)),
            "restart": lambda: self.sup.restart_child(name),
            "terminate": lambda: self.sup.terminate_child(name),
            "delete": lambda: self.sup.delete_child(name),
        }
        try:
            await calls[operation]()
        except vega.VegaError as error:
            return type(error)
        return None

    def check(self, model: Model) -> None:
        assert self.log == model.log
        assert set(self.live) == {name for name, child in model.children.items() if child.state == "running"}
        if model.ended:
            assert not self.sup.process.alive
            return
        listed = {info.id: (str(info.restart), info.state) for info in self.sup.which_children()}
        assert listed == {name: (child.kind, child.state) for name, child in model.children.items()}
        assert list(listed) == list(model.children)
        assert self.sup.count_children().active == len(self.live)
        for name in NAMES:
            holder = self.orch.whereis(name)
            alive = name in listed and listed[name][1] != "stopped"
            assert (holder is not None) == alive or (not alive and holder is None) or listed[name][1] == "restarting"
            assert holder is None or holder.alive


kinds = st.sampled_from(["permanent", "transient", "temporary"])
deaths = st.tuples(st.sampled_from(["crash", "leave", "return", "kill", "exit"]), st.integers(0, 5), kinds)
calls = st.tuples(st.sampled_from(["start", "restart", "terminate", "delete"]), st.integers(0, 5), kinds)
others = st.tuples(st.sampled_from(["sleep", "fail"]), st.integers(0, 5), kinds)


async def live(
    strategy: str,
    max_restarts: int | None,
    delay: float,
    auto_shutdown: str,
    first: list[str],
    steps: list[tuple[str, int, str]],
) -> None:
    failing: dict[str, int] = {}
    model = Model(strategy, max_restarts, delay, {}, auto_shutdown, dict(failing))
    ids = iter(range(10_000))
    async with open_kernel(
        store=MemoryStore(),
        make_body=lambda agent: trio.sleep_forever,
        wall_clock=trio.current_time,
        rand=lambda: 0.5,
        new_id=lambda: f"id{next(ids)}",
    ) as orch:
        real = Real(orch, failing, auto_shutdown)
        specs = [real.spec(name, kind) for name, kind in zip(NAMES, first, strict=False)]
        backoff = vega.BackoffConfig(initial=delay, type="constant") if delay else None  # type: ignore[arg-type]
        spec = SupervisorSpec(
            strategy, specs, max_restarts=max_restarts, window=WINDOW, backoff=backoff, auto_shutdown=auto_shutdown
        )  # type: ignore[arg-type]
        for name, kind in zip(NAMES, first, strict=False):
            model.children[name] = Child(kind)
            model.start(name)
        real.sup = await orch.supervise(spec, fatal=False)
        real.check(model)
        for step in steps:
            await take(step, real, model)
            await wait_all_tasks_blocked()
            real.check(model)
            if model.ended:
                break
    assert real.live == {}
    assert all(orch.whereis(name) is None for name in NAMES)


async def take(step: tuple[str, int, str], real: Real, model: Model) -> None:
    what, number, kind = step
    name = NAMES[number]
    match what:
        case "sleep":
            model.sleep(number + 0.25)
            await trio.sleep(number + 0.25)
        case "fail":
            real.failing[name] = model.failing[name] = number % 3
        case "start" | "restart" | "terminate" | "delete":
            assert await real.call(what, name, kind) == model.call(what, name, kind)
        case _ if name in real.live:
            model.exit(name, abnormal=what in ("crash", "kill"))
            await real.die(name, what)


@settings(max_examples=120)
@given(
    st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"]),
    st.none() | st.integers(0, 4),
    st.sampled_from([0, 0, 1, 2.5]),
    st.sampled_from(["never", "any_significant", "all_significant"]),
    st.lists(kinds, max_size=4),
    st.lists(deaths | calls | others, max_size=20),
)
def test_a_supervisor_does_what_the_model_does(
    strategy: str,
    max_restarts: int | None,
    delay: float,
    auto_shutdown: str,
    first: list[str],
    steps: list[tuple[str, int, str]],
) -> None:
    if max_restarts is None and delay == 0:
        steps = [step for step in steps if step[0] != "fail"]
    trio.run(live, strategy, max_restarts, delay, auto_shutdown, first, steps, clock=MockClock(autojump_threshold=0))

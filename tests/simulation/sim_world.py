"""A random program for the simulator: supervision trees of workers that link, monitor, name, talk and die.

Everything the workers see is written into lives, one for each incarnation; `sim_invariants` judges them afterwards.
The order of `Life.up`, `.asked` and `.ended` is the order of the steps in which these happened.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count

import attrs
import trio

import vega_trio as vega
from vega_trio import BackoffConfig, ChildSpec, Crashed, Shutdown, Supervision, SupervisorSpec
from vega_trio.exits import Down, ExitReason, ExitSignal, NoProcess
from vega_trio.runtime import Process, Supervisor
from vega_trio.testing import Faults, InjectedFault, Simulation

NAMES = ("red", "green", "blue")
FAULTS = Faults(fail_start=0.02, slow_start=0.1, crash=0.15, hang=0.05, fail_cleanup=0.1, slow_cleanup=0.1, within=5.0)

TOGETHER = Supervision("restart_all", max_restarts=3, window=20.0, backoff=None)  # type: ignore[arg-type]


def all_cancelled(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(all_cancelled(each) for each in error.exceptions)
    return isinstance(error, trio.Cancelled)


@attrs.define(eq=False)
class Life:
    """One incarnation as its own body saw it. `place` is None for a process that no supervisor spec describes."""

    process: Process
    number: int
    place: Place | None
    up: int
    up_at: float
    ended_at: float | None = None
    asked: int | None = None
    ended: int | None = None
    how: str = ""
    error: BaseException | None = None
    signals: list[ExitSignal] = attrs.field(factory=list)
    expected: list[tuple[str, int, ExitReason | None]] = attrs.field(factory=list)
    causes: list[ExitReason] = attrs.field(factory=list)
    downs: trio.MemoryReceiveChannel[Down] | None = None
    down: Down | None = None
    owner: Life | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.process.id, self.number

    def alive_at(self, step: int) -> bool:
        return self.up < step and (self.ended is None or self.ended > step)


@attrs.define(eq=False)
class Place:
    """A child spec's place in the tree: `path` is root, root.0, root.0.2, ..."""

    path: str
    index: int
    above: Place | None
    spec: ChildSpec | None = None
    supervises: SupervisorSpec | None = None
    children: list[Place] = attrs.field(factory=list)
    lives: list[Life] = attrs.field(factory=list)
    administered: bool = False


@attrs.define(eq=False)
class World:
    sim: Simulation
    rand: random.Random = attrs.field(init=False)
    steps: Iterator[int] = attrs.field(factory=lambda: count(1))
    lives: dict[tuple[str, int], Life] = attrs.field(factory=dict)
    living: dict[str, Life] = attrs.field(factory=dict)
    links: set[frozenset[tuple[str, int]]] = attrs.field(factory=set)
    places: dict[str, Place] = attrs.field(factory=dict)
    place_of: dict[str, Place] = attrs.field(factory=dict)
    heard: list[tuple[float, vega.Event, tuple[str, int] | None]] = attrs.field(factory=list)
    taken: dict[tuple[str, str], int] = attrs.field(factory=dict)
    numbers: Iterator[int] = attrs.field(factory=lambda: count(1))
    done: Counter[str] = attrs.field(factory=Counter)
    monitors: AsyncExitStack = attrs.field(factory=AsyncExitStack)
    peers_to_tell: list[tuple[Life, bool, tuple[str, int]]] = attrs.field(factory=list)
    policies: dict[str, tuple[int | None, float]] = attrs.field(factory=dict)
    together: dict[str, tuple[str, int]] = attrs.field(factory=dict)
    """By process: the owner whose `restart_all` children share their restarts."""
    calm: bool = False

    def __attrs_post_init__(self) -> None:
        self.rand = self.sim.rand

    def maybe(self, chance: float) -> bool:
        return self.rand.random() < chance

    # -- building a tree

    def supervisor_spec(self, place: Place, depth: int) -> SupervisorSpec:
        rand = self.rand
        auto = rand.choice(("never", "never", "never", "never", "any_significant", "all_significant"))
        strategy = rand.choice(("one_for_one", "one_for_all", "rest_for_one"))
        children = []
        for index in range(rand.randint(1, 4)):
            below = Place(f"{place.path}.{index}", index, place)
            place.children.append(below)
            self.places[below.path] = below
            children.append(self.child_spec(below, depth, auto != "never"))
        place.supervises = SupervisorSpec(
            strategy,  # type: ignore[arg-type]
            children,
            max_restarts=rand.choice((0, 2, 3, 5, 10, None)),
            window=rand.choice((1.0, 2.0, 10.0)),
            backoff=self.backoff(),
            auto_shutdown=auto,  # type: ignore[arg-type]
            revive=self.maybe(0.7),
        )
        return place.supervises

    def backoff(self) -> BackoffConfig | None:
        if self.maybe(0.5):
            return None
        return BackoffConfig(initial=self.rand.choice((0.1, 1.0)), jitter=self.rand.choice((0.0, 0.5)))

    def child_spec(self, place: Place, depth: int, significant: bool) -> ChildSpec:
        rand = self.rand
        restart = rand.choice(("permanent", "permanent", "transient", "temporary"))
        nested = depth > 0 and self.maybe(0.4)
        on_failure = rand.choice(("stop", "escalate", None)) if self.maybe(0.2) else None
        place.spec = ChildSpec(
            place.path,
            self.supervisor_spec(place, depth - 1) if nested else self.worker(place),
            restart=restart,  # type: ignore[arg-type]
            shutdown=None if nested or self.maybe(0.5) else rand.choice((0.0, 1.0, "brutal_kill")),
            significant=significant and restart != "permanent" and self.maybe(0.5),
            start_timeout=rand.choice((2.0, 10.0)) if not nested and self.maybe(0.2) else None,
            backoff=self.backoff() if self.maybe(0.2) else None,
            on_failure=on_failure,  # type: ignore[arg-type]
            name=place.path if nested or self.maybe(0.3) else None,
        )
        return place.spec

    # -- a worker

    def worker(
        self,
        place: Place | None,
        owner: Life | None = None,
        *,
        linked: bool = False,
        policy: Supervision | None = None,
    ) -> Callable[[Process], object]:
        haunted = self.sim.nemesis.haunt(self.work, FAULTS)

        async def lived(me: Process) -> object:
            life = await self.begin(me, place, owner)
            if policy is not None:
                self.policies[me.id] = (policy.max_restarts, policy.window)
                if policy.strategy is vega.Strategy.RESTART_ALL and owner is not None:
                    self.together[me.id] = owner.key
            if linked and owner is not None and me.incarnation == 1:
                self.links.add(frozenset((life.key, owner.key)))
            try:
                result = await (self.work if self.calm else haunted)(me)
                life.how = "returned"
                return result
            except BaseException as error:
                life.how = "cancelled" if all_cancelled(error) else "raised"
                life.asked = life.asked or next(self.steps)
                life.error = error
                raise
            finally:
                self.end(life)

        return lived

    async def begin(self, me: Process, place: Place | None, owner: Life | None) -> Life:
        """In the first step of the incarnation: nothing in here suspends it."""
        life = Life(me, me.incarnation, place, next(self.steps), trio.current_time(), owner=owner)
        assert me.id not in self.living, f"{me.id} lives twice, as {self.living[me.id].number} and {life.number}"
        assert life.key not in self.lives, f"incarnation {life.number} of {me.id} runs twice"
        self.lives[life.key] = self.living[me.id] = life
        if place is not None:
            others = [each for each in place.lives if each.ended is None]
            assert not others, f"{place.path} lives twice, as {others[0].process.id} and {me.id}"
            place.lives.append(life)
            self.place_of[me.id] = place
        life.downs = await self.monitors.enter_async_context(self.sim.orch.monitor(me))
        self.check_names()
        return life

    def end(self, life: Life) -> None:
        """In the last step of the incarnation: the kernel's bookkeeping follows at once."""
        while True:
            try:
                life.signals.append(life.process.exit_signals.receive_nowait())
            except trio.WouldBlock:
                break
        life.ended, life.ended_at = next(self.steps), trio.current_time()
        del self.living[life.process.id]
        for pair in [pair for pair in self.links if life.key in pair]:
            self.links.discard(pair)
            (other,) = pair - {life.key}
            self.peers_to_tell.append((life, self.sim.orch.get(other[0]).trap_exit, other))
        self.check_names()

    async def work(self, me: Process) -> object:
        life = self.living[me.id]
        outcome: list[object] = []
        me.ready()
        me.trap_exit = traps = self.maybe(0.4)
        async with trio.open_nursery() as nursery:
            if traps:
                nursery.start_soon(self.read_signals, me, life)
            nursery.start_soon(self.read_mail, me)
            nursery.start_soon(self.feel_cancel, life)
            await self.mischief(me, life, outcome)
            nursery.cancel_scope.cancel()
        return outcome[0]

    async def feel_cancel(self, life: Life) -> None:
        try:
            await trio.sleep_forever()
        finally:
            life.asked = life.asked or next(self.steps)

    async def read_signals(self, me: Process, life: Life) -> None:
        async for signal in me.exit_signals:
            life.signals.append(signal)
            ordered = not signal.linked and signal.reason == Shutdown()
            if ordered and self.maybe(0.8):
                raise vega.ProcessExit(signal.reason)

    async def read_mail(self, me: Process) -> None:
        async for mail in me.inbox:
            sender, number = mail.message
            key = (sender, me.id)
            assert number > self.taken.get(key, 0), f"{me.id} got mail {number} of {sender} after {self.taken[key]}"
            self.taken[key] = number
            if self.maybe(0.2):
                await trio.sleep(self.rand.uniform(0, 3))
            mail.reply(number)

    async def mischief(self, me: Process, life: Life, outcome: list[object]) -> None:
        """Does one thing after the other, until one of them ends it."""
        deeds = (self.do_link, self.do_unlink, self.do_monitor, self.do_call, self.do_post, self.do_name, self.do_spawn)
        async with trio.open_nursery() as nursery:
            while True:
                await trio.sleep(self.rand.expovariate(0.5))
                if self.calm:
                    await trio.sleep_forever()
                if self.maybe(0.08):
                    nursery.cancel_scope.cancel()
                    outcome.append(self.ending())
                    return
                nursery.start_soon(self.rand.choice(deeds), me, life)

    def ending(self) -> object:
        number = next(self.numbers)
        match self.rand.randrange(4):
            case 0:
                return number
            case 1:
                raise vega.ProcessExit(Shutdown(number))
            case 2:
                raise vega.ProcessExit(Crashed(InjectedFault(f"exit {number}")))
            case _:
                raise InjectedFault(f"crash {number}")

    # -- what a worker does

    def other(self, me: Process) -> Process | None:
        others = [each for each in self.sim.orch.processes() if each is not me]
        return self.rand.choice(others) if others else None

    async def do_link(self, me: Process, life: Life) -> None:
        other = self.other(me)
        if other is None:
            return
        there = other.live is not None
        try:
            for _ in range(self.rand.randint(1, 2)):
                me.link(other)
        except vega.NoProcessError:
            assert not there
            assert not me.trap_exit
            return
        if there:
            self.links.add(frozenset((life.key, (other.id, other.incarnation))))
            self.done["links"] += 1

    async def do_unlink(self, me: Process, life: Life) -> None:
        mine = sorted(sorted(pair) for pair in self.links if life.key in pair)
        if mine:
            pair = frozenset(self.rand.choice(mine))
            (other,) = pair - {life.key}
            me.unlink(self.sim.orch.get(other[0]))
            self.links.discard(pair)

    async def do_monitor(self, me: Process, life: Life) -> None:
        other = self.other(me)
        if other is None:
            return
        there, number = other.live is not None, other.incarnation
        async with me.monitor(other) as downs:
            with trio.move_on_after(self.rand.expovariate(0.2)):
                got = [down async for down in downs]
                assert len(got) == 1, f"{len(got)} Downs of one monitor"
                assert (got[0].process_id, got[0].incarnation) == (other.id, number)
                assert there or got[0].reason == NoProcess()
                assert other.final is None or self.sim.orch.whereis(other.name or "") is not other
                self.done["downs"] += 1

    async def do_call(self, me: Process, life: Life) -> None:
        other = self.other(me)
        if other is None:
            return
        number = next(self.numbers)
        try:
            assert await other.send((me.id, number), timeout=self.rand.choice((1.0, 10.0, None))) == number
        except vega.CallTimeout:
            self.done["timeouts"] += 1
        except vega.ProcessExited:
            self.done["calls to the dying"] += 1
        else:
            self.done["calls"] += 1

    async def do_post(self, me: Process, life: Life) -> None:
        other = self.other(me)
        if other is not None:
            alive = other.alive
            put = await other.post((me.id, next(self.numbers)))
            assert put or not other.alive
            assert alive or not put

    async def do_name(self, me: Process, life: Life) -> None:
        name = self.rand.choice(NAMES)
        holder = self.sim.orch.whereis(name)
        if holder is not None and self.maybe(0.5):
            self.sim.orch.unregister(name)
            return
        try:
            self.sim.orch.register(name, me)
        except vega.NameTaken:
            assert holder is not None
        except vega.AlreadyNamed:
            assert me.name is not None
        else:
            assert self.sim.orch.whereis(name) is me

    async def do_spawn(self, me: Process, life: Life) -> None:
        if me.spawn_depth > 2 or len(self.living) > 40:
            return
        policy = Supervision(max_restarts=2, backoff=self.backoff()) if self.maybe(0.5) else None
        if policy is not None and self.maybe(0.4):
            policy = TOGETHER
        linked = self.maybe(0.5)
        body = self.worker(None, owner=life, linked=linked, policy=policy)
        deadline = self.rand.uniform(0, 20) if self.maybe(0.2) else None
        try:
            await (me.spawn_link if linked else me.spawn)(body, supervision=policy, deadline=deadline)  # type: ignore[arg-type]
        except vega.FailedToStart:
            self.done["failed spawns"] += 1

    # -- what the world does to it

    def check_names(self) -> None:
        for name in (*NAMES, *self.places):
            process = self.sim.orch.whereis(name)
            assert process is None or process.alive, f"the dead process {process} has the name {name}"

    def hear(self, event: vega.Event) -> bool:
        supervisor = None
        place = self.place_of.get(event.process_id or "") or self.named_place(event.process_id)
        if place is not None and place.above is not None:
            above = self.sim.orch.whereis(place.above.path)
            supervisor = (above.id, above.incarnation) if above is not None else None
        self.heard.append((trio.current_time(), event, supervisor))
        return False

    def named_place(self, process_id: str | None) -> Place | None:
        if process_id is None:
            return None
        name = self.sim.orch.get(process_id).name
        return self.places.get(name) if name is not None else None

    def targets(self) -> list[Process]:
        return [life.process for life in self.living.values()]

    async def administer(self, supervisors: Callable[[], list[Supervisor]]) -> None:
        """Calls supervisors, as an operator would."""
        while True:
            await trio.sleep(self.rand.expovariate(0.3))
            working = [each for each in supervisors() if each.process.live is not None]
            if not working:
                continue
            supervisor = self.rand.choice(working)
            try:
                infos = supervisor.which_children()
                if infos:
                    await self.call(supervisor, self.rand.choice(infos).id)
            except (vega.NoProcessError, vega.ChildNotFound):
                self.done["late calls"] += 1

    async def call(self, supervisor: Supervisor, child_id: str) -> None:
        self.places[child_id].administered = True
        operation = self.rand.choice((supervisor.terminate_child, supervisor.restart_child, supervisor.delete_child))
        with trio.move_on_after(self.rand.choice((0.1, math.inf))):
            try:
                await operation(child_id)
            except (vega.ChildRunning, vega.ChildRestarting, vega.FailedToStart):
                self.done["refused calls"] += 1
            else:
                self.done["child calls"] += 1

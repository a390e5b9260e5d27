"""Whole programs as functions of a seed: the same seed gives the same run, byte for byte, in virtual time.

    async def scenario(sim):
        worker = await sim.orch.spawn(sim.nemesis.haunt(work), supervision=vega.Supervision())
        await sim.nemesis.storm(60, sim.orch.processes)
        assert worker.alive

    def test_the_worker_outlives_a_storm():
        for seed in seeds(100):
            simulate(scenario, seed=seed)

Chance (the scheduler's, the kernel's, the nemesis's), both clocks and all ids come from the seed, the store is in
memory. A scenario must use no threads, sockets, real clocks or chance of its own.
"""

from __future__ import annotations

import os
import random
import re
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

import attrs
import trio
from trio.testing import MockClock

from vega_trio._core.wire import encode_event
from vega_trio.agent import Agent
from vega_trio.errors import ConfigError
from vega_trio.events import Event
from vega_trio.protocols import Model, Tool
from vega_trio.runtime.bodies import AgentBody
from vega_trio.runtime.orchestrator import Orchestrator, open_kernel
from vega_trio.runtime.process import Process
from vega_trio.store.memory import MemoryStore
from vega_trio.testing.nemesis import Nemesis
from vega_trio.testing.scheduler import Watch, seeded_scheduler

if TYPE_CHECKING:
    from vega_trio.engine.limits import Limits

STEP_LIMIT = 3_000_000  # half a minute of CPU: far beyond any scenario that ends
STEP_SECONDS = 20.0  # of CPU, for one step: most take some ten microseconds
EPOCH_S = 1_800_000_000.0  # the wall clock at the start of every run
SHOWN = 30  # lines of the trace in an error's message

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class SimulationFailed(AssertionError):
    """A simulated run failed; the message says how to see the same run again. The cause is what was raised.

    `seed` and `trace` are the run's.
    """

    def __init__(self, message: str, seed: int, trace: list[str]) -> None:
        super().__init__(message)
        self.seed = seed
        self.trace = trace


@attrs.define(eq=False)
class Simulation:
    """What a scenario is given.

    `rand` is the scenario's own chance. `wall_clock_offset` may be moved, as when somebody sets the machine's clock.
    The async functions in `afterwards` run once the orchestrator has closed, cancelled or not.
    """

    seed: int
    _watch: Watch = attrs.field(repr=False)
    orch: Orchestrator = attrs.field(init=False)
    rand: random.Random = attrs.field(init=False)
    nemesis: Nemesis = attrs.field(init=False)
    store: MemoryStore = attrs.field(factory=MemoryStore, init=False)
    trace: list[str] = attrs.field(factory=list, init=False)
    wall_clock_offset: float = attrs.field(default=0.0, init=False)
    afterwards: list[Callable[[], Awaitable[object]]] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.rand = self.chance("scenario")
        self.nemesis = Nemesis(self.chance("nemesis"), self.note)

    def chance(self, purpose: str) -> random.Random:
        """A generator of its own for each purpose, so that one more draw for one leaves the others' alone."""
        return random.Random(f"{self.seed}/{purpose}")  # noqa: S311 - repeatable is what it has to be

    def note(self, line: str) -> None:
        """Adds a line to the trace, under the virtual time."""
        if self._watch.problem is None:  # else it is the run being torn down
            self.trace.append(f"{trio.current_time():.6f} {_ADDRESS.sub(' at 0x0', line)}")

    def wall_clock(self) -> float:
        """Unix seconds."""
        return EPOCH_S + self.wall_clock_offset + trio.current_time()

    def heard(self, event: Event) -> bool:
        """The bus's: every event goes into the trace in the step in which it is handed out, and no further."""
        self.note(encode_event(event).decode())
        return False


Scenario = Callable[[Simulation], Awaitable[object]]


def simulate(scenario: Scenario, *, seed: int, model: Model | None = None, cancel_at: int | None = None) -> list[str]:
    """Runs `await scenario(sim)` in an orchestrator of its own, and returns what happened, line by line.

    `model` answers the agents, if any are spawned. `cancel_at` cancels everything from outside before that step of
    the scheduler (1, 2, ...). The run fails also when a process or task is left behind, when no task
    can ever run again, after 3,000,000 steps, and when one step takes up 20 s of CPU.

    Raises: SimulationFailed.
    """
    outer = trio.CancelScope()
    watch = Watch(STEP_LIMIT, {} if cancel_at is None else {cancel_at: outer.cancel})
    sim = Simulation(seed, watch)
    try:
        with seeded_scheduler(f"{seed}/scheduler"), watch.timed(STEP_SECONDS):
            trio.run(
                _main, sim, scenario, model, outer, watch,
                clock=MockClock(autojump_threshold=0), instruments=[watch], strict_exception_groups=True,
            )  # fmt: skip
    except Exception as error:
        raise _failure(sim, watch.problem or f"{type(error).__name__}: {error}") from error
    except BaseException:
        if watch.problem is None:
            raise  # Ctrl-C
        raise _failure(sim, watch.problem) from None
    if watch.problem is not None:
        raise _failure(sim, watch.problem)
    sim.trace.append(f"{'cancelled' if outer.cancel_called else 'finished'}, scheduled as {watch.digest:08x}")
    return sim.trace


def simulate_cancellation(scenario: Scenario, *, seed: int, stride: int = 1, model: Model | None = None) -> int:
    """Runs the scenario again and again, cancelled from outside at every `stride`-th step, until a run gets through.

    Returns how many were cancelled. Raises: SimulationFailed.
    """
    for number, step in enumerate(count(1, stride)):
        trace = simulate(scenario, seed=seed, model=model, cancel_at=step)
        if not trace[-1].startswith("cancelled"):
            return number
    raise AssertionError("the count does not end")


def seeds(default: int) -> Sequence[int]:
    """The seeds to try: 0 to `default` - 1; as many as `VEGA_SEEDS` says; only the one that `VEGA_SEED` names.

    Raises: ConfigError when one of them is no number.
    """
    only = _number("VEGA_SEED")
    if only is not None:
        return (only,)
    wanted = _number("VEGA_SEEDS")
    return range(default if wanted is None else wanted)


def _number(variable: str) -> int | None:
    value = os.environ.get(variable)
    if not value:
        return None
    try:
        return int(value)
    except ValueError:
        raise ConfigError(f"{variable} must be a whole number, not {value!r}") from None


async def _main(
    sim: Simulation, scenario: Scenario, model: Model | None, outer: trio.CancelScope, watch: Watch
) -> None:
    watch.watch_current_task()
    with outer:
        async with _open(sim, model) as sim.orch:
            await scenario(sim)
    for check in sim.afterwards:
        await check()


@asynccontextmanager
async def _open(sim: Simulation, model: Model | None) -> AsyncIterator[Orchestrator]:
    ids = count(1)

    def new_id() -> str:
        return f"id{next(ids)}"

    from vega_trio.engine.limits import Limits

    limits = Limits(rand=sim.chance("limits").random)
    tasks = trio.lowlevel.current_statistics().tasks_living
    async with AsyncExitStack() as until_closed:
        async with open_kernel(
            store=sim.store,
            make_body=lambda agent: _agent_body(sim, agent, model, limits, new_id),
            wall_clock=sim.wall_clock,
            rand=sim.chance("kernel").random,
            new_id=new_id,
        ) as orch:
            # Left after the orchestrator has closed: its last events belong to the trace as well.
            await until_closed.enter_async_context(orch.subscribe(match=sim.heard))
            yield orch
    _check_nothing_is_left(orch, tasks)


def _check_nothing_is_left(orch: Orchestrator, tasks: int) -> None:
    left = [*orch.processes(), *(each.process for each in orch.supervisors())]
    if left:
        raise AssertionError(f"the orchestrator has closed, but these processes are alive: {left}")
    more = trio.lowlevel.current_statistics().tasks_living - tasks
    if more:
        raise AssertionError(f"the orchestrator has closed, but {more} tasks are left")


def _agent_body(
    sim: Simulation, agent: Agent, model: Model | None, limits: Limits, new_id: Callable[[], str]
) -> AgentBody:
    from vega_trio.engine.approvals import Approvals
    from vega_trio.engine.body import agent_body
    from vega_trio.engine.equipment import Equipment
    from vega_trio.tools.toolbox import as_tool

    if model is None:
        raise ConfigError(f"the scenario spawns the agent {agent.name!r}: give simulate(..., model=...)")

    async def ask(_: Process, name: str, message: str) -> str:
        return str(await sim.orch.send(name, message))

    def within(child: Agent, most: Mapping[str, Tool]) -> Agent:
        made = (as_tool(each) for each in child.tools)
        return attrs.evolve(child, tools=tuple(most[tool.spec.name] for tool in made if tool.spec.name in most))

    approvals = Approvals(
        store=sim.store, wall_clock=sim.wall_clock, unattended="a simulation has nobody to ask", emit=sim.orch.bus.emit
    )
    tools = [as_tool(each) for each in agent.tools]
    equipment = Equipment(
        model=model, store=sim.store, wall_clock=sim.wall_clock, new_id=new_id, ask=ask, within=within,
        tools={tool.spec.name: tool for tool in tools}, limits=limits, fallback=_fallback_of(agent),
        approvals=approvals,
    )  # fmt: skip
    return agent_body(agent, equipment)


def _fallback_of(agent: Agent) -> Model | None:
    if isinstance(agent.fallback_model, str):
        raise ConfigError(f"agent {agent.name!r}: in a simulation fallback_model must be a model object, not a name")
    return agent.fallback_model


def _failure(sim: Simulation, what: str) -> SimulationFailed:
    shown = "\n".join(f"  {line}" for line in sim.trace[-SHOWN:])
    skipped = f"  ... {len(sim.trace) - SHOWN} lines before\n" if len(sim.trace) > SHOWN else ""
    return SimulationFailed(
        f"seed {sim.seed}: {what}\nto see the same run again: VEGA_SEED={sim.seed} {_command()}\n"
        f"what happened:\n{skipped}{shown}",
        sim.seed,
        sim.trace,
    )


def _command() -> str:
    """The test that is running, or the program itself."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0].partition("[")[0]
    return f"python -m pytest {shlex.quote(test)}" if test else "and the same command"

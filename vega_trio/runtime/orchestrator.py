"""The orchestrator: opens the kernel, owns what is spawned, and stops it all in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import attrs
import trio

from vega_trio._core.redact import Redactor
from vega_trio.agent import Agent, Body, Money, ShutdownTime, Supervision, SupervisorSpec, as_budget
from vega_trio.changes import DropMail, DropTimers, ProcessRow, SaveProcess, Sever
from vega_trio.events import Event, ProcessFailed, TurnFailure
from vega_trio.exits import Down
from vega_trio.messages import Message
from vega_trio.protocols import Commit, Store
from vega_trio.runtime.blackboard import read_blackboards
from vega_trio.runtime.bodies import AgentBody
from vega_trio.runtime.bus import Bus, EventFilter, Subscription
from vega_trio.runtime.closing import shut_down
from vega_trio.runtime.group import Group
from vega_trio.runtime.health import HealthConfig
from vega_trio.runtime.kernel import Kernel
from vega_trio.runtime.monitors import open_monitor_of
from vega_trio.runtime.process import Process
from vega_trio.runtime.recovered import Recovered
from vega_trio.runtime.registry import SpawnTreeNode as SpawnTreeNode
from vega_trio.runtime.spawning import Spawning
from vega_trio.runtime.supervisor import Supervisor
from vega_trio.runtime.ties import tell_of_loss
from vega_trio.runtime.top import Top, supervise


@attrs.frozen(eq=False)
class Orchestrator:
    """The root of all processes. Nothing in it outlives the block that opened it."""

    _kernel: Kernel = attrs.field(repr=False)

    @property
    def bus(self) -> Bus:
        return self._kernel.bus

    @property
    def closing(self) -> bool:
        """Whether its block is being left."""
        return self._kernel.closing

    @property
    def restarts(self) -> int:
        """How often processes were started again."""
        return self._kernel.restarts

    @property
    def recovered(self) -> Recovered:
        """What a killed program left behind and nobody has taken up."""
        return self._kernel.recovered

    def spawn(
        self,
        body: Body,
        /,
        *,
        name: str | None = None,
        task: str | None = None,
        parent: Process | None = None,
        spawn_reason: str | None = None,
        supervision: Supervision | None = None,
        messages: Iterable[Message] | None = None,
        budget: Money | None = None,
        deadline: float | None = None,
        start_timeout: float | None = None,
        shutdown: ShutdownTime = 5.0,
        id: str | None = None,  # noqa: A002 - the application's keyword: come back under this id
        row: ProcessRow | None = None,
    ) -> Spawning:
        """Starts an agent or a function. Await it for a process that lives until it or the orchestrator ends; enter
        it for one that ends with the block.

        `parent` only records the spawn tree. `supervision` defaults to the agent's; without either it is never
        restarted. `budget`, also in bare dollars, is what it and all that works for it may spend. `deadline`: seconds
        it may live, restarts included. `start_timeout`: it has started when its body calls `ready()`, and must within
        so many seconds. `shutdown`: seconds to leave in when stopped.
        """
        return Spawning(
            self._kernel,
            body,
            parent=parent,
            name=name,
            task=task,
            spawn_reason=spawn_reason,
            supervision=supervision,
            messages=messages,
            budget=as_budget(budget),
            deadline=deadline,
            start_timeout=start_timeout,
            shutdown=shutdown,
            id=id,
            row=row,
        )

    # -- who is there

    def get(self, process_id: str) -> Process:
        """A living process, or one of the last 1,000 that have ended. Raises: UnknownProcess."""
        return self._kernel.registry.get(process_id)

    def whereis(self, name: str) -> Process | None:
        return self._kernel.registry.whereis(name)

    def processes(self) -> list[Process]:
        """The living ones, in the order in which they were spawned, supervisors aside."""
        return self._kernel.registry.living()

    def spawn_tree(self) -> list[SpawnTreeNode]:
        return self._kernel.registry.spawn_tree()

    def register(self, name: str, process: Process) -> None:
        """Raises: NameTaken, AlreadyNamed, NoProcessError."""
        self._kernel.registry.register(name, process)

    def unregister(self, name: str) -> None:
        """Raises: UnknownName."""
        self._kernel.registry.unregister(name)

    # -- talking to them

    async def send(self, name: str, message: Any, *, timeout: float | None = None) -> Any:
        """`Process.send` by name. Raises: UnknownName, and what it raises."""
        return await self._kernel.registry.named(name).send(message, timeout=timeout)

    async def post(self, name: str, message: Any) -> bool:
        """`Process.post` by name. Raises: UnknownName."""
        return await self._kernel.registry.named(name).post(message)

    def monitor(self, process: Process) -> AbstractAsyncContextManager[trio.MemoryReceiveChannel[Down]]:
        """As `Process.monitor`, from outside any process."""
        return open_monitor_of(process)

    async def supervise(self, spec: SupervisorSpec, *, name: str | None = None, fatal: bool = True) -> Supervisor:
        """Starts a supervisor; returns when all its children have started.

        When it gives up or escalates, the orchestrator's block is cancelled and raises that; with `fatal=False`
        there are only events.

        Raises: FailedToStart of the child that failed, after those before it were stopped; NameTaken,
            OrchestratorClosed.
        """
        return await supervise(self._kernel, spec, name=name, fatal=fatal)

    def supervisors(self) -> list[Supervisor]:
        """The living ones that no supervisor supervises, in the order in which they were started."""
        return [supervisor for process in self._tops() if (supervisor := process.supervisor) is not None]

    def _tops(self) -> list[Process]:
        return [each for each in self._kernel.registry.supervisors() if isinstance(each.keeper, Top)]

    def group(self, name: str) -> Group:
        """The group of that name; it is there from the first time it is asked for. Raises: ValueError."""
        return self._kernel.group(name)

    def subscribe(
        self,
        types: Iterable[EventFilter] | None = None,
        *,
        match: Callable[[Event], bool] | None = None,
        buffer: int = 100,
    ) -> AbstractAsyncContextManager[Subscription]:
        """As `Bus.subscribe`."""
        return self._kernel.bus.subscribe(types, match=match, buffer=buffer)

    # -- ending them

    def fail(self, error: BaseException) -> None:
        """Ends the block, which raises `error`, bare, after an ordered stop; the first one wins."""
        self._kernel.fail(error)

    async def stop(self, process_id: str) -> None:
        """Ends a process in order; no restart follows. Returns when it has ended, at once if it had.

        One that a killed program left behind, and nobody has taken up, is given up.

        Raises: UnknownProcess.
        """
        if self._kernel.recovered.get(process_id) is not None:
            await self.give_up(process_id, "killed")
            return
        process = self.get(process_id)
        if process.alive:
            await process.keeper.stop()
        else:
            await trio.lowlevel.checkpoint()

    async def kill(self, process_id: str) -> None:
        """As `stop`, but at once."""
        if self._kernel.recovered.get(process_id) is not None:
            await self.give_up(process_id, "killed")
            return
        process = self.get(process_id)
        if process.alive:
            await process.keeper.kill()
        else:
            await trio.lowlevel.checkpoint()

    def restart(self, process_id: str) -> bool:
        """Begins to end a process in order and to start it again, by its supervisor's strategy; not counted.

        False when it has ended, or nobody starts it again. Raises: UnknownProcess.
        """
        process = self.get(process_id)
        return process.alive and process.keeper.order_restart()

    async def give_up(self, process_id: str, reason: str) -> None:
        """What a killed program left of this process is taken up by nobody: it has failed, its turns with it."""
        commit = self.drop(process_id, reason)
        if commit is not None:
            await commit.wait()

    def drop(self, process_id: str, reason: str) -> Commit | None:
        """As `give_up`, without waiting for the commit; None when nothing was left of the process."""
        left = self._kernel.recovered.take(process_id)
        if left is None:
            return None
        row = left.row
        ended = attrs.evolve(row, status="failed", exit_reason=reason, completed_at=self._kernel.wall_clock())
        for mail in left.mail:
            self.bus.emit(
                TurnFailure(
                    process_id=row.id,
                    agent=row.agent,
                    turn_id=mail.id,
                    root_turn_id=mail.root_id,
                    error=f"the process was given up: {reason}",
                    error_class="interrupted",
                )
            )
        event = ProcessFailed(process_id=row.id, agent=row.agent, incarnation=row.incarnation, error=reason)
        commit = self.bus.emit(event, SaveProcess(ended), DropMail(row.id), DropTimers(row.id), Sever(row.id))
        tell_of_loss(self._kernel, row.id, row.agent, row.incarnation)
        return commit


@asynccontextmanager
async def open_kernel(
    *,
    store: Store,
    make_body: Callable[[Agent], AgentBody],
    wall_clock: Callable[[], float],
    rand: Callable[[], float],
    new_id: Callable[[], str],
    max_processes: int = 1000,
    shutdown_timeout: float = 30.0,
    mailbox: int = 64,
    health: HealthConfig | None = None,
    recovered: Recovered | None = None,
    redact: Redactor | None = None,
) -> AsyncIterator[Orchestrator]:
    """Supervised processes for any Trio program; knows no language model.

    `make_body` turns an Agent into a body; `wall_clock` gives Unix seconds, `rand` a number in [0, 1), `new_id` a
    fresh id. `mailbox` messages wait at most in each process; `health` sets the limits of alerts; `recovered` is what a
    killed program left behind; `redact` takes secrets out of what errors say. Leaving the block stops everything in
    order; what still runs after `shutdown_timeout` seconds is killed.

    Raises from the block, bare: its own error first, else Escalated or SupervisorGaveUp, or Ctrl-C from a process.
    """
    error: BaseException | None = None
    redact = redact or Redactor()
    blackboards = await read_blackboards(store)
    async with trio.open_nursery() as nursery:
        kernel = Kernel(
            store=store, bus=Bus(store, wall_clock, redact), make_body=make_body, wall_clock=wall_clock, rand=rand,
            redact=redact, new_id=new_id, max_processes=max_processes, mailbox=mailbox, nursery=nursery,
            spawning=Spawning, blackboards=blackboards, health=health or HealthConfig(),
            recovered=recovered or Recovered(),
        )  # fmt: skip
        nursery.start_soon(kernel.timers.run, name="vega_trio timers")
        try:
            with kernel.block:
                yield Orchestrator(kernel)
        except BaseException as raised:  # noqa: BLE001 - raised again below, out of reach of the nursery's groups
            error = raised
        await shut_down(kernel, shutdown_timeout)
    if error is None:
        error = kernel.fatal
    if error is not None:
        try:
            raise error
        finally:
            del error  # the frame must not keep its own traceback alive

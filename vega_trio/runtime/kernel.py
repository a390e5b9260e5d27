"""What all processes of one orchestrator share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
import trio

from vega_trio._core.links import Links
from vega_trio._core.redact import Redactor
from vega_trio.agent import Agent
from vega_trio.checks import check_text
from vega_trio.errors import Escalated, OrchestratorClosed, SupervisorGaveUp, TooManyProcesses
from vega_trio.protocols import Store
from vega_trio.runtime.blackboard import Blackboard
from vega_trio.runtime.bus import Bus
from vega_trio.runtime.doomed import Doomed
from vega_trio.runtime.group import Group
from vega_trio.runtime.health import HealthConfig
from vega_trio.runtime.recovered import Recovered
from vega_trio.runtime.registry import Registry
from vega_trio.runtime.timers import Timers

if TYPE_CHECKING:
    from vega_trio.runtime.bodies import AgentBody
    from vega_trio.runtime.cohort import Cohort, CohortKey
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.spawning import Spawning


@attrs.define(eq=False, kw_only=True)
class Kernel:
    """Given by `open_kernel`. `nursery` holds the spawned processes' tasks, `block` the orchestrator's block.

    `redact` takes secrets out of what errors say; `restarts` counts those of all processes.
    """

    store: Store
    bus: Bus
    make_body: Callable[[Agent], AgentBody]
    wall_clock: Callable[[], float]
    rand: Callable[[], float]
    new_id: Callable[[], str]
    max_processes: int
    mailbox: int
    nursery: trio.Nursery
    spawning: type[Spawning]
    health: HealthConfig
    redact: Redactor = attrs.field(factory=Redactor)
    block: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    timers: Timers = attrs.field(factory=Timers)
    doomed: Doomed = attrs.field(init=False)
    registry: Registry = attrs.field(factory=Registry)
    links: Links[Incarnation] = attrs.field(factory=Links)
    groups: dict[str, Group] = attrs.field(factory=dict)
    blackboards: dict[str, Blackboard] = attrs.field(factory=dict)
    cohorts: dict[CohortKey, Cohort] = attrs.field(factory=dict)
    recovered: Recovered = attrs.field(factory=Recovered)
    restarts: int = 0
    closing: bool = False
    fatal: BaseException | None = None

    @doomed.default
    def _nobody_doomed(self) -> Doomed:
        return Doomed(self.health.unkillable, self.timers)

    def group(self, name: str) -> Group:
        check_text("a group's name", name)
        if name not in self.groups:
            board = self.blackboards.get(name)
            self.groups[name] = Group(name, board if board is not None else Blackboard(name, self.store))
        return self.groups[name]

    def refuse_if_closing(self) -> None:
        """For whoever brings new work. What a supervisor restarts until its turn to stop comes is no new work.

        Raises: OrchestratorClosed.
        """
        if self.closing:
            raise OrchestratorClosed("the orchestrator is stopping; nothing can be started in it any more")

    def refuse_if_full(self) -> None:
        """Raises: TooManyProcesses."""
        if self.registry.count >= self.max_processes:
            raise TooManyProcesses(
                f"{self.registry.count} processes are alive, as many as max_processes allows;"
                " stop some, or open the orchestrator with a higher max_processes"
            )

    def fresh_id(self) -> str:
        """Drawn again while a process that is known has it."""
        while True:
            drawn = self.new_id()
            if not self.registry.knows(drawn) and self.recovered.get(drawn) is None:
                return drawn

    def fail(self, error: BaseException) -> None:
        """Ends the orchestrator's block, which raises `error`, bare; the first one wins.

        Once the block has been left, a supervisor's failure is one among the ends of all: it is an event only.
        """
        if self.closing and isinstance(error, SupervisorGaveUp | Escalated):
            return
        if self.fatal is None:
            self.fatal = _bare(error)
            self.block.cancel()


def _bare(error: BaseException) -> BaseException:
    """Ctrl-C and the like out of the groups that nurseries wrapped around them."""
    if isinstance(error, BaseExceptionGroup):
        rest = error.split(Exception)[1]
        while isinstance(rest, BaseExceptionGroup):
            rest = rest.exceptions[0]
        return rest or error
    return error

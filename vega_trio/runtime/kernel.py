"""What all processes of one orchestrator share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
import trio

from vega_trio._core.links import Links
from vega_trio.agent import Agent
from vega_trio.errors import OrchestratorClosed, TooManyProcesses
from vega_trio.protocols import Store
from vega_trio.runtime.bus import Bus
from vega_trio.runtime.group import Group
from vega_trio.runtime.health import HealthConfig
from vega_trio.runtime.recovered import Recovered
from vega_trio.runtime.registry import Registry
from vega_trio.runtime.timers import Timers

if TYPE_CHECKING:
    from vega_trio.runtime.cohort import Cohort, CohortKey
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.process import AgentBody
    from vega_trio.runtime.spawning import Spawning


@attrs.define(eq=False, kw_only=True)
class Kernel:
    """Given by `open_kernel`. `nursery` holds the spawned processes' tasks, `block` the orchestrator's block."""

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
    block: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    timers: Timers = attrs.field(factory=Timers)
    registry: Registry = attrs.field(factory=Registry)
    links: Links[Incarnation] = attrs.field(factory=Links)
    groups: dict[str, Group] = attrs.field(factory=dict)
    cohorts: dict[CohortKey, Cohort] = attrs.field(factory=dict)
    recovered: Recovered = attrs.field(factory=Recovered)
    closing: bool = False
    fatal: BaseException | None = None

    def admit(self, *, counted: bool) -> None:
        """Whether another process may be started; supervisors are not counted.

        Raises: OrchestratorClosed, TooManyProcesses.
        """
        if self.closing:
            raise OrchestratorClosed("the orchestrator is stopping; nothing can be started in it any more")
        if counted and self.registry.count >= self.max_processes:
            raise TooManyProcesses(
                f"{self.registry.count} processes are alive, as many as max_processes allows;"
                " stop some, or open the orchestrator with a higher max_processes"
            )

    def fail(self, error: BaseException) -> None:
        """Ends the orchestrator's block, which raises `error`, bare; the first one wins."""
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

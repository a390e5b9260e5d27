"""One run of a workflow, as its process writes it and as those who wait for it see it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs
import trio

from vega_trio._core.wire import rfc3339
from vega_trio.app.statuses import RunStatus
from vega_trio.app.steps import Steps
from vega_trio.errors import RunCancelled, RunFailed
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process
from vega_trio.session import DEFAULT_USER


@attrs.define(kw_only=True, eq=False)
class Run:
    """One run of a workflow. `error_class` is a failure class of the language, or `timeout`.

    Times are Unix seconds; its events come behind number `after_event`. Written by the run's own process; `wait()` may
    be called by anybody.
    """

    id: str
    workflow: str
    inputs: Mapping[str, Any]
    started_at: float
    process_id: str
    timeout_s: float
    user: str = DEFAULT_USER
    def_hash: str = ""
    status: RunStatus = "running"
    result: Any = None
    error: str = ""
    error_class: str = ""
    completed_at: float | None = None
    cost_microusd: int = 0
    steps: Steps = attrs.field(repr=False)
    after_event: int = attrs.field(default=0, repr=False)
    _orch: Orchestrator = attrs.field(repr=False)
    cause: BaseException | None = attrs.field(default=None, init=False, repr=False)
    process: Process | None = attrs.field(default=None, init=False, repr=False)
    ended: trio.Event = attrs.field(factory=trio.Event, init=False, repr=False)

    @property
    def cost_usd(self) -> float:
        return self.cost_microusd / 1_000_000

    async def wait(self) -> Any:
        """The result. Raises: RunFailed, RunCancelled."""
        await self.ended.wait()
        if self.status == "failed":
            raise RunFailed(self.error, self.error_class, self.id) from self.cause
        if self.status in ("cancelled", "interrupted"):
            raise RunCancelled(self.id)
        return self.result

    async def cancel(self) -> None:
        """Ends the run and the agents it asks; nothing happens when it has ended."""
        if self.process is not None and self.process.alive:
            await self._orch.stop(self.process.id)

    def begin_cancel(self) -> bool:
        """As `cancel`, without waiting for the end. False when the run has ended."""
        if self.process is None or not self.process.alive:
            return False
        self.process.exit()
        return True

    def spend(self, microusd: int) -> None:
        self.cost_microusd += microusd

    def row(self) -> dict[str, Any]:
        """As stored in `wf_run`."""
        return {
            "run_id": self.id,
            "workflow": self.workflow,
            "inputs": dict(self.inputs),
            "process_id": self.process_id,
            "user": self.user,
            "def_hash": self.def_hash,
            "timeout_s": self.timeout_s if math.isfinite(self.timeout_s) else None,
            "status": self.status,
            "result": self.result,
            "error": self.error,
            "error_class": self.error_class,
            "started_at": rfc3339(self.started_at),
            "completed_at": rfc3339(self.completed_at) if self.completed_at is not None else None,
            "cost_usd": self.cost_usd,
            "after_event": self.after_event,
        }

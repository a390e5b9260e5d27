"""Workflow runs: each is a process, and the agents it asks are its children."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

import attrs
import trio

from vega_trio._core.wire import rfc3339
from vega_trio.agent import Agent
from vega_trio.app.agents import Agents
from vega_trio.app.outfit import new_id
from vega_trio.changes import Put
from vega_trio.dsl.document import Document
from vega_trio.dsl.inputs import bind
from vega_trio.dsl.interpret import StepFailed, interpret
from vega_trio.dsl.workflow import WorkflowDefinition
from vega_trio.engine.workflow import Drive, drive
from vega_trio.errors import RunCancelled, RunFailed, UnknownWorkflow, did_you_mean
from vega_trio.events import Event, WorkflowCancelled, WorkflowCompleted, WorkflowFailed, WorkflowStarted
from vega_trio.protocols import Store
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process

RunStatus = Literal["running", "completed", "failed", "cancelled"]


@attrs.define(kw_only=True, eq=False)
class Run:
    """One run of a workflow. `error_class` is a failure class of the language, or `timeout`.

    Times are Unix seconds. Written by the run's own process; `wait()` may be called by anybody.
    """

    id: str
    workflow: str
    inputs: Mapping[str, Any]
    started_at: float
    status: RunStatus = "running"
    result: Any = None
    error: str = ""
    error_class: str = ""
    completed_at: float | None = None
    cost_microusd: int = 0
    _orch: Orchestrator = attrs.field(repr=False)
    _ended: trio.Event = attrs.field(factory=trio.Event, init=False, repr=False)
    _process: Process | None = attrs.field(default=None, init=False, repr=False)

    @property
    def cost_usd(self) -> float:
        return self.cost_microusd / 1_000_000

    @property
    def process_id(self) -> str | None:
        return self._process.id if self._process is not None else None

    async def wait(self) -> Any:
        """The result. Raises: RunFailed, RunCancelled."""
        await self._ended.wait()
        if self.status == "failed":
            raise RunFailed(self.error, self.error_class, self.id)
        if self.status == "cancelled":
            raise RunCancelled(self.id)
        return self.result

    async def cancel(self) -> None:
        """Ends the run and the agents it asks; nothing happens when it has ended."""
        if self._process is not None and self._process.alive:
            await self._orch.stop(self._process.id)

    def row(self) -> dict[str, Any]:
        """As stored in `wf_run`."""
        return {
            "run_id": self.id,
            "workflow": self.workflow,
            "inputs": dict(self.inputs),
            "status": self.status,
            "result": self.result,
            "error": self.error,
            "error_class": self.error_class,
            "started_at": rfc3339(self.started_at),
            "completed_at": rfc3339(self.completed_at) if self.completed_at is not None else None,
            "cost_usd": self.cost_usd,
        }


@attrs.define
class Runs:
    """The workflows of a document and the runs of this program."""

    document: Document
    agents: Agents
    orch: Orchestrator
    store: Store
    env: Mapping[str, str]
    by_id: dict[str, Run] = attrs.field(factory=dict)

    def workflows(self) -> list[WorkflowDefinition]:
        return list(self.document.workflows.values())

    def workflow(self, name: str) -> WorkflowDefinition:
        """Raises: UnknownWorkflow."""
        found = self.document.workflows.get(name)
        if found is None:
            raise UnknownWorkflow(f"workflow {name!r} is not defined{did_you_mean(name, self.document.workflows)}")
        return found

    async def start(
        self, name: str, inputs: Mapping[str, object], *, primary_text: str | None, timeout: float | None
    ) -> Run:
        """Raises: UnknownWorkflow, InputError."""
        definition = self.workflow(name)
        bound = bind(definition, inputs, primary_text=primary_text)
        run = Run(id=new_id(), workflow=name, inputs=bound, started_at=time.time(), orch=self.orch)
        self.by_id[run.id] = run
        timeout_s = definition.timeout_s if timeout is None else timeout

        async def body(process: Process) -> object:
            return await self._run(run, process, timeout_s)

        run._process = await self.orch.spawn(body, task=f"workflow {name}", spawn_reason=f"run {run.id}")
        return run

    async def _run(self, run: Run, process: Process, timeout_s: float) -> object:
        """The run's body: the outcome is recorded whatever way it ends, a kill included."""
        outcome: Event = WorkflowCancelled(run_id=run.id, workflow=run.workflow)
        run.status = "cancelled"
        try:
            await process.emit(
                WorkflowStarted(run_id=run.id, workflow=run.workflow), Put("wf_run", run.id, self._running(run))
            ).wait()
            with trio.move_on_after(timeout_s) as deadline:
                run.result = await drive(
                    interpret(self.document, run.workflow, run.inputs), self._driver(run, process)
                )
                run.status = "completed"
                outcome = WorkflowCompleted(run_id=run.id, workflow=run.workflow)
            if deadline.cancelled_caught:
                message = f"workflow {run.workflow!r} did not finish within {timeout_s:g} s; raise it with --timeout"
                outcome = self._failed(run, message, "timeout")
        except StepFailed as failure:
            outcome = self._failed(run, str(failure), failure.error_class)
        finally:
            self._end(run, process, outcome)
        return run.result

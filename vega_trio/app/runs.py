"""Workflow runs: each is a process, and the agents it asks are its children."""

from __future__ import annotations

import math
import random
import time
import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from vega_trio._core.wire import rfc3339
from vega_trio.app.admission import refuse_overload
from vega_trio.app.agents import Agents
from vega_trio.app.ids import new_id
from vega_trio.app.memory import Place, RunMemory
from vega_trio.app.run import Run
from vega_trio.app.steps import Steps
from vega_trio.changes import Put, SaveProcess
from vega_trio.dsl.document import Document
from vega_trio.dsl.effects import StepFailed
from vega_trio.dsl.fingerprint import workflow_fingerprint
from vega_trio.dsl.inputs import bind
from vega_trio.dsl.interpret import interpret
from vega_trio.dsl.workflow import WorkflowDefinition
from vega_trio.engine.drive import Drive, run_of, run_reason
from vega_trio.engine.replay import Record
from vega_trio.engine.workflow import drive
from vega_trio.errors import UnknownWorkflow, did_you_mean
from vega_trio.events import Event, WorkflowCancelled, WorkflowCompleted, WorkflowFailed, WorkflowStarted
from vega_trio.exits import Crashed, ExitReason, Normal
from vega_trio.protocols import Store, Telemetry
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process
from vega_trio.session import DEFAULT_USER

RECORDED_WITHIN_S = 30.0  # for the commit that makes a run known; a disk that takes longer is broken


@attrs.define
class Runs:
    """The workflows of a document and their runs. `by_id` has those under way; the store has them all."""

    document: Document
    agents: Agents
    orch: Orchestrator
    store: Store
    env: Mapping[str, str]
    memory: Place
    telemetry: Telemetry
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
        self,
        name: str,
        inputs: Mapping[str, object],
        *,
        primary_text: str | None,
        timeout: float | None,
        user: str = DEFAULT_USER,
    ) -> Run:
        """Returns when the run is recorded.

        Raises: UnknownWorkflow, InputError, StoreOverloaded, TooManyProcesses, OrchestratorClosed; FailedToStart when
            the store fails.
        """
        refuse_overload(self.store)
        definition = self.workflow(name)
        bound = bind(definition, inputs, primary_text=primary_text)
        run = self._run(
            new_id(), name, bound, time.time(), new_id(), definition.timeout_s if timeout is None else timeout
        )
        run.user = user
        run.def_hash = workflow_fingerprint(self.document, name)
        run.after_event = await self.store.last_event_id()
        await self._spawn(run, Record(run.id, self.store))
        return run

    async def resume(self) -> None:
        """Takes up the runs that a killed program left behind; what cannot go on is recorded as interrupted."""
        for row in await self.store.records.query("wf_run", status="running"):
            if row["run_id"] not in self.by_id:
                await self._resume(row)
        for left in self.orch.recovered.all():
            run_id = run_of(left.row.spawn_reason)
            if run_id is not None and run_id not in self.by_id:
                await self.orch.give_up(left.row.id, "its workflow run cannot go on")

    async def resume_one(self, run_id: str) -> Run | None:
        """As `resume`, of one run alone. None when it is not running, or cannot go on."""
        row = await self.store.records.get("wf_run", run_id)
        if row is not None and row["status"] == "running" and run_id not in self.by_id:
            await self._resume(row)
        return self.by_id.get(run_id)

    async def _resume(self, row: Mapping[str, Any]) -> None:
        obstacle = self._obstacle(row)
        if not obstacle:
            await self._take_up(row)
        else:
            ended = {**row, "status": "interrupted", "error": obstacle, "completed_at": rfc3339(time.time())}
            await self.store.submit(Put("wf_run", row["run_id"], ended)).wait()

    def _obstacle(self, row: Mapping[str, Any]) -> str:
        """Why a run cannot go on: its steps are no longer those that its record speaks of. Empty: it can."""
        name = row["workflow"]
        if name not in self.document.workflows or not row.get("process_id"):
            return f"workflow {name!r} is not defined any more"
        if row.get("def_hash") not in (None, "", workflow_fingerprint(self.document, name)):
            return f"workflow {name!r} was changed after the run had begun; run it again"
        return ""

    async def _take_up(self, row: Mapping[str, Any]) -> None:
        records, run_id = self.store.records, row["run_id"]
        steps = await records.query("wf_step", run=run_id)
        record = Record(run_id, self.store)
        record.load(await records.query("wf_step", run=record.place), steps)
        started_at = datetime.fromisoformat(row["started_at"]).timestamp()
        timeout_s = math.inf if row["timeout_s"] is None else row["timeout_s"]
        run = self._run(run_id, row["workflow"], row["inputs"], started_at, row["process_id"], timeout_s)
        run.after_event = row.get("after_event", 0)
        run.user = row.get("user", DEFAULT_USER)
        run.def_hash = row.get("def_hash", "")
        run.steps.load(steps)
        await self._spawn(run, record)

    def _run(
        self, id_: str, name: str, inputs: Mapping[str, Any], started_at: float, process_id: str, timeout_s: float
    ) -> Run:
        return Run(
            id=id_,
            workflow=name,
            inputs=inputs,
            started_at=started_at,
            process_id=process_id,
            timeout_s=timeout_s,
            steps=Steps(id_, time.time),
            orch=self.orch,
        )

    async def _spawn(self, run: Run, record: Record) -> None:
        async def body(process: Process) -> object:
            with self.telemetry.workflow(run.workflow, run.id, process.id):
                return await self._body(run, process, record)

        run.process = await self.orch.spawn(
            body,
            task=f"workflow {run.workflow}",
            spawn_reason=run_reason(run.id),
            start_timeout=RECORDED_WITHIN_S,
            id=run.process_id,
        )
        self.by_id[run.id] = run
        run.process.on_end(partial(self._ended, run))

    async def _body(self, run: Run, process: Process, record: Record) -> object:
        driver = Drive(
            run_id=run.id,
            process=process,
            agents=lambda name: self.agents.get(name).agent,
            env=self.env,
            wall_clock=time.time,
            new_uuid=lambda: str(uuid.uuid4()),
            rand=random.random,
            spent=run.spend,
            noted=run.steps.noted,
            leaving=lambda: self.orch.closing,
            record=record,
            store=self.store,
            memory=RunMemory(self.memory, self.document.name or Path(self.document.file).name, run.user),
        )
        if not record.resumed:
            started = WorkflowStarted(run_id=run.id, workflow=run.workflow)
            commit = process.emit(started, Put("wf_run", run.id, run.row()))
            assert commit is not None
            await commit.wait()
        process.ready()
        left_s = run.timeout_s - max(0.0, time.time() - run.started_at) if record.resumed else run.timeout_s
        with trio.move_on_after(max(0.0, left_s)):
            result = await drive(interpret(self.document, run.workflow, run.inputs), driver)
            return result.value
        limit = f"its timeout of {run.timeout_s:g} s"
        raise StepFailed(f"workflow {run.workflow!r} did not finish within {limit}", "timeout")

    def _ended(self, run: Run, reason: ExitReason) -> None:
        """The run ends as its process did; both are recorded with the event that says so before anyone hears of it."""
        if self.orch.closing and not isinstance(reason, Normal):
            run.ended.set()  # for who waits in this program; the record says running, and the next one goes on
            run.status = "interrupted"
            return
        run.completed_at = time.time()
        steps = run.steps.cancel()
        outcome: Event
        match reason:
            case Normal(result=result):
                run.status, run.result = "completed", result
                outcome = WorkflowCompleted(run_id=run.id, workflow=run.workflow)
            case Crashed(error=error):
                run.status, run.cause = "failed", error.__cause__ or error
                run.error = str(error) or type(error).__name__
                run.error_class = error.error_class if isinstance(error, StepFailed) else "agent_crashed"
                outcome = WorkflowFailed(run_id=run.id, workflow=run.workflow, error=run.error)
            case _:
                run.status = "cancelled"
                outcome = WorkflowCancelled(run_id=run.id, workflow=run.workflow)
        assert run.process is not None
        commit = run.process.emit(outcome, Put("wf_run", run.id, run.row()), SaveProcess(run.process.row()), *steps)
        assert commit is not None
        commit.on_done(lambda _: self._recorded(run))
        for left in self.orch.recovered.all():
            if run_of(left.row.spawn_reason) == run.id:
                self.orch.drop(left.row.id, "its workflow run has ended without it")

    def _recorded(self, run: Run) -> None:
        del self.by_id[run.id]
        run.ended.set()

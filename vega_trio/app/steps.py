"""What the steps of a run have done, folded from the interpreter's notes and kept in the table `wf_step`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, assert_never

import attrs

from vega_trio._core.wire import rfc3339
from vega_trio.changes import Change, Put
from vega_trio.dsl.effects import Note


@attrs.define(kw_only=True)
class StepRecord:
    """A step of a run. `status`: running, completed, failed, skipped, or cancelled with its run. Unix seconds."""

    path: str
    kind: str
    agent: str = ""
    title: str = ""
    status: str = "running"
    attempts: int = 1
    started_at: float | None = None
    duration_ms: int | None = None
    cost_usd: float | None = None
    error: str = ""

    def row(self) -> dict[str, Any]:
        started = rfc3339(self.started_at) if self.started_at is not None else None
        return {**attrs.asdict(self), "started_at": started}


@attrs.define(eq=False)
class Steps:
    """The steps of one run, in the order in which they began."""

    run_id: str
    _wall_clock: Callable[[], float]
    _by_path: dict[str, StepRecord] = attrs.field(factory=dict, init=False)

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Takes up the steps of a run that a killed program left behind."""
        for row in rows:
            fields = {key: value for key, value in row.items() if key != "run"}
            if fields["started_at"] is not None:
                fields["started_at"] = datetime.fromisoformat(fields["started_at"]).timestamp()
            self._by_path[row["path"]] = StepRecord(**fields)

    def noted(self, note: Note) -> tuple[Change, ...]:
        """Takes a note in; what it gives is to be written with the event that tells of it."""
        match note.what:
            case "started":
                return self._save(StepRecord(
                    path=note.path, kind=note.kind, agent=note.agent, title=note.title, started_at=self._wall_clock()
                ))  # fmt: skip
            case "skipped":
                title, agent = note.title, note.agent
                return self._save(
                    StepRecord(path=note.path, kind=note.kind, agent=agent, title=title, status="skipped", attempts=0)
                )
            case "finished":
                step = self._by_path.get(note.path) or StepRecord(path=note.path, kind=note.kind, agent=note.agent)
                step.status, step.error = note.status or "completed", note.error
                step.duration_ms, step.cost_usd = note.duration_ms, note.cost_usd
                return self._save(step)
            case "pass":
                return ()  # the steps of the pass speak for it
            case _:
                assert_never(note.what)

    def cancel(self) -> tuple[Change, ...]:
        """The run has ended; what was still running has ended with it."""
        running = [step for step in self._by_path.values() if step.status == "running"]
        for step in running:
            step.status = "cancelled"
        return tuple(change for step in running for change in self._save(step))

    def rows(self) -> list[dict[str, Any]]:
        return [step.row() for step in self._by_path.values()]

    def _save(self, step: StepRecord) -> tuple[Change, ...]:
        self._by_path[step.path] = step
        return (Put("wf_step", f"{self.run_id}:{step.path}", {"run": self.run_id, **step.row()}),)

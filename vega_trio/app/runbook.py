"""All runs that are on record, those under way and those that have ended."""

from __future__ import annotations

from typing import Any

import attrs

from vega_trio.app.runs import Runs
from vega_trio.errors import UnknownRun


@attrs.frozen
class Runbook:
    """Reads of runs. A run that is on record as running and is not has been interrupted: its program ended first."""

    runs: Runs

    async def page(
        self, limit: int, *, before: str | None, workflow: str | None, status: str | None, user: str | None
    ) -> list[dict[str, Any]]:
        """The rows of runs, without steps, the newest first, from the one behind the run `before` on."""
        recorded = "running" if status == "interrupted" else status
        asked = {"workflow": workflow, "status": recorded, "user": user}
        wanted = {name: value for name, value in asked.items() if value is not None}
        found: list[dict[str, Any]] = []
        while len(found) < limit:
            rows = await self.runs.store.records.newest("wf_run", limit=limit, before=before, **wanted)
            found += [row for row in map(self._true, rows) if status in (None, row["status"])]
            if len(rows) < limit:
                break
            before = rows[-1]["run_id"]
        return found[:limit]

    async def get(self, run_id: str) -> dict[str, Any]:
        """The row of a run with its steps. Raises: UnknownRun."""
        row = await self.runs.store.records.get("wf_run", run_id)
        if row is None:
            raise UnknownRun(f"there is no run {run_id[:100]!r}")
        return await self.with_steps(self._true(row))

    async def with_steps(self, row: dict[str, Any]) -> dict[str, Any]:
        living = self.runs.by_id.get(row["run_id"])
        if living is not None:
            return {**living.row(), "steps": living.steps.rows()}
        steps = await self.runs.store.records.query("wf_step", run=row["run_id"])
        if row["status"] == "interrupted":
            steps = [{**step, "status": "interrupted"} if step["status"] == "running" else step for step in steps]
        return {**row, "steps": steps}

    async def cancel(self, run_id: str) -> bool:
        """Begins to end a run; False when it has ended already. Raises: UnknownRun."""
        living = self.runs.by_id.get(run_id)
        if living is not None:
            return living.begin_cancel()
        await self.get(run_id)
        return False

    def _true(self, row: dict[str, Any]) -> dict[str, Any]:
        living = self.runs.by_id.get(row["run_id"])
        if living is not None:
            return living.row()
        return {**row, "status": "interrupted"} if row["status"] == "running" else row

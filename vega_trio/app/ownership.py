"""Whose a process is: its session's user's, its run's, else that of the process that spawned it; else nobody's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

import attrs

from vega_trio.app.runs import Runs
from vega_trio.app.sessions import Sessions
from vega_trio.changes import ProcessRow
from vega_trio.engine.drive import run_of
from vega_trio.errors import UnknownProcess
from vega_trio.protocols import Store
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.session import DEFAULT_USER


@attrs.frozen
class Owners:
    """A snapshot. Nobody's processes, such as those of a program's own functions, are the operator's."""

    sessions: Mapping[str, str]
    runs: Mapping[str, str]
    parents: Mapping[str, str | None]
    reasons: Mapping[str, str]

    def of(self, process_id: str) -> str:
        """The user of a process."""
        seen: set[str] = set()
        each: str | None = process_id
        while each is not None and each not in seen:
            seen.add(each)
            user = self.sessions.get(each) or self.runs.get(run_of(self.reasons.get(each)) or "")
            if user is not None:
                return user
            each = self.parents.get(each)
        return DEFAULT_USER


async def owner_of(store: Store, row_of: Callable[[str], Awaitable[ProcessRow]], process_id: str) -> str:
    """The user of one process, found by going up from it. Raises: StoreError."""
    seen: set[str] = set()
    each: str | None = process_id
    while each is not None and each not in seen:
        seen.add(each)
        session = await store.records.get("session", each)
        if session is not None:
            return str(session["user"])
        try:
            row = await row_of(each)
        except UnknownProcess:
            break
        run_id = run_of(row.spawn_reason)
        if run_id is not None:
            run = await store.records.get("wf_run", run_id)
            if run is not None:
                return str(run.get("user", DEFAULT_USER))
        each = row.parent_id
    return DEFAULT_USER


async def owners_of(store: Store, rows: Iterable[ProcessRow]) -> Owners:
    """Whose the processes of these rows are. Raises: StoreError."""
    known = list(rows)
    sessions = {row["id"]: row["user"] for row in await store.records.query("session")}
    runs = {row["run_id"]: row.get("user", DEFAULT_USER) for row in await store.records.query("wf_run")}
    return Owners(sessions, runs, {row.id: row.parent_id for row in known}, {row.id: row.spawn_reason for row in known})


@attrs.define(eq=False)
class Hearing:
    """Which events are a user's to hear: his own, and those that are of no process and no run.

    `_past` is whose things were when he began to listen; what came since is asked of the living.
    """

    _user: str
    _past: Owners
    _sessions: Sessions
    _runs: Runs
    _orch: Orchestrator
    _of_run: dict[str, str] = attrs.field(factory=dict, init=False)

    def hears(self, process_id: str | None, session_id: str | None, run_id: str | None) -> bool:
        if run_id is not None:
            return self._run_user(run_id) == self._user
        if session_id is None and process_id is None:
            return True
        return self._user_of(session_id or "", process_id) == self._user

    def _run_user(self, run_id: str) -> str | None:
        living = self._runs.by_id.get(run_id)
        if living is not None:
            self._of_run[run_id] = living.user  # its last event comes when it lives no more
        return self._of_run.get(run_id) or self._past.runs.get(run_id)

    def _user_of(self, session_id: str, process_id: str | None) -> str:
        known = self._sessions.users.get(session_id) or self._past.sessions.get(session_id)
        if known is not None or process_id is None:
            return known or DEFAULT_USER
        each: str | None = process_id
        while each is not None:
            user = self._sessions.users.get(each)
            if user is not None:
                return user
            try:
                process = self._orch.get(each)
            except UnknownProcess:
                return self._past.of(each)
            run_id = run_of(process.spawn_reason)
            if run_id is not None:
                return self._run_user(run_id) or DEFAULT_USER
            each = process.parent_id
        return DEFAULT_USER

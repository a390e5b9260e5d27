"""The one connection that writes. It takes what is waiting, at most 512 changes, and commits it with one sync.

A batch is first written as a whole, all its events by a few statements. Only if a change in it is refused is the
transaction rolled back and the batch written again, each change in a savepoint of its own, so that the refusal
harms no other. If the transaction itself fails (disk full, I/O), the whole batch has failed and the next one tries
again; after a failed sync or in a damaged file nothing is tried any more (`faults.is_final`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

import attrs
import outcome

from vega_trio.errors import StoreError
from vega_trio.store.commit import Fate, StoreCommit
from vega_trio.store.faults import REFUSED, explain, is_final
from vega_trio.store.migrations import no_failpoint
from vega_trio.store.statements import INSERT_EVENTS, MUST_CHANGE, Plan, Values
from vega_trio.store.worker import Tell

if TYPE_CHECKING:
    from sqlite_utils import Database

MAX_BATCH: Final = 512


@attrs.frozen(eq=False)
class Job:
    """A submitted change. One that could not even be planned only waits for its turn to be told of it."""

    commit: StoreCommit
    plan: Plan | StoreError


def write_jobs(
    path: str, failpoint: Callable[[str], None], db: Database, queue: SimpleQueue[Job | None], tell: Tell
) -> None:
    """Commits jobs in order until the queue gives None, and has each settled in the Trio thread."""
    writer = Writer(path, db, _last_event_id(db), failpoint)
    more = True
    while more:
        jobs, more = _take(queue)
        fates = writer.write(jobs)
        failpoint("after_commit")
        tell(partial(_settle, jobs, fates))


@attrs.define(eq=False)
class Writer:
    """Owned by the writing thread. `last_event_id` is that of the newest committed event."""

    _path: str
    _db: Database = attrs.field(repr=False)
    _last_event_id: int
    _failpoint: Callable[[str], None] = attrs.field(default=no_failpoint, repr=False)
    _broken: StoreError | None = None

    def write(self, jobs: Sequence[Job]) -> list[Fate]:
        """Commits the jobs; gives the fate of each."""
        if self._broken is not None:
            return [self._broken] * len(jobs)
        # Whatever happens here is told to those who wait; a thread that died with it would leave them waiting.
        match outcome.capture(self._write, jobs):
            case outcome.Value(fates):
                self._last_event_id += sum(len(fate) for fate in fates if isinstance(fate, range))
                return fates
            case outcome.Error(error):
                failure = explain(error, self._path)
                if is_final(error):
                    self._broken = failure
                return [job.plan if isinstance(job.plan, StoreError) else failure for job in jobs]

    def _write(self, jobs: Sequence[Job]) -> list[Fate]:
        try:
            with self._db.atomic():
                fates = self._all_at_once(jobs)
                self._failpoint("in_commit")
                return fates
        except REFUSED:
            with self._db.atomic():
                return self._one_by_one(jobs)

    def _all_at_once(self, jobs: Sequence[Job]) -> list[Fate]:
        fates: list[Fate] = []
        events: list[Values] = []
        first = self._last_event_id + 1
        for job in jobs:
            if isinstance(job.plan, StoreError):
                fates.append(job.plan)
                continue
            if job.plan.statements:
                self._execute(job.plan)
            start = first + len(events)
            events += job.plan.events
            fates.append(range(start, first + len(events)))
        self._insert(first, events)
        return fates

    def _one_by_one(self, jobs: Sequence[Job]) -> list[Fate]:
        fates: list[Fate] = []
        first = self._last_event_id + 1
        for job in jobs:
            fate = job.plan if isinstance(job.plan, StoreError) else self._alone(job.plan, first)
            if isinstance(fate, range):
                first = fate.stop
            fates.append(fate)
        return fates

    def _alone(self, plan: Plan, first: int) -> Fate:
        try:
            with self._db.atomic():
                self._execute(plan)
                self._insert(first, plan.events)
        except REFUSED as error:
            return explain(error, self._path)
        return range(first, first + len(plan.events))

    def _execute(self, plan: Plan) -> None:
        for statement, values in plan.statements:
            done = self._db.conn.execute(statement, values)
            if statement in MUST_CHANGE and done.rowcount != 1:
                raise StoreError(f"a change was refused: {MUST_CHANGE[statement]}; nothing of it was kept")

    def _insert(self, first: int, events: Sequence[Values]) -> None:
        done = 0
        for count, statement in INSERT_EVENTS:
            while len(events) - done >= count:
                chunk = events[done : done + count]
                values = [value for id_, event in enumerate(chunk, first + done) for value in (id_, *event)]
                self._db.conn.execute(statement, values)
                done += count


def _take(queue: SimpleQueue[Job | None]) -> tuple[list[Job], bool]:
    """Waits for a job; what else is there comes along. The flag is false once the queue has given None."""
    jobs: list[Job] = []
    job = queue.get()
    while job is not None:
        jobs.append(job)
        if len(jobs) == MAX_BATCH:
            return jobs, True
        try:
            job = queue.get_nowait()
        except Empty:
            return jobs, True
    return jobs, False


def _settle(jobs: Sequence[Job], fates: Sequence[Fate]) -> None:
    for job, fate in zip(jobs, fates, strict=True):
        job.commit.settle(fate)


def _last_event_id(db: Database) -> int:
    """From the counter of AUTOINCREMENT, which also remembers ids whose events are gone."""
    row = db.conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
    return 0 if row is None else int(row[0])

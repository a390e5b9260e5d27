"""The one connection that writes. It takes what is waiting, at most 512 changes, and commits it with one sync.

A batch is first written as a whole, all its events by a few statements. Only if a change in it is refused is the
transaction rolled back and the batch written again, each change in a savepoint of its own, so that the refusal
harms no other.

    the disk is full, or fails   changes that want an answer are refused, all others are held in their order and tried
                                 again every half second; what waits for them waits on, and nothing is lost
    a sync failed, damage        nothing is tried any more (`faults.is_final`)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

import attrs
import outcome

from vega_trio.errors import StoreBroken, StoreError, StoreReadOnly
from vega_trio.store.commit import Fate, StoreCommit
from vega_trio.store.faults import REFUSED, explain, trouble
from vega_trio.store.migrations import no_failpoint
from vega_trio.store.statements import INSERT_EVENTS, MUST_CHANGE, Plan, Values
from vega_trio.store.worker import Tell

if TYPE_CHECKING:
    from sqlite_utils import Database

MAX_BATCH: Final = 512
RETRY_S: Final = 0.5
PRUNE_EVERY_S: Final = 60.0
PRUNED_AT_ONCE: Final = 1000
_PROBE: Final = "x" * 65536
"""Written when nothing is held: the disk has room again when it takes a good deal more than one change."""

Problem = StoreReadOnly | StoreBroken | None


@attrs.frozen(eq=False)
class Job:
    """A submitted change. One that could not even be planned only waits for its turn to be told of it."""

    commit: StoreCommit
    plan: Plan | StoreError

    @property
    def prompt(self) -> bool:
        return isinstance(self.plan, StoreError) or self.plan.prompt


Settled = tuple[Job, Fate]


@attrs.define(eq=False)
class Condition:
    """The Trio side: how many changes wait for the disk, why nothing can be written, and who wants to know."""

    pending: int = 0
    problem: StoreError | None = None
    _callbacks: list[Callable[[StoreError | None], None]] = attrs.field(factory=list)

    def on_change(self, callback: Callable[[StoreError | None], None]) -> None:
        self._callbacks.append(callback)

    def become(self, problem: StoreError | None) -> None:
        """Calls back when there is a problem where there was none, or the other way round."""
        changed = type(problem) is not type(self.problem)
        self.problem = problem
        for callback in self._callbacks if changed else ():
            callback(problem)


def write_jobs(
    path: str,
    failpoint: Callable[[str], None],
    condition: Condition,
    keep_events_s: float,
    db: Database,
    queue: SimpleQueue[Job | None],
    tell: Tell,
) -> None:
    """Commits jobs in order until the queue gives None, and has each settled in the Trio thread."""
    writer, told = Writer(path, db, _last_event_id(db), failpoint), None
    more = True
    while more:
        jobs, more = _take(queue, RETRY_S if isinstance(writer.problem, StoreReadOnly) else None)
        settled = writer.take(jobs, time.monotonic())
        failpoint("after_commit")
        if settled or writer.problem is not told:
            tell(partial(_settle, settled, condition, told := writer.problem))
        writer.prune(time.time() - keep_events_s, time.monotonic())
    tell(partial(_settle, writer.give_up(), condition, writer.problem))


@attrs.define(eq=False)
class Writer:
    """Owned by the writing thread. `_last_event_id` is that of the newest committed event."""

    _path: str
    _db: Database = attrs.field(repr=False)
    _last_event_id: int
    _failpoint: Callable[[str], None] = attrs.field(default=no_failpoint, repr=False)
    problem: Problem = attrs.field(default=None, init=False)
    _held: list[Job] = attrs.field(factory=list, init=False)
    _retry_at: float = attrs.field(default=0.0, init=False)
    _prune_at: float = attrs.field(default=0.0, init=False)

    def take(self, jobs: Sequence[Job], now: float) -> list[Settled]:
        """Commits what is held and these, in their order, as far as the disk goes; gives those whose fate is known."""
        settled: list[Settled] = []
        due = [*self._held, *self._admitted(jobs, settled)]
        if isinstance(self.problem, StoreReadOnly) and now < self._retry_at:
            self._held = due
            return settled
        self._held = []
        if isinstance(self.problem, StoreReadOnly) and not due:
            self._note(outcome.capture(self._probe), now)
        while due:
            batch, due = due[:MAX_BATCH], due[MAX_BATCH:]
            settled += self._commit(batch, now)
            if self._held:
                self._held += self._admitted(due, settled)
                break
        return settled

    def prune(self, before: float, now: float) -> None:
        """Drops events from before that time, the oldest first; once a minute, and a few at a time."""
        if now < self._prune_at or self.problem is not None:
            return
        done = outcome.capture(self._prune, before)
        self._note(done, now)
        full = isinstance(done, outcome.Value) and done.value == PRUNED_AT_ONCE
        self._prune_at = now + (0.0 if full else PRUNE_EVERY_S)

    def _prune(self, before: float) -> int:
        last_of_oldest = "SELECT max(id) FROM (SELECT id, at FROM event ORDER BY id LIMIT ?) WHERE at < ?"
        (last,) = self._db.conn.execute(last_of_oldest, (PRUNED_AT_ONCE, before)).fetchone()
        if last is None:
            return 0
        with self._db.atomic():
            return self._db.conn.execute("DELETE FROM event WHERE id <= ?", (last,)).rowcount

    def give_up(self) -> list[Settled]:
        """Whom no retry will help any more: the store is closed."""
        held, self._held = self._held, []
        failure = self.problem or StoreError(f"the database {self._path} was closed before it could be written")
        return [(job, failure) for job in held]

    def _admitted(self, jobs: Sequence[Job], settled: list[Settled]) -> list[Job]:
        """The jobs that may be tried or wait; the others are settled."""
        if self.problem is None:
            return list(jobs)
        broken = isinstance(self.problem, StoreBroken)
        refused = [job for job in jobs if broken or job.prompt]
        settled += [(job, job.plan if isinstance(job.plan, StoreError) else self.problem) for job in refused]
        return [job for job in jobs if not (broken or job.prompt)]

    def _commit(self, jobs: list[Job], now: float) -> list[Settled]:
        # Whatever happens here is told to those who wait; a thread that died with it would leave them waiting.
        done = outcome.capture(self._write, jobs)
        self._note(done, now)
        match done:
            case outcome.Value(fates):
                self._last_event_id += sum(len(fate) for fate in fates if isinstance(fate, range))
                return list(zip(jobs, fates, strict=True))
            case outcome.Error(error):
                settled: list[Settled] = []
                if self.problem is None:
                    failure = explain(error, self._path)
                    return [(job, job.plan if isinstance(job.plan, StoreError) else failure) for job in jobs]
                self._held = self._admitted(jobs, settled)
                return settled

    def _note(self, done: outcome.Outcome[object], now: float) -> None:
        """What an attempt says about the disk."""
        match done:
            case outcome.Value():
                self.problem = None
            case outcome.Error(error):
                self.problem = trouble(error, self._path)
                if self.problem is not None:
                    self.problem.__cause__ = error
                self._retry_at = now + RETRY_S

    def _probe(self) -> None:
        with self._db.atomic():
            self._db.execute("INSERT OR REPLACE INTO blob (process, sha256, data) VALUES ('', 'probe', ?)", [_PROBE])
        with self._db.atomic():
            self._db.execute("DELETE FROM blob WHERE process = ''")

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
                values: list[Any] = []
                for id_, event in enumerate(events[done : done + count], first + done):
                    values.append(id_)
                    values += event
                self._db.conn.execute(statement, values)
                done += count


def _take(queue: SimpleQueue[Job | None], timeout: float | None) -> tuple[list[Job], bool]:
    """Waits for a job, at most `timeout` seconds; what else is there comes along. False: the queue has given None."""
    jobs: list[Job] = []
    try:
        job = queue.get(timeout=timeout)
        while job is not None:
            jobs.append(job)
            if len(jobs) == MAX_BATCH:
                return jobs, True
            job = queue.get_nowait()
    except Empty:
        return jobs, True
    return jobs, False


def _settle(settled: Sequence[Settled], condition: Condition, problem: Problem) -> None:
    condition.become(problem)
    condition.pending -= len(settled)
    for job, fate in settled:
        job.commit.settle(fate)


def _last_event_id(db: Database) -> int:
    """From the counter of AUTOINCREMENT, which also remembers ids whose events are gone."""
    row = db.conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
    return 0 if row is None else int(row[0])

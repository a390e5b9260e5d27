"""After a crash of the program: what it left behind goes on, or waits until somebody knows how.

look      before the kernel opens: which processes had not ended, with the mail they had accepted
go on     an agent of the document runs again at once; a run's agents are taken up by the run; others wait as
          pending until the program spawns an agent under their name
poison    a process that had an open turn at three recoveries within a minute, and ended none in between, is not
          taken up a fourth time: it is likely what the program died of
"""

from __future__ import annotations

import gc
import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from vega_trio.agent import Agent
from vega_trio.app.run import Run
from vega_trio.app.runs import Runs
from vega_trio.app.sessions import Sessions, leave_when_idle
from vega_trio.app.user_layers import Layering
from vega_trio.changes import DropMail, LoseReserved, MailRow, ProcessRow, SaveProcess, Together
from vega_trio.engine.drive import run_of, run_reason
from vega_trio.errors import ConfigError, TooManyProcesses, UnknownAgent, UnknownProcess
from vega_trio.events import HealthAlert
from vega_trio.protocols import Store
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process
from vega_trio.runtime.recovered import LeftBehind, Recovered
from vega_trio.session import Session

log = logging.getLogger("vega_trio.recovery")

MAX_RECOVERIES = 3
RECOVERY_WINDOW_S = 60.0
MANY = 100
SELDOM = 50_000  # allocations between collections while all is taken up
QUARANTINED = f"quarantined: recovered {MAX_RECOVERIES} times in a minute, each time with an open turn"


@attrs.define
class Recovery:
    """Taking up what an earlier program left behind, once: at once, or when a server is ready to watch it."""

    orch: Orchestrator
    sessions: Sessions
    runs: Runs
    layering: Layering | None = None
    _done: bool = attrs.field(default=False, init=False)

    async def run(self) -> None:
        """Agents of the document, workflow runs and what was to be remembered go on."""
        if not self._done:
            self._done = True
            with seldom_collected():
                await quarantine(self.orch, self.runs.store)
                if self.layering is not None:
                    await self.layering.open(self.orch)
                await go_on(self.orch, self.sessions)
                await self.runs.resume()

    async def take_up_run(self, run_id: str) -> Run | None:
        """One run goes on, with the agents it had asked; all else stays as it was left. None when it is not running."""
        await quarantine(self.orch, self.runs.store, spawn_reason=run_reason(run_id))
        return await self.runs.resume_one(run_id)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """For making many objects that all stay: the cycle collector would walk them again and again, half of the time.

    A program that has turned the collector off keeps it off.
    """
    first, *older = gc.get_threshold()
    gc.set_threshold(first and max(first, SELDOM), *older)
    try:
        yield
    finally:
        gc.set_threshold(first, *older)


async def look(store: Store) -> Recovered:
    """What a killed program left in the store. Each is recorded as pending until it is taken up."""
    with seldom_collected():
        return await _look(store)


async def _look(store: Store) -> Recovered:
    now = time.time()
    mail: dict[str, list[MailRow]] = defaultdict(list)
    for each in await store.mail():
        mail[each.process_id].append(each)
    lost = await store.reserved()
    rows = await store.unfinished()
    found = [_found(row, tuple(mail.pop(row.id, ())), lost.get(row.id, 0), now) for row in rows]
    commits = [store.submit(_pending(each, row)) for each, row in zip(found, rows, strict=True)]
    commits += [store.submit(DropMail(process_id)) for process_id in mail]  # of processes that have ended
    for commit in commits:
        await commit.wait()
    return Recovered.of(found, links=await store.links(), monitors=await store.monitors(), timers=await store.timers())


def _pending(left: LeftBehind, row: ProcessRow) -> Together:
    """It is counted as a recovery only when it is to be taken up, by `quarantine`."""
    found = left.row if left.row.recoveries == row.recoveries else attrs.evolve(left.row, recoveries=row.recoveries)
    return Together((SaveProcess(found), LoseReserved(row.id)))


def _found(row: ProcessRow, mail: tuple[MailRow, ...], lost: int, now: float) -> LeftBehind:
    """`lost`: what its call under way may have cost is spent."""
    left = LeftBehind(attrs.evolve(row, status="pending", cost_microusd=row.cost_microusd + lost), mail)
    if left.has_open_turn:
        recent = [at for at in map(float, row.recoveries.split()) if now - RECOVERY_WINDOW_S < at <= now]
        left = attrs.evolve(left, row=attrs.evolve(left.row, recoveries=" ".join(map(repr, (*recent, now)))))
    return left


async def go_on(orch: Orchestrator, sessions: Sessions) -> None:
    """Takes up the agents of the document, parents before their children."""
    recovered = sorted(orch.recovered.all(), key=lambda each: each.row.spawn_depth)
    records = sessions.store.records
    # One read for all: each is a word with another thread, and the server is ready only when all is done.
    rows = {row["id"]: row for row in await records.query("session")} if len(recovered) > MANY else None
    for left in recovered:
        if orch.recovered.get(left.row.id) is None:
            continue  # who waits for it has taken it up meanwhile
        row = await records.get("session", left.row.id) if rows is None else rows.get(left.row.id)
        try:
            await _take_up(left, row, orch, sessions)
        except TooManyProcesses:
            log.warning("process %s (%s) stays pending: as many as max_processes run", left.row.id, left.row.agent)


async def quarantine(orch: Orchestrator, store: Store, spawn_reason: str | None = None) -> None:
    """Counts a recovery of each, and gives up those that had too many: of all, or of those of one `spawn_reason`."""
    lefts = [each for each in orch.recovered.all() if spawn_reason in (None, each.row.spawn_reason)]
    commits = [store.submit(SaveProcess(each.row)) for each in lefts if each.has_open_turn]
    for commit in commits:
        await commit.wait()
    for left in lefts:
        row = left.row
        count = len(row.recoveries.split()) if left.has_open_turn else 0
        if count >= MAX_RECOVERIES:
            alert = HealthAlert(
                kind="quarantined",
                process_id=row.id,
                agent=row.agent,
                message=f"process {row.id} ({row.agent}) is {QUARANTINED}; it may be what the program died of",
                value=float(count),
                threshold=float(MAX_RECOVERIES),
            )
            orch.bus.emit(alert)
            await orch.give_up(row.id, QUARANTINED)


async def _take_up(left: LeftBehind, session: Mapping[str, Any] | None, orch: Orchestrator, sessions: Sessions) -> None:
    row = left.row
    parent = _living(orch, row.parent_id)
    if run_of(row.spawn_reason) is not None or (row.parent_id is not None and parent is None):
        return  # a run takes up its own; a child whose parent waits, waits too
    agent = _agent_now(sessions, row, session)
    was = await _agent_then(sessions, left, agent)
    for each in (was, agent):
        try:
            process = await _spawn(left, orch, each, parent, session) if each is not None else None
        except ConfigError as error:
            log.warning("process %s cannot go on as agent %r was: %s", row.id, row.agent, error)
            continue
        if process is not None:
            break
    else:
        log.warning("process %s stays pending: agent %r is not defined any more", row.id, row.agent)
        return
    if each is was:
        leave_when_idle(process)  # it comes back as it is defined now
    elif agent is not None:
        process.def_hash = await sessions.definitions.keep(agent)


def _agent_now(sessions: Sessions, row: ProcessRow, session: Mapping[str, Any] | None) -> Agent | None:
    try:
        return sessions.agent_for(row.agent, session)
    except UnknownAgent:
        return None


async def _agent_then(sessions: Sessions, left: LeftBehind, now: Agent | None) -> Agent | None:
    """The agent with which an open turn had begun, where it is another one now."""
    row = left.row
    if not row.def_hash or (now is not None and await sessions.definitions.keep(now) == row.def_hash):
        return None
    messages = await sessions.store.messages(row.id)
    begun = bool(messages) and any(mail.id == messages[-1].turn_id for mail in left.mail)
    return await sessions.definitions.recorded(row.def_hash, now) if begun or row.task else None


async def _spawn(
    left: LeftBehind, orch: Orchestrator, agent: Agent, parent: Process | None, session: Mapping[str, Any] | None
) -> Process:
    """What a process spawned ends with it, as before. It knows its session before it takes up its turn."""
    row = left.row
    spawning = orch.spawn(
        agent, id=row.id, row=row, name=row.name, task=row.task or None, parent=parent, spawn_reason=row.spawn_reason
    )
    spawning.owner = parent.live if parent is not None else None
    if session is not None:
        spawning.session = Session(session["agent"], session["user"], row.id)
    return await spawning


def _living(orch: Orchestrator, process_id: str | None) -> Process | None:
    try:
        process = orch.get(process_id) if process_id is not None else None
    except UnknownProcess:
        return None
    return process if process is not None and process.alive else None

"""Schedules: a message to an agent whenever a cron expression says so.

    due        counted from when the schedule was last sent, made, changed or enabled; in the machine's time zone
    missed     however many times passed while no server ran, or the machine slept, one message makes up for them
    busy       a time that comes while the message before it is still being answered is left out
    twice      never: a message is sent under an id made of its due time, and kept before the schedule moves on
    where      in a conversation of the schedule's own, which is its user's

One task waits for the next due time, or for a change; it is supervised, and there is none without schedules.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, tzinfo
from typing import Any, Final, Protocol

import attrs
import trio

from vega_trio.agent import BackoffConfig, ChildSpec, Restart, SupervisorSpec
from vega_trio.app.admission import refuse_overload
from vega_trio.app.chat import Chat
from vega_trio.app.cron import check_cron, next_time
from vega_trio.changes import Change, Delete, Put, Together
from vega_trio.errors import Conflict, InputError, StoreError, UnknownItem, VegaError
from vega_trio.session import Session

log = logging.getLogger("vega_trio.schedules")

TABLE: Final = "schedule"
NAME: Final = "schedules"
MOST: Final = 100  # of one user
NAME_LENGTH: Final = 128
_BACKOFF: Final = BackoffConfig(initial=1.0, max=60.0, jitter=0.1)

Send = Callable[[Session, str, str], Awaitable[Any]]
"""Sends a message to a session's agent, under a turn's id; returns when it is durable."""


@attrs.frozen(kw_only=True)
class Schedule:
    """What is sent to whom and when. `since` (Unix seconds) is what the next time is counted from.

    `last_run_at` is when it was last due and sent, `last_error` why it was not; `session` is its conversation.
    """

    name: str
    user: str
    cron: str
    agent: str
    message: str = attrs.field(repr=False)
    enabled: bool = True
    since: float = 0.0
    session: str | None = None
    last_run_at: float | None = None
    last_turn: str = ""
    last_error: str = ""

    @property
    def key(self) -> str:
        return _key(self.user, self.name)

    def turn_id(self, due: float) -> str:
        return hashlib.sha256(f"{self.key}\n{due!r}".encode("utf-8", "replace")).hexdigest()[:12]


class Kernel(Protocol):
    """Of the orchestrator, what starts the task."""

    async def supervise(self, spec: SupervisorSpec, *, name: str | None = None, fatal: bool = True) -> Any: ...


@attrs.define(eq=False, kw_only=True)
class Schedules:
    """`app.schedules`. Nothing is sent before `open`. `send` is how; a server puts one that can be watched."""

    chats: Chat
    zone: tzinfo = UTC
    wall_clock: Callable[[], float] = time.time
    send: Send = attrs.field()
    _by_key: dict[str, Schedule] = attrs.field(factory=dict, init=False)
    _changed: trio.Event = attrs.field(factory=trio.Event, init=False)
    _kernel: Kernel | None = attrs.field(default=None, init=False)
    _started: bool = attrs.field(default=False, init=False)

    @send.default
    def _plainly(self) -> Send:
        async def send(session: Session, message: str, turn_id: str) -> None:
            async with self.chats.open(session, message, turn_id=turn_id):
                pass  # leaving leaves the turn running

        return send

    async def load(self) -> None:
        """Raises: StoreError."""
        for row in await self.chats.sessions.store.records.query(TABLE):
            schedule = Schedule(**row)
            self._by_key[schedule.key] = schedule

    async def open(self, kernel: Kernel) -> None:
        """From now on messages are sent, at first those that were missed."""
        self._kernel = kernel
        if self._by_key:
            await self._start()

    # -- what there is

    def all(self, user: str) -> list[Schedule]:
        """The user's, in the order in which they were made."""
        return [each for each in self._by_key.values() if each.user == user]

    def get(self, user: str, name: str) -> Schedule:
        """Raises: UnknownItem."""
        found = self._by_key.get(_key(user, name))
        if found is None:
            raise UnknownItem(f"there is no schedule {name[:100]!r}")
        return found

    def next_at(self, schedule: Schedule) -> float | None:
        """When it is due; None while it is switched off."""
        return next_time(schedule.cron, schedule.since, self.zone) if schedule.enabled else None

    async def create(self, schedule: Schedule) -> Schedule:
        """Raises: Conflict, InputError, UnknownAgent, StoreError."""
        self._check(schedule)
        if schedule.key in self._by_key:
            raise Conflict(f"there is a schedule {schedule.name!r} already; choose another name, or change that one")
        if len(self.all(schedule.user)) >= MOST:
            raise Conflict(f"you have {MOST} schedules, the most there may be; delete one first")
        return await self._put(attrs.evolve(schedule, since=self.wall_clock()))

    async def change(self, user: str, name: str, /, **changes: Any) -> Schedule:
        """Given fields change; a new `name` renames. What was missed before is not made up for.

        Raises: UnknownItem, Conflict, InputError, UnknownAgent, StoreError.
        """
        old = self.get(user, name)
        new = attrs.evolve(old, **changes, since=self.wall_clock())
        self._check(new)
        if new.agent != old.agent:
            new = attrs.evolve(new, session=None)
        if new.key != old.key and new.key in self._by_key:
            raise Conflict(f"there is a schedule {new.name!r} already; choose another name")
        return await self._put(new, replaced=old)

    async def delete(self, user: str, name: str) -> None:
        """Its conversation stays. Raises: UnknownItem, StoreError."""
        schedule = self.get(user, name)
        await self.chats.sessions.store.submit(Delete(TABLE, schedule.key)).wait()
        self._by_key.pop(schedule.key, None)
        self._wake()

    def clear(self) -> None:
        """Forgets them all: the store has been emptied."""
        self._by_key.clear()
        self._wake()

    async def _put(self, schedule: Schedule, replaced: Schedule | None = None) -> Schedule:
        refuse_overload(self.chats.sessions.store)
        renamed = replaced is not None and replaced.key != schedule.key
        changes: list[Change] = [Put(TABLE, schedule.key, attrs.asdict(schedule))]
        if replaced is not None and renamed:
            changes.append(Delete(TABLE, replaced.key))
        await self.chats.sessions.store.submit(Together(tuple(changes))).wait()
        if replaced is not None and renamed:
            self._by_key.pop(replaced.key, None)
        self._by_key[schedule.key] = schedule
        self._wake()
        if self._kernel is not None:
            await self._start()
        return schedule

    def _check(self, schedule: Schedule) -> None:
        name = schedule.name
        if not (0 < len(name) <= NAME_LENGTH and name.isprintable() and name == name.strip() and "/" not in name):
            text = f"'name' must be 1 to {NAME_LENGTH} printable characters without /, not {name[:60]!r}"
            raise InputError(text, "bad_value", "name")
        if not schedule.message.strip():
            raise InputError("'message' is empty; say what the agent is to do", "bad_value", "message")
        self.chats.sessions.agents.get(schedule.agent)
        check_cron(schedule.cron, self.zone, self.wall_clock())

    # -- the task

    def _wake(self) -> None:
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def _start(self) -> None:
        if self._started:
            return
        self._started = True  # before anything is awaited: two may be made at once
        assert self._kernel is not None
        spec = SupervisorSpec(dynamic=True, max_restarts=None, window=60.0, backoff=_BACKOFF)
        supervisor = await self._kernel.supervise(spec, name=NAME, fatal=False)
        child = ChildSpec(NAME, self._run, restart=Restart.PERMANENT, shutdown=1.0, name=f"{NAME}:clock")
        await supervisor.start_child(child)

    async def _run(self, _: Any) -> None:
        while True:
            changed, due = self._changed, self._due()
            earliest = min(due.values(), default=float("inf"))
            # The clock on the wall decides; one that was put back is waited for again.
            with trio.move_on_after(max(0.0, earliest - self.wall_clock())):
                await changed.wait()
                continue
            now = self.wall_clock()
            async with trio.open_nursery() as nursery:
                for key, at in due.items():
                    if at <= now:
                        nursery.start_soon(self._fire, self._by_key[key], at, now)

    def _due(self) -> dict[str, float]:
        times = ((key, self.next_at(each)) for key, each in self._by_key.items())
        return {key: at for key, at in times if at is not None}

    async def _fire(self, schedule: Schedule, due: float, now: float) -> None:
        """Sends one message, and moves on. A store that takes nothing restarts the task, which tries again."""
        ran = attrs.evolve(schedule, since=now, last_error="")
        try:
            ran = await self._sent(ran, due)
        except StoreError:
            raise
        except VegaError as error:
            log.warning("schedule %r of %r was not sent: %s", schedule.name, schedule.user, error)
            ran = attrs.evolve(ran, last_error=str(error)[:500])
        if self._by_key.get(schedule.key) is schedule:  # else it was changed or deleted meanwhile, and that stands
            await self.chats.sessions.store.submit(Put(TABLE, ran.key, attrs.asdict(ran))).wait()
            if self._by_key.get(schedule.key) is schedule:
                self._by_key[ran.key] = ran

    async def _sent(self, schedule: Schedule, due: float) -> Schedule:
        """The schedule after its message was sent. Raises: VegaError."""
        sessions = self.chats.sessions
        session = await sessions.recorded(schedule.session) if schedule.session is not None else None
        if session is None or session.agent != schedule.agent:
            session = await sessions.begin_apart(schedule.agent, schedule.user, f"schedule {schedule.name}")
        turn_id = schedule.turn_id(due)
        if schedule.last_turn != turn_id and self.chats.awaits(session, schedule.last_turn):
            return attrs.evolve(schedule, last_error="left out: the message before was still being answered")
        if await sessions.store.records.get("turn", turn_id) is None and not self.chats.awaits(session, turn_id):
            await self.send(session, schedule.message, turn_id)
        return attrs.evolve(schedule, session=session.id, last_run_at=due, last_turn=turn_id)


def _key(user: str, name: str) -> str:
    return f"{user}\n{name}"

"""Forks: a new process whose conversation is another's as things stood after one of its events.

An event and the messages it tells of were written in one transaction, so each event says which messages were there:
a turn's first holds the user's message, a tool's start the reply that calls it, a tool's end its result, and a
turn's last all of the turn.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import attrs

from vega_trio._core.codec import decode_json
from vega_trio.app.admission import refuse_overload
from vega_trio.app.ids import new_id
from vega_trio.app.sessions import Sessions
from vega_trio.changes import (
    AppendMessage,
    Change,
    MessageRow,
    OpBegun,
    OpFinished,
    OpRow,
    ProcessRow,
    Promptly,
    SaveProcess,
    Together,
)
from vega_trio.engine.conversation import seen_by
from vega_trio.errors import InputError, UnknownProcess
from vega_trio.llm.names import parse_model_name
from vega_trio.protocols import Store, StoredEvent
from vega_trio.runtime.process import Process
from vega_trio.session import Session

PAGE = 500
TURN_ENDS = ("turn.finished", "turn.failed", "turn.cancelled")


def messages_after(
    rows: Sequence[MessageRow], events: Iterable[StoredEvent], *, oldest_at: float = 0.0
) -> list[MessageRow]:
    """The messages that were stored when the last of a process's `events` was.

    The store forgets old events: messages from before `oldest_at`, the time of the oldest it has, were there.
    """
    kept = {row.seq for row in rows if not row.turn_id or row.at < oldest_at}
    for event in events:
        of_turn = [row for row in rows if row.turn_id == event.turn_id]
        if event.type == "turn.started":
            kept |= {row.seq for row in of_turn[:1]}
        elif event.type in TURN_ENDS:
            kept |= {row.seq for row in of_turn}
        elif event.type in ("tool.started", "tool.finished"):
            kept |= _of_tool(of_turn, kept, event)
    return [row for row in rows if row.seq in kept]


def _of_tool(rows: Sequence[MessageRow], kept: set[int], event: StoredEvent) -> set[int]:
    """The first message not there yet that makes the call, or answers it. A model may use an id again."""
    call_id = decode_json(event.body)["data"]["tool_call_id"]
    for row in rows:
        message = row.message
        ids = (
            [call.id for call in message.tool_calls]
            if event.type == "tool.started"
            else [result.tool_call_id for result in message.tool_results]
        )
        if call_id in ids and row.seq not in kept:
            return {row.seq}
    return set()


async def fork(
    sessions: Sessions, process_id: str, at: int, *, model: str | None = None, system: str | None = None
) -> Process:
    """A session of its own, of the same agent and user, that goes on from there.

    `model` and `system` replace the agent's, for this session. A tool call that had no result then is told to be
    unknown when the model is asked next.

    Raises: UnknownProcess; UnknownAgent; InputError when `at` is no stored event; ConfigError for a model string that
        names no provider.
    """
    if model is not None:
        parse_model_name(model)
    store = sessions.store
    refuse_overload(store)
    origin = await store.process(process_id)
    if origin is None:
        raise UnknownProcess(f"there is no process {process_id!r}")
    events = await _events_until(store, process_id, at)
    oldest = await store.events_after(0, limit=1)
    rows = messages_after(await store.messages(process_id), events, oldest_at=oldest[0].at)
    recorded = await sessions.recorded(process_id)
    user = recorded.user if recorded is not None else Session(origin.agent).user
    session = await copy_conversation(sessions, Session(origin.agent, user, process_id), rows)
    await sessions.begin(session, title=f"fork of {process_id} at {at}", model=model, system=system)
    return await sessions.process(session)


async def copy_conversation(sessions: Sessions, origin: Session, rows: Iterable[MessageRow]) -> Session:
    """A session whose conversation begins as another's did; its record is still to be made.

    Raises: UnknownAgent, StoreError.
    """
    assert origin.id is not None
    sessions.agents.get(origin.agent)
    session_id = new_id()
    copies = [AppendMessage(attrs.evolve(row, process_id=session_id, seq=seq)) for seq, row in enumerate(rows)]
    # Recorded as a process that has ended, it comes back with this history as a session does.
    row = ProcessRow(id=session_id, agent=origin.agent, status="completed", incarnation=0, started_at=time.time())
    brought = seen_by(await sessions.store.ops(origin.id))
    changes = (SaveProcess(row), *copies, *_as_brought(session_id, brought))
    await sessions.store.submit(Promptly(Together(changes))).wait()
    return Session(origin.agent, origin.user, session_id)


def _as_brought(session_id: str, seen: frozenset[str]) -> tuple[Change, ...]:
    """An entry of the journal that keeps, for a copy, what others had brought its origin from outside."""
    if not seen:
        return ()
    now = time.time()
    op = OpRow(process_id=session_id, seq=0, turn_id="", kind="tool", name="copy", key="copy", epoch=1, begun_at=now)
    end = OpFinished(process_id=session_id, seq=0, state="done", epoch=1, at=now, result={"seen": sorted(seen)})
    return (OpBegun(op), end)


async def _events_until(store: Store, process_id: str, at: int) -> list[StoredEvent]:
    last = await store.last_event_id()
    if not 1 <= at <= last:
        raise InputError(f"there is no event {at}; the newest is {last}", "V041", "at")
    found: list[StoredEvent] = []
    after = 0
    while after < at:
        page = await store.events_after(after, limit=PAGE)
        found += [event for event in page if event.process_id == process_id and event.id <= at]
        if not page:
            break
        after = page[-1].id
    return found

"""Taking a conversation back to before one of its turns, or to another conversation as it was after one."""

from __future__ import annotations

import time
from collections.abc import Sequence

from vega_trio.app.admission import refuse_overload
from vega_trio.app.attachments import files_of, message_with
from vega_trio.app.fork import copy_conversation
from vega_trio.app.sessions import Sessions
from vega_trio.changes import DropMessages, MessageRow
from vega_trio.engine.conversation import open_conversation
from vega_trio.errors import Conflict, InputError
from vega_trio.events import SessionUpdated
from vega_trio.messages import Message
from vega_trio.session import Session

STORED = 2  # an epoch in which a process has a history: one in its first has none to read


async def rewind(sessions: Sessions, session: Session, message_id: str | None) -> Message:
    """Forgets a turn and all that came after it, and returns what had been asked; without an id, the last turn.

    What the turns have cost stays on record. The process is stopped, and comes back with the next message.

    Raises: Conflict while the agent is at work, or when the turn is part of a summary; InputError for an id that is
        none of the conversation's; StoreError.
    """
    assert session.id is not None
    refuse_overload(sessions.store)
    living = sessions.living(session)
    if living is not None:
        if living.current is not None or living.mailbox_length:
            raise Conflict("the agent is at work in this conversation; stop it, or wait for its answer")
        await sessions.orch.stop(living.id)
    conversation = await open_conversation(session.id, sessions.store, time.time, epoch=STORED)
    rows, first = conversation.rows, _first_of(conversation.rows, message_id)
    if first < conversation.summarised:
        raise Conflict("the turn is part of what was summarised for the model; begin a new conversation instead")
    news = SessionUpdated(agent=session.agent, session_id=session.id)
    commit = sessions.orch.bus.emit(news, DropMessages(session.id, rows[first].seq))
    assert commit is not None
    await commit.wait()
    turn = [row.message for row in rows[first:] if row.turn_id == rows[first].turn_id and row.message.role == "user"]
    files = [part for message in turn for part in files_of(message)]
    return message_with("".join(message.text for message in turn), files)


async def branch(sessions: Sessions, session: Session, message_id: str | None, title: str) -> Session:
    """A new conversation that begins as this one did, up to the end of a turn; without an id, all of it.

    Raises: InputError for an id that is none of the conversation's; StoreError.
    """
    assert session.id is not None
    refuse_overload(sessions.store)
    rows = await sessions.store.messages(session.id)
    if message_id is not None:
        turn_id = rows[_first_of(rows, message_id)].turn_id
        rows = rows[: max(at for at, row in enumerate(rows, 1) if row.turn_id == turn_id)]
    made = await copy_conversation(sessions, session, rows)
    await sessions.begin(made, title=title, model=None, system=None)
    return made


def _first_of(rows: Sequence[MessageRow], message_id: str | None) -> int:
    """Where a turn begins. An id is a turn's, or one of its messages' as the chat shows them. Raises: InputError."""
    asked = [row.turn_id for row in rows if row.turn_id]
    if not asked:
        raise InputError("nothing was said in this conversation yet", "bad_value", "message_id")
    turn_id = asked[-1] if message_id is None else message_id.partition(":")[0]
    if turn_id not in asked:
        text = f"there is no message {str(message_id)[:60]!r} in this conversation"
        raise InputError(text, "bad_value", "message_id")
    return next(at for at, row in enumerate(rows) if row.turn_id == turn_id)

"""The one door for messages: every front structures its input and calls `Chat.open` or `Chat.ask`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import attrs

from vega_trio.app.admission import refuse_overload
from vega_trio.app.attachments import Attachment, files_of, listed
from vega_trio.app.ids import new_id
from vega_trio.app.sessions import Sessions
from vega_trio.changes import ClearMessages, MessageRow
from vega_trio.engine.conversation import Conversation, new_conversation
from vega_trio.errors import InputError, MailboxFull
from vega_trio.events import Event
from vega_trio.messages import Compact, Message, ToolResult, as_message
from vega_trio.runtime.mail import Mail
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process
from vega_trio.session import Reply, Session


@attrs.frozen
class ChatStream:
    """The events of one turn, its first to its last. Leaving it early leaves the turn running."""

    turn_id: str
    session: Session
    process: Process
    _events: AsyncIterator[Event]

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events


@attrs.frozen(kw_only=True)
class ToolUse:
    """One tool call of a finished turn, as it is shown. `text_offset` counts the characters said before it; `images`
    are those that it gave."""

    tool_call_id: str
    tool_name: str
    arguments: dict[str, Any]
    result: str = ""
    duration_ms: int = 0
    error: bool = False
    text_offset: int = 0
    images: tuple[Attachment, ...] = ()


@attrs.frozen(kw_only=True)
class ChatMessage:
    """What one side said in one turn. `id` is stable; `created_at` is Unix seconds."""

    id: str
    role: Literal["user", "assistant"]
    content: str
    created_at: float
    tool_calls: tuple[ToolUse, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@attrs.frozen(kw_only=True)
class ChatStatus:
    """Whether a session's turn is under way, which, how many messages wait behind it, and what it waits for."""

    streaming: bool
    turn_id: str | None = None
    queued: int = 0
    waiting_on: str = ""


@attrs.frozen(kw_only=True)
class OpenTurn:
    """A turn of a session that is under way, or is to be."""

    id: str
    session_id: str
    process_id: str
    incarnation: int


def open_turns(orch: Orchestrator) -> list[OpenTurn]:
    """The next turn of each session's process."""
    found = []
    for process in orch.processes():
        mail = process.current or process.mailbox.first
        session_id = process.session.id if process.session is not None else None
        if mail is not None and session_id is not None and mail.id == mail.root_id:
            incarnation = max(1, process.incarnation)
            turn = OpenTurn(id=mail.id, session_id=session_id, process_id=process.id, incarnation=incarnation)
            found.append(turn)
    return found


@attrs.frozen
class Chat:
    """Messages to the sessions' processes, and what they have said."""

    sessions: Sessions

    @asynccontextmanager
    async def open(
        self, session: Session, text: str | Message, *, turn_id: str | None = None
    ) -> AsyncIterator[ChatStream]:
        """Sends a message and hands out the events of its turn. The one door: whatever is no message stops here.

        Raises: MailboxFull, rather than wait for room; StoreReadOnly; StoreOverloaded; UnknownAgent.
        """
        refuse_empty(text)
        refuse_overload(self.sessions.store)
        session = await self.sessions.resolve(session)
        await self.sessions.touch(session, words_of(text))
        process = await self.sessions.process(session)
        turn_id = turn_id or new_id()
        if process.mailbox_length >= process.mailbox.capacity:
            waiting = process.mailbox_length
            raise MailboxFull(f"agent {session.agent!r} has {waiting} messages waiting already; try again later")
        async with process.stream(text, turn_id=turn_id) as events:
            yield ChatStream(turn_id, session, process, aiter(events))

    async def ask(self, session: Session, text: str | Message) -> Reply:
        """Sends a message and waits for the reply.

        Raises: TurnFailed, TurnCancelled, ProcessExited, MailboxFull, StoreOverloaded, UnknownAgent.
        """
        refuse_empty(text)
        refuse_overload(self.sessions.store)
        session = await self.sessions.resolve(session)
        await self.sessions.touch(session, words_of(text))
        process = await self.sessions.process(session)
        reply: Reply = await process.start_send(text).wait()
        return reply

    async def ask_for(self, process: Process, agent: str, message: str) -> str:
        """`ToolContext.ask`: to an agent of the application, on behalf of the calling process's user.

        One conversation per (calling session, agent), which no other caller sees. Raises: WouldDeadlock when the agent
        waits for the caller already; the rest as `ask`.
        """
        caller = self.sessions.session_of(process)
        if caller is None:
            return (await self.ask(Session(agent, Session(agent).user), message)).text
        return (await self.ask(await self.sessions.between(caller, agent), message)).text

    async def transcript(self, session: Session) -> list[ChatMessage]:
        """One message of the user and one of the agent a turn, oldest first; the question of a turn that is about to
        begin among them.
        """
        session = await self.sessions.resolve(session)
        assert session.id is not None
        said = transcript(await self.sessions.store.messages(session.id))
        process = self.sessions.living(session)
        mail = None if process is None else process.current or process.mailbox.first
        return said if mail is None else with_question(said, mail, time.time())

    async def clear(self, session: Session) -> None:
        """Stops the running turn, drops the messages that wait, and forgets what was said."""
        session = await self.sessions.resolve(session)
        assert session.id is not None
        process = self.sessions.living(session)
        if process is None:
            await self.sessions.store.submit(ClearMessages(session.id)).wait()
            return
        process.drop_waiting()
        while process.current is not None:
            await process.stop_turn()
        # Nothing is awaited from here to clear(), so no turn can begin in between.
        if not isinstance(process.conversation, Conversation):
            process.conversation = new_conversation(process.id, self.sessions.store, time.time, epoch=process.epoch)
        await process.conversation.clear().wait()

    async def stop(self, session: Session) -> str | None:
        """Stops the running turn, keeping what it has said. Returns its id, or None when there is none."""
        process = self.sessions.living(await self.sessions.resolve(session))
        return await process.stop_turn() if process is not None else None

    def awaits(self, session: Session, turn_id: str) -> bool:
        """Whether a turn of a resolved session waits or goes on."""
        process = self.sessions.living(session)
        if process is None:
            return False
        under_way = process.current is not None and process.current.id == turn_id
        return under_way or process.mailbox.find(turn_id) is not None

    async def status(self, session: Session) -> ChatStatus:
        process = self.sessions.living(await self.sessions.resolve(session))
        if process is None:
            return ChatStatus(streaming=False)
        # A message that is about to be taken up, as after a restart of the program, is one under way.
        mail, waiting = process.current or process.mailbox.first, process.mailbox_length
        if mail is None:
            return ChatStatus(streaming=False)
        queued = waiting - (mail is process.mailbox.first)
        return ChatStatus(streaming=True, turn_id=mail.id, queued=queued, waiting_on=process.waiting_on)


def words_of(said: str | Message) -> str:
    """A message's text."""
    return said if isinstance(said, str) else said.text


def refuse_empty(said: str | Message) -> None:
    """Raises: InputError for a message that says nothing, and with which nothing goes."""
    if not words_of(said).strip() and (isinstance(said, str) or not files_of(said)):
        raise InputError("the message is empty; say something", "bad_body", "message")


def transcript(rows: list[MessageRow]) -> list[ChatMessage]:
    """Folds a process's messages into turns. The figures of a tool call come from when its parts were stored."""
    turns: dict[str, list[MessageRow]] = {}
    for row in rows:
        turns.setdefault(row.turn_id or f"initial-{row.seq}", []).append(row)
    out: list[ChatMessage] = []
    for turn_id, members in turns.items():
        out.extend(_sides(turn_id, members))
    return out


def with_question(said: list[ChatMessage], mail: Mail, now: float) -> list[ChatMessage]:
    """A conversation with the question of the turn under way. Its process makes it a part of the history when it begins
    the turn, a little after the message was accepted."""
    id_ = f"{mail.id}:user"
    if isinstance(mail.message, Compact) or any(each.id == id_ for each in said):
        return said
    asked = as_message(mail.message)
    files = listed(files_of(asked))
    return [*said, ChatMessage(id=id_, role="user", content=asked.text, created_at=now, attachments=files)]


def _sides(turn_id: str, rows: list[MessageRow]) -> list[ChatMessage]:
    said = [row for row in rows if row.message.role == "assistant"]
    heard = [row.message for row in rows if row.message.role == "user"]
    asked = "".join(message.text for message in heard)
    files = listed(part for message in heard for part in files_of(message))
    sides = []
    if asked or files:
        sides.append(
            ChatMessage(id=f"{turn_id}:user", role="user", content=asked, created_at=rows[0].at, attachments=files)
        )
    if said:
        text = "".join(row.message.text for row in said)
        calls = _tool_uses(rows)
        sides.append(
            ChatMessage(
                id=f"{turn_id}:assistant", role="assistant", content=text, created_at=said[-1].at, tool_calls=calls
            )
        )
    return sides


def _tool_uses(rows: list[MessageRow]) -> tuple[ToolUse, ...]:
    results: dict[str, tuple[ToolResult, float]] = {
        result.tool_call_id: (result, row.at) for row in rows for result in row.message.tool_results
    }
    uses = []
    said = 0
    for row in rows:
        said += len(row.message.text) if row.message.role == "assistant" else 0
        for call in row.message.tool_calls:
            use = ToolUse(tool_call_id=call.id, tool_name=call.name, arguments=dict(call.arguments), text_offset=said)
            if call.id in results:
                result, at = results[call.id]
                took = max(0, round((at - row.at) * 1000))
                images = listed(result.images)
                use = attrs.evolve(use, result=result.content, duration_ms=took, error=result.is_error, images=images)
            uses.append(use)
    return tuple(uses)

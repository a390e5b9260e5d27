"""A process's history: a list that only the process's own task appends to, each entry stored as it is made."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from vega_trio._core.history import open_calls
from vega_trio._core.window import Measured
from vega_trio.changes import AppendMessage, ClearMessages, MessageRow
from vega_trio.messages import Message, ToolCall
from vega_trio.protocols import Commit, Store


@attrs.define
class Conversation:
    """The messages of one process over all its incarnations, in order, each with the turn it belongs to.

    `measured` is how large a model found them at the last call. `summary` stands for the first `summarised` rows.
    """

    process_id: str
    store: Store
    wall_clock: Callable[[], float]
    rows: list[MessageRow] = attrs.field(factory=list)
    task_turn_id: str = ""
    measured: Measured | None = None
    summary: Message | None = None
    summarised: int = 0

    def append(self, turn_id: str, message: Message) -> Commit:
        """Adds a message and submits it; await the commit before acting on what the message says."""
        seq = self.rows[-1].seq + 1 if self.rows else 0
        row = MessageRow(
            process_id=self.process_id, seq=seq, turn_id=turn_id, message=message, at=self.wall_clock()
        )
        self.rows.append(row)
        return self.store.submit(AppendMessage(row))

    def messages(self) -> list[Message]:
        """The conversation as the model is shown it: a summary of what was compacted, and what came since."""
        head = [] if self.summary is None else [self.summary]
        return head + [row.message for row in self.rows[self.summarised :]]

    def summarise(self, count: int, summary: Message) -> None:
        """Puts `summary` in the place of the first `count` messages."""
        self.summarised += count if self.summary is None else count - 1
        self.summary = summary

    def of_turn(self, turn_id: str) -> list[Message]:
        return [row.message for row in self.rows if row.turn_id == turn_id]

    def said_in(self, turn_id: str) -> str:
        """The assistant's text so far in this turn."""
        return "".join(message.text for message in self.of_turn(turn_id) if message.role == "assistant")

    def open_calls(self, turn_id: str) -> tuple[ToolCall, ...]:
        return open_calls(self.of_turn(turn_id))

    def clear(self) -> Commit:
        self.rows.clear()
        self.summary, self.summarised = None, 0
        return self.store.submit(ClearMessages(self.process_id))


async def open_conversation(
    process_id: str, store: Store, wall_clock: Callable[[], float], initial: tuple[Message, ...]
) -> Conversation:
    """The stored history of a process, or a new one that starts with `initial`."""
    conversation = Conversation(process_id, store, wall_clock, await store.messages(process_id))
    if not conversation.rows:
        for message in initial:
            conversation.append("", message)
    return conversation

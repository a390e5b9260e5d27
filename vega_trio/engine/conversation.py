"""A process's history: a list that only the process's own task appends to, and the journal of its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import attrs

from vega_trio._core.approving import NOTHING_SEEN, seen_in
from vega_trio._core.history import Mending, open_calls
from vega_trio._core.loops import times_called
from vega_trio._core.trimming import summary_message
from vega_trio._core.window import Measured
from vega_trio.changes import AppendMessage, ClearMessages, MessageRow, OpRow
from vega_trio.engine.journal import Journal
from vega_trio.messages import ImagePart, Message, ToolCall
from vega_trio.protocols import Commit, Store, Tool

ROW_BYTES = 1000
"""What a row takes in memory beside its content, about."""


@attrs.define
class Conversation:
    """The messages of one process over all its incarnations, in order, each with the turn it belongs to.

    `measured` is how large a model found them at the last call. `summary` stands for the first `summarised` rows.
    `tools` gives the agent's tools of the moment; `brought` is what others it works with have seen, as `approving`
    has it.
    `path` is where its turn stands in the root turn. `observed` is the incarnation of the last turn that was observed,
    and what a later one names it by.
    """

    process_id: str
    store: Store
    wall_clock: Callable[[], float]
    journal: Journal
    rows: list[MessageRow] = attrs.field(factory=list, init=False)
    task_turn_id: str = ""
    measured: Measured | None = None
    summary: Message | None = None
    summarised: int = 0
    tools: Callable[[], Mapping[str, Tool]] = dict
    brought: frozenset[str] = NOTHING_SEEN
    path: str = ""
    observed: tuple[int, object] = (0, None)
    weight: int = attrs.field(default=0, init=False)
    # A long conversation is asked for again and again, so what was found in it once is kept.
    _first_rows: dict[str, int] = attrs.field(factory=dict, init=False)
    _mending: Mending = attrs.field(factory=Mending, init=False)
    _mended: int = attrs.field(default=0, init=False)

    def load(self, rows: Iterable[MessageRow]) -> None:
        """Takes over what is stored of it."""
        for row in rows:
            self._append(row)

    def add(self, turn_id: str, message: Message) -> AppendMessage:
        """Adds a message; the change is to be submitted, and durable before anyone acts on what it says."""
        seq = self.rows[-1].seq + 1 if self.rows else 0
        row = MessageRow(process_id=self.process_id, seq=seq, turn_id=turn_id, message=message, at=self.wall_clock())
        self._append(row)
        return AppendMessage(row)

    def _append(self, row: MessageRow) -> None:
        self._first_rows.setdefault(row.turn_id, len(self.rows))
        self.weight += _weight(row.message)
        self.rows.append(row)

    def messages(self) -> list[Message]:
        """What the model is to know of it: a summary of what was compacted, and what came since."""
        head = [] if self.summary is None else [self.summary]
        return head + [row.message for row in self.rows[self.summarised :]]

    def mended(self) -> tuple[Message, ...]:
        """`messages` as a provider accepts them."""
        self._mending.take(row.message for row in self.rows[self._mended :])
        self._mended = len(self.rows)
        return self._mending.whole()

    def summarise(self, count: int, summary: Message) -> None:
        """Puts `summary` in the place of the first `count` messages."""
        self.stand_in(summary, self.summarised + (count if self.summary is None else count - 1))

    def stand_in(self, summary: Message | None, rows: int) -> None:
        """Has `summary` stand for the first so many rows; None for none."""
        self.summary, self.summarised = summary, rows
        self._mending, self._mended = Mending(), rows
        self._mending.take([] if summary is None else [summary])

    def of_turn(self, turn_id: str) -> list[Message]:
        first = self._first_rows.get(turn_id, len(self.rows))
        return [row.message for row in self.rows[first:] if row.turn_id == turn_id]

    def steps_of(self, turn_id: str) -> int:
        """How many replies of the model this turn holds."""
        return sum(message.role == "assistant" for message in self.of_turn(turn_id))

    def said_in(self, turn_id: str) -> str:
        """The assistant's text so far in this turn."""
        return "".join(message.text for message in self.of_turn(turn_id) if message.role == "assistant")

    def times_called(self, turn_id: str) -> dict[str, int]:
        """For each call of this turn, by id, the how manieth time it is that this very call is made."""
        return times_called(self.of_turn(turn_id))

    def open_calls(self, turn_id: str) -> tuple[ToolCall, ...]:
        return open_calls(self.of_turn(turn_id))

    def seen(self) -> frozenset[str]:
        """What it has seen of private data and of text from outside, itself and through others."""
        specs = {name: tool.spec for name, tool in self.tools().items()}
        return seen_in((row.message for row in self.rows), specs) | self.brought

    def clear(self) -> Commit:
        self.rows.clear()
        self._first_rows.clear()
        self.weight = 0
        self.brought = NOTHING_SEEN
        self.journal.ops.clear()
        self.journal.next_seq = 0
        self.stand_in(None, 0)
        return self.store.submit(ClearMessages(self.process_id))


def _weight(message: Message) -> int:
    images = [part for part in message.content if isinstance(part, ImagePart)]
    images += [image for result in message.tool_results for image in result.images]
    return ROW_BYTES + message.size + sum(len(image.data) for image in images)


def new_conversation(process_id: str, store: Store, wall_clock: Callable[[], float], *, epoch: int) -> Conversation:
    """A conversation in which nothing was ever said."""
    return Conversation(process_id, store, wall_clock, Journal(process_id, epoch, wall_clock))


def seen_by(ops: Iterable[OpRow]) -> frozenset[str]:
    """What others had brought a conversation by the end of the calls in its journal."""
    return frozenset(mark for op in ops if op.result for mark in op.result.get("seen", ()))


async def open_conversation(
    process_id: str,
    store: Store,
    wall_clock: Callable[[], float],
    initial: tuple[Message, ...] = (),
    *,
    epoch: int,
) -> Conversation:
    """The stored history of a process, or a new one that starts with `initial`.

    In its first epoch a process has nothing stored, and nothing is read.
    """
    conversation = new_conversation(process_id, store, wall_clock, epoch=epoch)
    if epoch > 1:
        conversation.load(await store.messages(process_id))
        turns = frozenset(row.turn_id for row in conversation.rows[-1:])
        ops = await store.ops(process_id)
        conversation.journal.load(ops, turns)
        conversation.brought = seen_by(ops)
        stored = conversation.journal.last_summary
        if stored is not None:
            conversation.stand_in(summary_message(stored["summary"]), stored["summarised"])
        conversation.task_turn_id = conversation.rows[-1].turn_id if conversation.rows else ""
    if not conversation.rows:
        for message in initial:
            store.submit(conversation.add("", message))
    return conversation

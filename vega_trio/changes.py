"""What can be written to a store: a small closed union. Rows are values, with the columns of the tables.

A change is submitted whole and committed whole; `Together` makes several facts one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from vega_trio.events import Event
from vega_trio.messages import Message


@attrs.frozen(kw_only=True)
class ProcessRow:
    """A process as it is listed, also after it has ended. Times are Unix seconds; money is micro-dollars.

    `epoch` rises each time a program takes the process up; a write with an older one is refused. `recoveries` holds
    when it was last taken up with an open turn, `restart_log` when it was restarted within its policy's window: Unix
    seconds, separated by blanks. `def_hash` names the definition of its agent that it was last started with.
    `budget` is the one that its spawner gave, as JSON, or empty.

    `spent_microusd` and `reserved_microusd` are what all that is charged to its budgets came to, and what calls under
    way may still come to. `Spend` alone writes them; of a row that is saved again they are not looked at.
    """

    id: str
    agent: str
    name: str | None = None
    task: str = ""
    status: str = "pending"
    parent_id: str | None = None
    spawn_depth: int = 0
    spawn_reason: str = ""
    incarnation: int = 1
    exit_reason: str = ""
    started_at: float = 0.0
    completed_at: float | None = None
    iterations: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_microusd: int = 0
    tool_calls: int = 0
    errors: int = 0
    last_active_at: float | None = None
    epoch: int = 1
    recoveries: str = ""
    def_hash: str = ""
    supervisor: str | None = None
    restart_log: str = ""
    budget: str = ""
    spent_microusd: int = 0
    reserved_microusd: int = 0


@attrs.frozen(kw_only=True)
class ProcessTotals:
    """What the processes of one status come to."""

    status: str
    count: int
    input_tokens: int
    output_tokens: int
    cost_microusd: int
    tool_calls: int
    errors: int


@attrs.frozen(kw_only=True)
class ProcessQuery:
    """Which processes are wanted; what is None or empty is not asked for.

    `text` is looked for in id, agent, name and task, in capital and small letters of ASCII. `before` is the time of
    start and the id of one of which only older ones are wanted; `without` names some that are not.
    """

    status: str | None = None
    agent: str | None = None
    text: str = ""
    before: tuple[float, str] | None = None
    without: frozenset[str] = frozenset()

    def takes(self, row: ProcessRow) -> bool:
        """Whether it is one of them."""
        if self.status not in (None, row.status) or self.agent not in (None, row.agent) or row.id in self.without:
            return False
        if self.before is not None and (row.started_at, row.id) >= self.before:
            return False
        return _small(self.text) in _small(f"{row.id} {row.agent} {row.name or ''} {row.task}")


def _small(text: str) -> bytes:
    """In small letters, as far as SQL knows them."""
    return text.encode("utf-8", "replace").lower()


@attrs.frozen(kw_only=True)
class MessageRow:
    """One message of a process's conversation. `seq` rises by one within the process, from 0."""

    process_id: str
    seq: int
    turn_id: str
    message: Message
    at: float


OpKind = Literal["llm", "tool"]
OpEnd = Literal["done", "failed", "unknown"]


@attrs.frozen(kw_only=True)
class OpRow:
    """A model or tool call in a process's journal. `seq` rises by one within the process, from 0.

    `key` names the call for ever: it is the same when the call is repeated after a crash, and no other has it.
    `name` is the model's or the tool's. `request` and `result` are JSON objects; what is in the conversation is
    not repeated there. `attempts` counts how often it was begun. `reserved_microusd` is the worst case of an attempt
    under way; it becomes part of the cost when the attempt is lost in a crash.
    """

    process_id: str
    seq: int
    turn_id: str
    kind: OpKind
    name: str
    key: str
    request: Mapping[str, Any] = attrs.field(factory=dict)
    state: Literal["begun"] | OpEnd = "begun"
    result: Mapping[str, Any] | None = None
    error_class: str = ""
    cost_microusd: int = 0
    reserved_microusd: int = 0
    attempts: int = 1
    epoch: int = 1
    begun_at: float = 0.0
    finished_at: float | None = None


@attrs.frozen(kw_only=True)
class MailRow:
    """A message that an agent has accepted and not dealt with. `id` is its turn's; `tools` as in `Mail`."""

    process_id: str
    id: str
    root_id: str
    message: Message
    at: float
    sender_id: str | None = None
    tools: tuple[str, ...] | None = None


TimerKind = Literal["deadline"]


@attrs.frozen(kw_only=True)
class TimerRow:
    """Something that is to happen to a process at a time, in Unix seconds; at once when that has passed."""

    process_id: str
    kind: TimerKind
    due_at: float


@attrs.frozen
class SaveProcess:
    """Refused when the stored epoch is newer."""

    row: ProcessRow


@attrs.frozen
class AppendMessage:
    row: MessageRow


@attrs.frozen
class ClearMessages:
    """Forgets a process's conversation, and what its journal says of the calls made in it."""

    process_id: str


@attrs.frozen
class DropMessages:
    """Forgets a process's messages from this one on; what the journal says of their calls stays."""

    process_id: str
    from_seq: int


@attrs.frozen
class OpBegun:
    """Written before the call is made. A call begun and never finished may be begun again: one more attempt.

    Refused when that call has finished, or when the process's stored epoch is newer.
    """

    row: OpRow


@attrs.frozen(kw_only=True)
class OpFinished:
    """What became of a call. Refused when it has not begun, has finished, or the stored epoch is newer."""

    process_id: str
    seq: int
    state: OpEnd
    epoch: int
    at: float
    result: Mapping[str, Any] | None = None
    error_class: str = ""
    cost_microusd: int = 0


@attrs.frozen(kw_only=True)
class Reserve:
    """A call under way is attempted, at the worst for so much; `cost_microusd` is what its attempts before came to.

    Refused when it is not under way, or the stored epoch is newer.
    """

    process_id: str
    seq: int
    epoch: int
    reserved_microusd: int
    cost_microusd: int


@attrs.frozen
class LoseReserved:
    """What calls under way have reserved is spent: their program died in the middle of them."""

    process_id: str


@attrs.frozen
class Spend:
    """How the account of a process's budgets stands, all that was charged to it included."""

    process_id: str
    spent_microusd: int
    reserved_microusd: int


@attrs.frozen
class Link:
    """Two processes are linked. Linking them twice, or the other way round, is linking them once."""

    one: str
    other: str


@attrs.frozen
class Unlink:
    one: str
    other: str


@attrs.frozen
class Watch:
    """A process monitors another."""

    watcher: str
    watched: str


@attrs.frozen
class Unwatch:
    watcher: str
    watched: str


@attrs.frozen
class Sever:
    """An incarnation has ended, and its links and monitors with it, those of others on it too."""

    process_id: str


@attrs.frozen
class SetTimer:
    """Replaces a timer of that kind."""

    row: TimerRow


@attrs.frozen
class DropTimers:
    """All of a process's."""

    process_id: str


@attrs.frozen
class KeepMail:
    """A message was accepted. Keeping one twice is keeping it once."""

    row: MailRow


@attrs.frozen
class DropMail:
    """The message was dealt with; `id` None: all of the process's."""

    process_id: str
    id: str | None = None


@attrs.frozen
class AppendEvent:
    """The event gets its id at the commit."""

    event: Event


@attrs.frozen
class Put:
    """Writes one row of an application table (`Records`), a JSON object, replacing what the key held."""

    table: str
    key: str
    row: Mapping[str, Any]


@attrs.frozen
class Delete:
    table: str
    key: str


@attrs.frozen
class Together:
    """All or nothing, in this order."""

    changes: tuple[Change, ...]


@attrs.frozen
class Promptly:
    """Written with the next commit or refused: who asks is told, rather than kept waiting for a disk that is full.

    Any other change that the disk has no room for is held, in its order, and written when there is room again.
    """

    change: Change


Ties = Link | Unlink | Watch | Unwatch | Sever | SetTimer | DropTimers
Spending = Reserve | LoseReserved | Spend
Messages = AppendMessage | ClearMessages | DropMessages
ProcessFact = SaveProcess | Messages | OpBegun | OpFinished | KeepMail | DropMail | Ties | Spending
Change = ProcessFact | AppendEvent | Put | Delete | Together | Promptly

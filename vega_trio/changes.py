"""What can be written to a store: a small closed union. Rows are values, with the columns of the tables.

A change is submitted whole and committed whole; `Together` makes several facts one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.events import Event
from vega_trio.messages import Message


@attrs.frozen(kw_only=True)
class ProcessRow:
    """A process as it is listed, also after it has ended. Times are Unix seconds; money is micro-dollars."""

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


@attrs.frozen(kw_only=True)
class MessageRow:
    """One message of a process's conversation. `seq` rises by one within the process, from 0."""

    process_id: str
    seq: int
    turn_id: str
    message: Message
    at: float


@attrs.frozen
class SaveProcess:
    row: ProcessRow


@attrs.frozen
class AppendMessage:
    row: MessageRow


@attrs.frozen
class ClearMessages:
    """Forgets a process's conversation."""

    process_id: str


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


Change = SaveProcess | AppendMessage | ClearMessages | AppendEvent | Put | Delete | Together

"""Who talks to whom, what came back, and the classes of failure."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

from vega_trio.messages import ToolCall, Usage

DEFAULT_USER = "default"
"""Who talks where nobody has to say who they are."""


class ErrorClass(StrEnum):
    """Why a turn failed. The first four are worth another try, the others are not."""

    RATE_LIMIT = "rate_limit"
    OVERLOADED = "overloaded"
    TIMEOUT = "timeout"
    TEMPORARY = "temporary"
    AUTHENTICATION = "authentication"
    INVALID_REQUEST = "invalid_request"
    BUDGET_EXCEEDED = "budget_exceeded"
    CONTEXT_OVERFLOW = "context_overflow"
    REFUSAL = "refusal"
    LIMIT_EXCEEDED = "limit_exceeded"  # max_iterations, or the same call over and over
    FORMAT_ERROR = "format_error"  # not the typed output that was asked for, also when asked again
    INTERRUPTED = "interrupted"  # its process crashed twice under the same turn


@attrs.frozen
class Session:
    """One user's conversation with one agent.

    `id` names one of several conversations; None means the newest open one of (agent, user), or a new one.
    """

    agent: str
    user: str = DEFAULT_USER
    id: str | None = None


@attrs.frozen
class Reply:
    """What a finished turn gave. `text` is all the text streamed in it, so deltas concatenate to it.

    `cost_usd` is None when no price is known for the model. `output` is the validated value of a typed agent.
    """

    text: str
    turn_id: str = ""
    usage: Usage = attrs.field(factory=Usage)
    cost_usd: float | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    stop_reason: str = "end_turn"
    output: Any = None

    def __str__(self) -> str:
        return self.text

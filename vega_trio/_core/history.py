"""Conversations that a provider accepts: every tool call has exactly one result, right behind it.

Providers refuse a call without a result and a result without a call (Messages API, tool use). A turn cut short
leaves such loose ends; these functions find and mend them. Pure: they return new values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vega_trio.messages import Message, ToolCall, ToolResult

UNKNOWN_OUTCOME = (
    "Error: outcome unknown: the process stopped while this call was running, so it may or may not have taken effect. "
    "Check before you repeat it."
)

CANCELLED = "Error: cancelled"

NOT_RUN = "Error: not run: the same call had been made again and again"


def open_calls(messages: Sequence[Message]) -> tuple[ToolCall, ...]:
    """The calls of the last assistant message that have no result yet, in the order they were made."""
    answered: set[str] = set()
    for message in reversed(messages):
        if message.role == "assistant":
            return tuple(call for call in message.tool_calls if call.id not in answered)
        answered.update(result.tool_call_id for result in message.tool_results)
    return ()


def mended(messages: Iterable[Message], *, missing: str = UNKNOWN_OUTCOME) -> tuple[Message, ...]:
    """The same conversation with a result `missing` for each unanswered call and without stray results.

    Results of one assistant message are gathered in one user message directly behind it, in the order of its
    calls. Empty messages are left out.
    """
    out: list[Message] = []
    pending: dict[str, ToolResult | None] = {}

    def settle() -> None:
        if pending:
            results = [found or ToolResult(call_id, missing, is_error=True) for call_id, found in pending.items()]
            out.append(Message("user", results))
            pending.clear()

    for message in messages:
        if message.role == "assistant":
            settle()
            pending.update(dict.fromkeys(call.id for call in message.tool_calls))
            if message.content:
                out.append(message)
            continue
        for result in message.tool_results:
            if pending.get(result.tool_call_id, result) is None:
                pending[result.tool_call_id] = result
        rest = tuple(part for part in message.content if not isinstance(part, ToolResult))
        if rest:
            settle()
            out.append(message if len(rest) == len(message.content) else Message("user", rest))
    settle()
    return tuple(out)

"""Conversations that a provider accepts: every tool call has exactly one result, right behind it.

Providers refuse a call without a result and a result without a call (Messages API, tool use). A turn cut short
leaves such loose ends; this finds and mends them. Pure: no message is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

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
    mending = Mending(missing)
    mending.take(messages)
    return mending.whole()


@attrs.define
class Mending:
    """`mended` for a conversation that grows: what was taken once is not looked at again."""

    _missing: str = UNKNOWN_OUTCOME
    _out: list[Message] = attrs.field(factory=list, init=False)
    _pending: dict[str, ToolResult | None] = attrs.field(factory=dict, init=False)

    def take(self, messages: Iterable[Message]) -> None:
        """Adds what was said next."""
        for message in messages:
            if message.role == "assistant":
                self._settle()
                self._pending.update(dict.fromkeys(call.id for call in message.tool_calls))
                if message.content:
                    self._out.append(message)
            else:
                self._take_users(message)

    def whole(self) -> tuple[Message, ...]:
        """The conversation up to here. A result that is taken later takes the place of its `missing`."""
        return (*self._out, *self._results())

    def _take_users(self, message: Message) -> None:
        for result in message.tool_results:
            if self._pending.get(result.tool_call_id, result) is None:
                self._pending[result.tool_call_id] = result
        rest = tuple(part for part in message.content if not isinstance(part, ToolResult))
        if rest:
            self._settle()
            self._out.append(message if len(rest) == len(message.content) else Message("user", rest))

    def _settle(self) -> None:
        self._out += self._results()
        self._pending.clear()

    def _results(self) -> list[Message]:
        if not self._pending:
            return []
        missing = self._missing
        results = [found or ToolResult(call_id, missing, is_error=True) for call_id, found in self._pending.items()]
        return [Message("user", results)]

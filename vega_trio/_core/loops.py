"""Whether a turn goes round in circles: how often the model has made the very same call.

A call is the same when its tool and its arguments are, and either nothing else was called since or it gave the same
result as the last time: running the tests again after each edit is work, running them again and again is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from vega_trio._core.codec import encode_json
from vega_trio.messages import Message, ToolCall

WARN_AT: Final = 3
END_AT: Final = 5


@attrs.frozen
class _Last:
    """The newest call of its kind: the how manieth of all it was, how often it was made by then, and its result."""

    at: int
    times: int
    result: str | None


def times_called(messages: Sequence[Message]) -> dict[str, int]:
    """For each call of a turn, by id, the how manieth time it is that this call is made."""
    results = {each.tool_call_id: each.content for message in messages for each in message.tool_results}
    last: dict[bytes, _Last] = {}
    times: dict[str, int] = {}
    for at, call in enumerate(call for message in messages for call in message.tool_calls):
        key, result = _same(call), results.get(call.id)
        before = last.get(key)
        again = before is not None and (before.at == at - 1 or result is None or result == before.result)
        count = before.times + 1 if before is not None and again else 1
        last[key] = _Last(at, count, result)
        times[call.id] = count
    return times


def _same(call: ToolCall) -> bytes:
    try:
        return encode_json([call.name, sorted(call.arguments.items())])
    except ValueError:  # half a surrogate pair: whatever it is, it is the same as itself
        return repr((call.name, call.arguments)).encode("utf-8", "surrogatepass")


def warning(times: int) -> str:
    """What the model is told behind the result of a call that it repeats; nothing at first."""
    if times < WARN_AT:
        return ""
    return (
        f"\n\n[This is call number {times} of the same tool with the same arguments in this turn. Do something else, "
        f"or answer with what you have: call number {END_AT} ends the turn.]"
    )

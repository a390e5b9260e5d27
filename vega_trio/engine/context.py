"""What the model is shown of the history, by the agent's `context`; checked before every call."""

from __future__ import annotations

from typing import assert_never

import attrs

from vega_trio._core.trimming import summary_message, summary_request, to_summarise, within
from vega_trio._core.window import BYTES_PER_TOKEN, message_bytes
from vega_trio.agent import SlidingWindow, TokenBudget
from vega_trio.engine.calling import ask_model
from vega_trio.engine.spending import balances, spent_since, spent_so_far
from vega_trio.engine.turn_state import Turn
from vega_trio.errors import ModelError
from vega_trio.messages import Usage
from vega_trio.protocols import ModelRequest
from vega_trio.session import ErrorClass

COMPACT_KEEP = 4
"""What `Process.compact()` leaves as it is where the agent's context does not say."""


async def fitted(turn: Turn, request: ModelRequest) -> ModelRequest:
    """The request with as much of the history as its context allows. Raises: ModelError when a summary fails."""
    match turn.agent.context:
        case TokenBudget(max_tokens=most):
            return within(request, most)
        case SlidingWindow(keep=keep, compact_at_tokens=most):
            if message_bytes(request.messages) > most * BYTES_PER_TOKEN and await compact(turn, keep):
                return attrs.evolve(request, messages=turn.conversation.mended())
            return request
    assert_never(turn.agent.context)


def kept_by(turn: Turn) -> int:
    """How many messages a compaction asked for leaves as they are."""
    context = turn.agent.context
    return context.keep if isinstance(context, SlidingWindow) else COMPACT_KEEP


async def compact(turn: Turn, keep: int) -> bool:
    """Replaces all but the last `keep` messages and what belongs to them by a summary; False: there are no more.

    The stored history stays whole. The summary is in the journal, so that a new start of the program has it too.

    Raises: ModelError.
    """
    conversation = turn.conversation
    messages = conversation.messages()
    count = to_summarise(messages, keep)
    if count < 2:  # a summary alone is not summarised again
        return False
    before = spent_so_far(turn.process.metrics)
    text, usage = await _quietly(turn, summary_request(messages[:count], turn.agent.max_tokens))
    conversation.summarise(count, summary_message(text))
    # Made for a call under way, it is charged to that one.
    cost = 0 if conversation.journal.is_open(turn.model_key) else spent_since(before, turn.process.metrics)
    summary = {"summary": text, "summarised": conversation.summarised}
    turn.unsaved += conversation.journal.summary(
        turn.id, turn.equipment.model.name, {**summary, "usage": attrs.asdict(usage), "cost": cost}
    )
    turn.unsaved += balances()
    await turn.saved()
    return True


async def _quietly(turn: Turn, request: ModelRequest) -> tuple[str, Usage]:
    """The model's answer to us, which nobody else is shown, and what it took. Raises: ModelError."""
    turn.quiet, turn.partial = True, ""
    try:
        answer = await ask_model(turn, request)
        text = turn.partial.strip()
    finally:
        turn.quiet, turn.partial = False, ""
    if not text or answer.done.stop_reason == "refusal":
        model = turn.equipment.model.name
        raise ModelError(f"{model} gave no summary of the conversation, which is too long", ErrorClass.CONTEXT_OVERFLOW)
    return text, answer.done.usage

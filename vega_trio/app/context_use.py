"""How much of an agent's context a conversation takes."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from vega_trio._core.window import about_tokens
from vega_trio.agent import Agent, SlidingWindow, TokenBudget
from vega_trio.messages import Message
from vega_trio.protocols import ModelRequest


@attrs.frozen
class ContextUse:
    """`tokens` is an estimate; from `most` on the conversation is made shorter."""

    tokens: int
    most: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return min(1.0, self.tokens / self.most)


def context_use(agent: Agent | None, messages: Sequence[Message]) -> ContextUse:
    """None: an agent that is not known, of which the usual is assumed."""
    tokens = about_tokens(ModelRequest(messages=tuple(messages))) if messages else 0
    match agent and agent.context:
        case TokenBudget(max_tokens=most) | SlidingWindow(compact_at_tokens=most):
            return ContextUse(tokens, most)
        case _:
            return ContextUse(tokens, TokenBudget().max_tokens)

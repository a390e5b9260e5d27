"""How full a conversation is."""

from __future__ import annotations

import vega_trio as vega
from vega_trio.app.context_use import context_use
from vega_trio.messages import Message


def test_a_window_that_slides_is_full_when_it_is_made_shorter() -> None:
    said = [Message("user", "word " * 400)]
    agent = vega.Agent(name="a", model="demo", context=vega.SlidingWindow(keep=4, compact_at_tokens=100))
    assert context_use(agent, said).most == 100
    assert context_use(agent, said).share == 1.0
    assert context_use(None, said).most == vega.TokenBudget().max_tokens
    assert context_use(agent, []).share == 0.0

"""A model call as a log record of `vega_trio.model`: how long it took, what it used and cost, how it failed."""

from __future__ import annotations

import logging

import trio

from vega_trio.engine.spending import spent_since
from vega_trio.engine.turn_state import Turn
from vega_trio.errors import ModelError
from vega_trio.messages import Usage
from vega_trio.protocols import Model
from vega_trio.runtime.logs import say


def log_call(
    turn: Turn, model: Model, attempt: int, called_at: float, before: tuple[int, int], end: Usage | ModelError
) -> None:
    """At level info, whether it went well or not: what becomes of a failure is another record."""
    if not logging.getLogger("vega_trio.model").isEnabledFor(logging.INFO):
        return
    process, cost = turn.process, spent_since(before, turn.process.metrics)
    call = {
        "model": model.name,
        "attempt": attempt,
        "latency_ms": round((trio.current_time() - called_at) * 1000),
        "cost_usd": None if cost is None else cost / 1_000_000,
    }
    match end:
        case ModelError():
            call |= {"error_class": end.error_class.value, "error": str(end)}
        case Usage():
            read = end.input_tokens + end.cache_read_tokens + end.cache_write_tokens
            call |= {"input_tokens": read, "output_tokens": end.output_tokens}
    whose = {
        "process": process.id,
        "agent": process.agent_name,
        "turn": turn.id,
        "incarnation": process.incarnation,
        "session": process.session.id if process.session is not None else None,
    }
    what = "model.failed" if isinstance(end, ModelError) else "model.answered"
    say("model", logging.INFO, what, {**whose, "event": what, **call}, shown=call)

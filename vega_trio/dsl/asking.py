"""One ask of an agent, with the structured reply that a step may want."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import attrs

from vega_trio.dsl.effects import Ask, AskReply, Effect, StepFailed
from vega_trio.dsl.notes import Spent
from vega_trio.dsl.replies import correction, parse_reply
from vega_trio.dsl.workflow import AskAction, Step


def ask_of(step: Step, agent: str, message: str, path: str, conversation: str) -> Ask:
    """The effect. Only a step that is an ask has its time limit there; that of a block holds for all of it."""
    options = step.options
    return Ask(
        path=path,
        agent=agent,
        message=message,
        conversation=conversation,
        timeout_s=options.timeout_s if isinstance(step.action, AskAction) else None,
        budget=options.budget,
        retry=options.retry,
        tools=options.tools,
        fresh=options.fresh,
    )


def exchange(ask: Ask, step: Step, spent: Spent) -> Generator[Effect, Any, object]:
    """The reply: its text, or what `format` and `schema` make of it; a badly formed one is corrected once.

    Raises: StepFailed.
    """
    options = step.options
    text = yield from _sent(ask, spent)
    if options.format is None and options.schema is None:
        return text
    form = options.format or "json"
    value, problem = parse_reply(text, form, options.schema)
    if problem:
        message = correction(text, form, problem)
        again = attrs.evolve(ask, path=f"{ask.path}.correction", message=message, kept=False, fresh=False)
        value, problem = parse_reply((yield from _sent(again, spent)), form, options.schema)
    if problem:
        raise StepFailed(f"the reply is not the {form.upper()} it should be: {problem}", "format_error", code="R003")
    return value


def _sent(ask: Ask, spent: Spent) -> Generator[Effect, Any, str]:
    reply: AskReply = yield ask
    spent.add(reply.cost_usd, reply.duration_ms)
    return reply.text

"""A turn as whoever observes the program sees it: whose it is, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from vega_trio.engine.turn_state import Turn
from vega_trio.errors import TurnFailed
from vega_trio.exits import Crashed, ExitReason, describe
from vega_trio.protocols import Span
from vega_trio.runtime.place import supervisor_of
from vega_trio.runtime.reasons import reason_of


@contextmanager
def observed(turn: Turn) -> Iterator[Span]:
    """The turn's span; it names the reason when the process ends with the turn."""
    process, conversation = turn.process, turn.conversation
    number, last = conversation.observed
    with turn.equipment.telemetry.turn(
        agent=turn.agent.name,
        process_id=process.id,
        incarnation=process.incarnation,
        supervisor=supervisor_of(process),
        turn_id=turn.id,
        session_id=process.session.id if process.session is not None else None,
        origin=turn.origin,
        before=last if number != process.incarnation else None,
    ) as span:
        conversation.observed = process.incarnation, span.link
        try:
            yield span
        except (Exception, trio.Cancelled) as error:
            if isinstance(error, TurnFailed):
                span.fail(error.error_class.value, str(error))
            reason = _ends_process(turn, error)
            if reason is not None:
                span.tell(exit_reason=turn.equipment.redact(describe(reason)))
            raise


def _ends_process(turn: Turn, error: BaseException) -> ExitReason | None:
    """Of what the process dies that this leaves; None when it lives on."""
    match error:
        case TurnFailed():
            return Crashed(error) if turn.process.task is not None else None
        case trio.Cancelled():
            return turn.process.live.pending if turn.process.live is not None else None
        case _:
            return reason_of(error)

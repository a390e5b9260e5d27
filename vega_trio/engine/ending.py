"""How a turn ends: in a reply, a failure or a stop; and what is known of one that a crash cut short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import trio

from vega_trio._core.history import CANCELLED, UNKNOWN_OUTCOME
from vega_trio.changes import DropMail, OpEnd, Put, SaveProcess
from vega_trio.engine.spending import balances
from vega_trio.engine.turn_state import Turn
from vega_trio.engine.typed import read_output
from vega_trio.errors import TurnFailed
from vega_trio.events import Event, TurnFailure, TurnFinished, TurnStopped
from vega_trio.messages import Message, ToolCall, ToolResult, Usage
from vega_trio.session import ErrorClass, Reply


async def finish(turn: Turn, stop_reason: str) -> Reply:
    """Ends a turn in its reply. Raises: ModelError when what was said before a crash is not of the output type."""
    cost_usd = None if turn.cost_microusd is None else turn.cost_microusd / 1_000_000
    output = turn.equipment.output
    value = None if output is None else read_output(output, turn.conversation.of_turn(turn.id)[-1].text)
    memory = turn.equipment.memory
    if memory is not None and turn.id == turn.root_id:
        turn.unsaved += memory.due(turn.process, turn.id, turn.conversation.seen())
    await _settled(
        turn,
        TurnFinished,
        text=turn.text,
        stop_reason=stop_reason,
        input_tokens=turn.usage.input_tokens,
        output_tokens=turn.usage.output_tokens,
        cost_usd=cost_usd,
        duration_ms=turn.duration_ms,
    )
    return Reply(
        text=turn.text,
        turn_id=turn.id,
        usage=turn.usage,
        cost_usd=cost_usd,
        tool_calls=tuple(turn.calls),
        stop_reason=stop_reason,
        output=value,
    )


async def failed(turn: Turn, message: str, error_class: ErrorClass, *, stop_reason: str = "error") -> TurnFailed:
    """Ends a turn without a reply; the caller raises what this gives."""
    turn.process.metrics.errors += 1
    await _settled(turn, TurnFailure, error=message, error_class=error_class.value, stop_reason=stop_reason)
    return TurnFailed(message, error_class, turn.id, stop_reason=stop_reason)


async def _settled(turn: Turn, end: type[Event], **fields: Any) -> None:
    """Announces the turn's end and waits until it is durable.

    Shielded for the length of one commit: from here on the turn has ended, and a stop that comes now must
    neither end it a second time nor answer its caller before the store has it.
    """
    _end(turn, end, **fields)
    with trio.CancelScope(shield=True):
        await turn.saved()
    turn.equipment.failpoint("before_ack")


def _end(turn: Turn, end: type[Event], **fields: Any) -> None:
    """The turn's last event, and with it what it leaves; its mail has been dealt with."""
    turn.process.recoveries = ""  # a turn that ends is not what the program died of
    row = _row(turn, _STATUS[end])
    process = turn.process
    turn.unsaved += (SaveProcess(process.row()), DropMail(process.id, turn.id), Put("turn", turn.id, row), *balances())
    turn.emit(end, **fields)
    turn.conversation.journal.forget(turn.id)


_STATUS: Mapping[type[Event], str] = {TurnFinished: "finished", TurnFailure: "failed", TurnStopped: "cancelled"}


def _row(turn: Turn, status: str) -> dict[str, Any]:
    """What the turn was and cost, kept for the accounts whatever becomes of the conversation. Unix seconds."""
    process, session = turn.process, turn.process.session
    return {
        "id": turn.id,
        "process": process.id,
        "session": session.id if session is not None else None,
        "user": session.user if session is not None else None,
        "agent": turn.agent.name,
        "model": turn.equipment.model.name,
        "status": status,
        "input_tokens": turn.usage.input_tokens,
        "output_tokens": turn.usage.output_tokens,
        "cost_microusd": turn.cost_microusd,
        "calls": sum(op.attempts for op in turn.conversation.journal.of_turn(turn.id) if op.kind == "llm"),
        "at": turn.equipment.wall_clock(),
    }


def stopped(turn: Turn) -> str:
    """Ends a turn that was cancelled: what had been said stays in the history. Returns the whole text.

    Synchronous, so that it can be done on the way out of a cancelled scope.
    """
    give_up(turn, turn.conversation.open_calls(turn.id), CANCELLED, "failed")
    if turn.partial:
        turn.unsaved.append(turn.conversation.add(turn.id, Message("assistant", turn.partial)))
        turn.text += turn.partial
        turn.partial = ""
    _end(turn, TurnStopped, text=turn.text)
    return turn.text


def give_up(turn: Turn, calls: Iterable[ToolCall], told: str, state: OpEnd) -> None:
    """Calls that have no result get one that says why. A turn that ends gives up its model call too."""
    journal = turn.conversation.journal
    for call in calls:
        key = turn.tool_key(call)
        turn.unsaved.append(turn.conversation.add(turn.id, Message("user", ToolResult(call.id, told, is_error=True))))
        if journal.is_open(key):
            turn.unsaved.append(journal.end(key, state, error_class=state if state == "unknown" else "cancelled"))
    if state == "failed" and journal.is_open(turn.model_key):
        turn.unsaved.append(journal.end(turn.model_key, state, error_class="cancelled"))


async def interrupted(turn: Turn) -> TurnFailed:
    """Ends a turn whose process crashed under it a second time."""
    recall(turn)
    give_up(turn, turn.conversation.open_calls(turn.id), UNKNOWN_OUTCOME, "unknown")
    if turn.conversation.journal.is_open(turn.model_key):
        turn.unsaved.append(turn.conversation.journal.end(turn.model_key, "unknown", error_class="interrupted"))
    message = "interrupted: the process crashed twice while answering; ask again"
    return await failed(turn, message, ErrorClass.INTERRUPTED)


def recall(turn: Turn) -> None:
    """What finished steps said and called, and what all have cost, as the history and the journal have it."""
    conversation = turn.conversation
    open_ = conversation.open_calls(turn.id)
    turn.text = conversation.said_in(turn.id)
    calls = [call for message in conversation.of_turn(turn.id) for call in message.tool_calls]
    turn.calls = [call for call in calls if call not in open_]
    turn.usage, turn.cost_microusd = Usage(), 0
    for op in conversation.journal.of_turn(turn.id):
        if op.kind == "llm":
            known = op.result or {"usage": {}, "cost": 0}  # what was cut short is billed too, and cost what was charged
            turn.usage += Usage(**known["usage"])
            _add_cost(turn, None if known["cost"] is None else conversation.journal.cost_of(op))


def _add_cost(turn: Turn, price: int | None) -> None:
    """An unknown price makes the whole unknown."""
    turn.cost_microusd = None if price is None or turn.cost_microusd is None else turn.cost_microusd + price

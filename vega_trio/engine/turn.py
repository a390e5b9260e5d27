"""One turn: ask the model, run the tools it calls, ask again, until it has said all it wants to say.

    run_turn
      begin or resume      the user's message is stored before anything is done about it
      repeat at most max_iterations times
        stream a reply     text goes out as it comes; the whole reply is stored before a tool runs
        no calls? finish   the reply, its events and the process's figures are durable before the caller hears
        run the tools      side by side; each result is stored as it comes

A turn ends in a `Reply` or in `TurnFailed`, and the process lives; whatever else leaves `run_turn` ends the
process. Everything here runs in the process's own task, but for the tools, which report to it.
"""

from __future__ import annotations

from typing import Any

import attrs
import trio

from vega_trio._core.history import CANCELLED, UNKNOWN_OUTCOME, mended
from vega_trio.agent import Agent
from vega_trio.changes import SaveProcess
from vega_trio.engine.calling import ask_model
from vega_trio.engine.context import fitted
from vega_trio.engine.conversation import Conversation
from vega_trio.engine.equipment import Equipment
from vega_trio.engine.toolrun import run_tools
from vega_trio.errors import ModelError, TurnFailed
from vega_trio.events import (
    Event,
    MessageReset,
    TurnFailure,
    TurnFinished,
    TurnResumed,
    TurnStarted,
    TurnStopped,
)
from vega_trio.messages import Message, Part, TextPart, ToolCall, ToolResult, Usage
from vega_trio.protocols import Commit, ModelDone, ModelRequest
from vega_trio.runtime.process import Process
from vega_trio.session import ErrorClass, Reply

REPEATABLE_EFFECTS = frozenset({"read"})


@attrs.define
class Turn:
    """The state of one turn. `text` is what finished steps said; `partial` what the running step has said,
    `quiet` while that is not for others."""

    process: Process
    agent: Agent
    equipment: Equipment
    conversation: Conversation
    id: str
    root_id: str
    text: str = ""
    partial: str = ""
    quiet: bool = False
    usage: Usage = attrs.field(factory=Usage)
    cost_microusd: int | None = 0
    calls: list[ToolCall] = attrs.field(factory=list)
    started: float = attrs.field(factory=trio.current_time)
    scope: trio.CancelScope | None = None

    @property
    def stopping(self) -> bool:
        """Whether the turn was told to stop, as against a process that dies under it."""
        return self.scope is not None and self.scope.cancel_called

    def emit(self, event: type[Event], /, *changes: SaveProcess, **fields: Any) -> Commit | None:
        stamped = event(turn_id=self.id, root_turn_id=self.root_id, **fields)
        return self.process.emit(stamped, *changes)

    @property
    def duration_ms(self) -> int:
        return round((trio.current_time() - self.started) * 1000)


@attrs.frozen
class Step:
    """One reply of the model."""

    message: Message
    done: ModelDone


async def run_turn(turn: Turn, message: Message) -> Reply:
    """Runs a turn to its end, or takes up one that a crash cut short.

    Raises: TurnFailed; ProcessExit and foreign exceptions from tools and the model adapter, which end the process.
    """
    try:
        await _begin_or_resume(turn, message)
        for _ in range(turn.agent.max_iterations):
            last = turn.conversation.of_turn(turn.id)[-1]
            if last.role == "assistant" and not last.tool_calls:  # it was said whole before a crash
                return await _finish(turn, "end_turn")
            step = await _ask_model(turn)
            if not step.message.tool_calls:
                return await _finish(turn, step.done.stop_reason)
            await run_tools(turn, step.message.tool_calls)
    except ModelError as error:
        raise await _failed(turn, str(error), error.error_class) from error
    limit = turn.agent.max_iterations
    message_text = f"{turn.agent.name!r} reached max_iterations ({limit}) without an answer; raise it or ask for less"
    raise await _failed(turn, message_text, ErrorClass.LIMIT_EXCEEDED, stop_reason="max_iterations")


async def _begin_or_resume(turn: Turn, message: Message) -> None:
    conversation = turn.conversation
    if not conversation.of_turn(turn.id):
        turn.emit(TurnStarted, model=turn.equipment.model.name, message=message.text)
        await conversation.append(turn.id, message).wait()
        return
    turn.text = conversation.said_in(turn.id)
    turn.emit(TurnResumed)
    turn.emit(MessageReset, text=turn.text)
    repeatable = []
    for call in conversation.open_calls(turn.id):
        if _may_repeat(turn, call):
            repeatable.append(call)
        else:
            result = ToolResult(call.id, UNKNOWN_OUTCOME, is_error=True)
            await conversation.append(turn.id, Message("user", result)).wait()
    if repeatable:
        await run_tools(turn, tuple(repeatable))


def _may_repeat(turn: Turn, call: ToolCall) -> bool:
    tool = turn.equipment.tools.get(call.name)
    if tool is None:
        return True  # it was never run, and will be refused again
    return tool.spec.idempotent or (bool(tool.spec.effects) and tool.spec.effects <= REPEATABLE_EFFECTS)


async def _ask_model(turn: Turn) -> Step:
    """Streams one reply and stores it whole. Its text is the turn's only once it is complete."""
    agent, model, metrics = turn.agent, turn.equipment.model, turn.process.metrics
    request = ModelRequest(
        messages=mended(turn.conversation.messages()),
        system=agent.system,
        tools=turn.equipment.tool_specs,
        temperature=agent.temperature,
        max_tokens=agent.max_tokens,
    )
    metrics.iterations += 1
    turn.partial = ""
    answer = await ask_model(turn, await fitted(turn, request))
    calls, done = list(answer.calls), answer.done
    if done.stop_reason == "refusal":
        raise ModelError(f"{model.name} refused to answer; rephrase the request", ErrorClass.REFUSAL)
    parts: list[Part] = [TextPart(turn.partial)] if turn.partial else []
    message = Message("assistant", [*parts, *_told_apart(calls)])
    turn.text += turn.partial
    turn.partial = ""
    if message.content:
        await turn.conversation.append(turn.id, message).wait()
    return Step(message, done)


def _told_apart(calls: list[ToolCall]) -> list[ToolCall]:
    """The calls with ids of their own: a model may give two calls one id, which no provider takes back."""
    seen: set[str] = set()
    for at, call in enumerate(calls):
        number = 1
        while not call.id or call.id in seen:
            number += 1
            call = attrs.evolve(call, id=f"{calls[at].id or 'call'}_{number}")
        seen.add(call.id)
        calls[at] = call
    return calls


async def _finish(turn: Turn, stop_reason: str) -> Reply:
    cost_usd = None if turn.cost_microusd is None else turn.cost_microusd / 1_000_000
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
    )


async def _failed(turn: Turn, message: str, error_class: ErrorClass, *, stop_reason: str = "error") -> TurnFailed:
    turn.process.metrics.errors += 1
    await _settled(turn, TurnFailure, error=message, error_class=error_class.value, stop_reason=stop_reason)
    return TurnFailed(message, error_class, turn.id)


async def _settled(turn: Turn, end: type[Event], **fields: Any) -> None:
    """Announces the turn's end and waits until it is durable.

    Shielded for the length of one commit: from here on the turn has ended, and a stop that comes now must
    neither end it a second time nor answer its caller before the store has it.
    """
    commit = turn.emit(end, SaveProcess(turn.process.row()), **fields)
    if commit is not None:
        with trio.CancelScope(shield=True):
            await commit.wait()


def stopped(turn: Turn) -> str:
    """Ends a turn that was cancelled: what had been said stays in the history. Returns the whole text.

    Synchronous, so that it can be done on the way out of a cancelled scope.
    """
    for call in turn.conversation.open_calls(turn.id):
        turn.conversation.append(turn.id, Message("user", ToolResult(call.id, CANCELLED, is_error=True)))
    if turn.partial:
        turn.conversation.append(turn.id, Message("assistant", turn.partial))
        turn.text += turn.partial
        turn.partial = ""
    turn.emit(TurnStopped, SaveProcess(turn.process.row()), text=turn.text)
    return turn.text


async def interrupted(turn: Turn) -> TurnFailed:
    """Ends a turn whose process crashed under it a second time."""
    message = "interrupted: the process crashed twice while answering; ask again"
    return await _failed(turn, message, ErrorClass.INTERRUPTED)

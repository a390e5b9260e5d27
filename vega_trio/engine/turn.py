"""One turn: ask the model, run the tools it calls, ask again, until it has said all it wants to say.

    run_turn
      begin or resume      the user's message is stored before anything is done about it
      repeat at most max_iterations times
        stream a reply     journalled before the call; text goes out as it comes
        no calls? finish   the reply, its events and the process's figures are durable before the caller hears
        run the tools      journalled together with the reply that calls them; side by side; each result is stored
                           as it comes

What the history and the journal gain is collected in `Turn.unsaved` and written in the transaction of the next
event, so that no crash can come between them.

A turn ends in a `Reply` or in `TurnFailed`, and the process lives; whatever else leaves `run_turn` ends the
process. Everything here runs in the process's own task, but for the tools, which report to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import trio

from vega_trio._core.history import CANCELLED, UNKNOWN_OUTCOME, mended
from vega_trio._core.patterns import fits
from vega_trio.agent import Agent
from vega_trio.changes import Change, DropMail, OpEnd, SaveProcess, Together
from vega_trio.context import Metrics
from vega_trio.engine.calling import ask_model
from vega_trio.engine.context import fitted
from vega_trio.engine.conversation import Conversation
from vega_trio.engine.equipment import Equipment
from vega_trio.engine.journal import model_key, tool_key
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
from vega_trio.protocols import Commit, ModelDone, ModelRequest, Tool
from vega_trio.runtime.process import Process
from vega_trio.session import ErrorClass, Reply

REPEATABLE_EFFECTS = frozenset({"read"})


@attrs.define
class Turn:
    """The state of one turn. `text` is what finished steps said; `partial` what the running step has said, `quiet`
    while that is not for others.

    `unsaved` are facts that go with the next durable event; `owed` are the commits of those that went. `narrowed` are
    the tools that may be called in it, by names and patterns; None leaves all that the agent has.
    """

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
    unsaved: list[Change] = attrs.field(factory=list)
    owed: list[Commit] = attrs.field(factory=list)
    narrowed: tuple[str, ...] | None = None

    @property
    def tools(self) -> Mapping[str, Tool]:
        """What may be called in this turn, by name."""
        tools, narrowed = self.equipment.tools, self.narrowed
        return tools if narrowed is None else {name: tool for name, tool in tools.items() if fits(name, narrowed)}

    @property
    def stopping(self) -> bool:
        """Whether the turn was told to stop, as against a process that dies under it."""
        return self.scope is not None and self.scope.cancel_called

    def emit(self, event: type[Event], /, **fields: Any) -> None:
        """Puts an event on the bus; a durable one takes what is unsaved along, in its transaction."""
        stamped = event(turn_id=self.id, root_turn_id=self.root_id, **fields)
        if not event.DURABLE:
            self.process.emit(stamped)
            return
        changes, self.unsaved = self.unsaved, []
        commit = self.process.emit(stamped, *changes)
        if commit is not None and changes:
            self.owed.append(commit)

    async def saved(self) -> None:
        """Returns when all facts so far are durable. Raises: StoreError."""
        changes, self.unsaved = self.unsaved, []
        owed, self.owed = self.owed, []
        if changes:
            owed.append(self.conversation.store.submit(Together(tuple(changes))))
        for commit in owed:
            await commit.wait()

    @property
    def model_key(self) -> str:
        """The key of the next model call."""
        return model_key(self.id, self.conversation.steps_of(self.id))

    def tool_key(self, call: ToolCall) -> str:
        """The key of a call that the last reply makes."""
        return tool_key(self.id, self.conversation.steps_of(self.id) - 1, call.id)

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
        last = turn.conversation.of_turn(turn.id)[-1]
        if last.role == "assistant" and not last.tool_calls:  # it was said whole before a crash
            return await _finish(turn, "end_turn")
        for _ in range(turn.conversation.steps_of(turn.id), turn.agent.max_iterations):
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
        turn.unsaved.append(conversation.add(turn.id, message))
        turn.emit(TurnStarted, model=turn.equipment.model.name, message=message.text)
        return
    _recall(turn)
    open_ = conversation.open_calls(turn.id)
    repeatable = tuple(call for call in open_ if _may_repeat(turn, call))
    _give_up(turn, [call for call in open_ if call not in repeatable], UNKNOWN_OUTCOME, "unknown")
    turn.emit(TurnResumed)
    turn.emit(MessageReset, text=turn.text)
    await turn.saved()
    if repeatable:
        await run_tools(turn, repeatable)


def _recall(turn: Turn) -> None:
    """What finished steps said, called and cost, as the history and the journal have it."""
    conversation = turn.conversation
    open_ = conversation.open_calls(turn.id)
    turn.text = conversation.said_in(turn.id)
    calls = [call for message in conversation.of_turn(turn.id) for call in message.tool_calls]
    turn.calls = [call for call in calls if call not in open_]
    turn.usage, turn.cost_microusd = Usage(), 0
    for op in conversation.journal.of_turn(turn.id):
        if op.kind == "llm" and op.result is not None:
            turn.usage += Usage(**op.result["usage"])
            _add_cost(turn, op.result["cost"])


def _may_repeat(turn: Turn, call: ToolCall) -> bool:
    tool = turn.tools.get(call.name)
    if tool is None:
        return True  # it was never run, and will be refused again
    return tool.spec.idempotent or (bool(tool.spec.effects) and tool.spec.effects <= REPEATABLE_EFFECTS)


async def _ask_model(turn: Turn) -> Step:
    """Streams one reply and stores it whole. Its text is the turn's only once it is complete."""
    agent, model, metrics = turn.agent, turn.equipment.model, turn.process.metrics
    request = ModelRequest(
        messages=mended(turn.conversation.messages()),
        system=agent.system,
        tools=tuple(tool.spec for tool in turn.tools.values()),
        temperature=agent.temperature,
        max_tokens=agent.max_tokens,
    )
    metrics.iterations += 1
    key, journal, failpoint = turn.model_key, turn.conversation.journal, turn.equipment.failpoint
    turn.unsaved.append(journal.begin(turn.id, "llm", model.name, key, {"messages": len(request.messages)}))
    failpoint("before_begin")
    await turn.saved()
    failpoint("after_begin")
    before = (metrics.cost_microusd, metrics.unpriced_calls)
    try:
        failpoint("before_effect")
        step = await _stream_reply(turn, request)
        failpoint("after_effect")
        failpoint("before_finish")
    except ModelError as error:
        cost = _spent_since(before, metrics)  # broken attempts cost too
        turn.unsaved.append(
            journal.end(key, "failed", error_class=error.error_class.value, cost_microusd=cost or 0)
        )
        raise
    cost = _spent_since(before, metrics)
    result = {"usage": attrs.asdict(step.done.usage), "cost": cost, "stop_reason": step.done.stop_reason}
    turn.unsaved.append(journal.end(key, "done", result=result, cost_microusd=cost or 0))
    if step.done.stop_reason == "refusal":
        raise ModelError(f"{model.name} refused to answer; rephrase the request", ErrorClass.REFUSAL)
    turn.text += turn.partial
    turn.partial = ""
    if step.message.content:
        turn.unsaved.append(turn.conversation.add(turn.id, step.message))
    return step


async def _stream_reply(turn: Turn, request: ModelRequest) -> Step:
    turn.partial = ""
    answer = await ask_model(turn, await fitted(turn, request))
    calls, done = list(answer.calls), answer.done
    parts: list[Part] = [TextPart(turn.partial)] if turn.partial else []
    return Step(Message("assistant", [*parts, *_told_apart(calls)]), done)


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


def _spent_since(before: tuple[int, int], metrics: Metrics) -> int | None:
    """What a call cost with all its attempts, in micro-dollars; None when one of them has no known price."""
    cost, unpriced = before
    return None if metrics.unpriced_calls > unpriced else metrics.cost_microusd - cost


def _add_cost(turn: Turn, price: int | None) -> None:
    """An unknown price makes the whole unknown."""
    turn.cost_microusd = None if price is None or turn.cost_microusd is None else turn.cost_microusd + price


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
    _end(turn, end, **fields)
    with trio.CancelScope(shield=True):
        await turn.saved()
    turn.equipment.failpoint("before_ack")


def _end(turn: Turn, end: type[Event], **fields: Any) -> None:
    """The turn's last event, and with it what it leaves; its mail has been dealt with."""
    turn.unsaved += (SaveProcess(turn.process.row()), DropMail(turn.process.id, turn.id))
    turn.emit(end, **fields)
    turn.conversation.journal.forget(turn.id)


def stopped(turn: Turn) -> str:
    """Ends a turn that was cancelled: what had been said stays in the history. Returns the whole text.

    Synchronous, so that it can be done on the way out of a cancelled scope.
    """
    _give_up(turn, turn.conversation.open_calls(turn.id), CANCELLED, "failed")
    if turn.partial:
        turn.unsaved.append(turn.conversation.add(turn.id, Message("assistant", turn.partial)))
        turn.text += turn.partial
        turn.partial = ""
    _end(turn, TurnStopped, text=turn.text)
    return turn.text


def _give_up(turn: Turn, calls: Iterable[ToolCall], told: str, state: OpEnd) -> None:
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
    _recall(turn)
    _give_up(turn, turn.conversation.open_calls(turn.id), UNKNOWN_OUTCOME, "unknown")
    if turn.conversation.journal.is_open(turn.model_key):
        turn.unsaved.append(turn.conversation.journal.end(turn.model_key, "unknown", error_class="interrupted"))
    message = "interrupted: the process crashed twice while answering; ask again"
    return await _failed(turn, message, ErrorClass.INTERRUPTED)

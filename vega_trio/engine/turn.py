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

import attrs

from vega_trio._core.history import NOT_RUN, UNKNOWN_OUTCOME
from vega_trio._core.loops import END_AT
from vega_trio.engine.asking import path_of, share
from vega_trio.engine.calling import announce, ask_model, start_over
from vega_trio.engine.context import fitted
from vega_trio.engine.ending import failed, finish, give_up, recall
from vega_trio.engine.observing import observed
from vega_trio.engine.spending import balances, spent_since, spent_so_far
from vega_trio.engine.toolrun import run_tools
from vega_trio.engine.turn_state import Turn
from vega_trio.engine.typed import asking_for, correcting, read_output
from vega_trio.errors import ModelError
from vega_trio.events import MessageReset, TurnResumed, TurnStarted
from vega_trio.messages import Message, Part, TextPart, ToolCall
from vega_trio.protocols import ModelDone, ModelRequest
from vega_trio.session import ErrorClass, Reply

REPEATABLE_EFFECTS = frozenset({"read"})


@attrs.frozen
class Step:
    """One reply of the model."""

    message: Message
    done: ModelDone


async def run_turn(turn: Turn, message: Message) -> Reply:
    """Runs a turn to its end, or takes up one that a crash cut short.

    Raises: TurnFailed; ProcessExit and foreign exceptions from tools and the model adapter, which end the process.
    """
    with observed(turn) as span:
        reply = await _steps(turn, message)
        span.tell(usage=reply.usage, cost_usd=reply.cost_usd)
        return reply


async def _steps(turn: Turn, message: Message) -> Reply:
    """Raises: as `run_turn`."""
    try:
        await _begin_or_resume(turn, message)
        last = turn.conversation.of_turn(turn.id)[-1]
        if last.role == "assistant" and not last.tool_calls:  # it was said whole before a crash
            return await finish(turn, "end_turn")
        for _ in range(turn.conversation.steps_of(turn.id), turn.agent.max_iterations):
            step = await _ask_model(turn)
            if step.done.stop_reason == "pause_turn" and not step.message.tool_calls:
                continue  # the provider wants to be asked to go on
            if not step.message.tool_calls:
                return await finish(turn, step.done.stop_reason)
            await _refuse_loop(turn, step.message.tool_calls)
            await run_tools(turn, step.message.tool_calls)
    except ModelError as error:
        stop_reason = "refusal" if error.error_class is ErrorClass.REFUSAL else "error"
        raise await failed(turn, str(error), error.error_class, stop_reason=stop_reason) from error
    limit = turn.agent.max_iterations
    message_text = f"{turn.agent.name!r} reached max_iterations ({limit}) without an answer; raise it or ask for less"
    raise await failed(turn, message_text, ErrorClass.LIMIT_EXCEEDED, stop_reason="max_iterations")


async def _refuse_loop(turn: Turn, calls: tuple[ToolCall, ...]) -> None:
    """Raises: TurnFailed when the model makes the same call over and over."""
    times = turn.conversation.times_called(turn.id)
    again = next((call for call in calls if times[call.id] >= END_AT), None)
    if again is None:
        return
    give_up(turn, calls, NOT_RUN, "failed")
    message = (
        f"{turn.agent.name!r} called {again.name!r} {times[again.id]} times with the same arguments and was stopped;"
        " say in the prompt what to do when a result does not help"
    )
    raise await failed(turn, message, ErrorClass.LIMIT_EXCEEDED, stop_reason="doom_loop")


async def _begin_or_resume(turn: Turn, message: Message) -> None:
    conversation = turn.conversation
    if not conversation.of_turn(turn.id):
        share(turn)
        turn.unsaved.append(conversation.add(turn.id, message))
        turn.conversation.path = path_of(turn)
        turn.emit(TurnStarted, model=turn.equipment.model.name, message=message.text, path=turn.conversation.path)
        await _ready(turn)
        return
    await _ready(turn)
    recall(turn)
    share(turn)
    open_ = conversation.open_calls(turn.id)
    repeatable = tuple(call for call in open_ if _may_repeat(turn, call))
    give_up(turn, [call for call in open_ if call not in repeatable], UNKNOWN_OUTCOME, "unknown")
    turn.emit(TurnResumed)
    turn.emit(MessageReset, text=turn.text)
    await turn.saved()
    if repeatable:
        await run_tools(turn, repeatable)


async def _ready(turn: Turn) -> None:
    """Waits for sources that are starting, and takes in what is remembered of the user."""
    await turn.equipment.ready()
    turn.conversation.brought |= turn.equipment.seen
    memory = turn.equipment.memory
    told = await memory.told(turn.process) if memory is not None else None
    if told is not None:
        turn.remembered = told.text
        turn.conversation.brought |= told.seen


def _may_repeat(turn: Turn, call: ToolCall) -> bool:
    tool = turn.tools.get(call.name)
    if tool is None:
        return True  # it was never run, and will be refused again
    if not turn.conversation.journal.attempts(turn.tool_key(call)) or tool.spec.approval == "always":
        return True  # it has not begun, or a person decides about doing it again
    return tool.spec.idempotent or (bool(tool.spec.effects) and tool.spec.effects <= REPEATABLE_EFFECTS)


async def _ask_model(turn: Turn) -> Step:
    """Streams one reply and stores it whole. Its text is the turn's only once it is complete."""
    agent, model, metrics = turn.agent, turn.equipment.model, turn.process.metrics
    output = turn.equipment.output
    request = ModelRequest(
        messages=turn.conversation.mended(),
        system=turn.system if output is None else asking_for(output, turn.system),
        tools=tuple(tool.spec for tool in turn.tools.values()),
        temperature=agent.temperature,
        max_tokens=agent.max_tokens,
        output_schema=None if output is None else output.schema,
        key=turn.model_key,
        thinking=agent.thinking,
    )
    metrics.iterations += 1
    key, journal, failpoint = request.key, turn.conversation.journal, turn.equipment.failpoint
    turn.unsaved.append(journal.begin(turn.id, "llm", model.name, key, {"messages": len(request.messages)}))
    failpoint("before_begin")
    await turn.saved()
    failpoint("after_begin")
    before = spent_so_far(metrics)
    try:
        failpoint("before_effect")
        step = await _stream_reply(turn, request)
        failpoint("after_effect")
        failpoint("before_finish")
    except ModelError as error:
        turn.unsaved += (journal.end(key, "failed", error_class=error.error_class.value), *balances())
        raise
    cost = spent_since(before, metrics)
    result = {"usage": attrs.asdict(step.done.usage), "cost": cost, "stop_reason": step.done.stop_reason}
    turn.unsaved += (journal.end(key, "done", result=result), *balances())
    if step.done.stop_reason == "refusal":
        raise ModelError(f"{model.name} refused to answer; rephrase the request", ErrorClass.REFUSAL)
    turn.text += turn.partial
    turn.partial = ""
    if step.message.content:
        turn.unsaved.append(turn.conversation.add(turn.id, step.message))
    return step


async def _stream_reply(turn: Turn, request: ModelRequest) -> Step:
    """A reply, of the agent's output type if it has one; a reply that is not is corrected once. Raises: ModelError."""
    turn.partial = ""
    request = await fitted(turn, request)
    step = await _reply(turn, request)
    problem = _misfit(turn, step)
    if not problem:
        return step
    announce(turn, problem, 2, 0.0, turn.equipment.model)
    said = turn.partial
    start_over(turn)
    step = await _reply(turn, correcting(request, said, problem))
    problem = _misfit(turn, step)
    if problem:
        raise problem
    return step


def _misfit(turn: Turn, step: Step) -> ModelError | None:
    """Why the reply is not of the agent's output type."""
    output = turn.equipment.output
    if output is None or step.message.tool_calls or step.done.stop_reason == "refusal":
        return None
    try:
        read_output(output, step.message.text)
    except ModelError as misfit:
        return misfit
    return None


async def _reply(turn: Turn, request: ModelRequest) -> Step:
    answer = await ask_model(turn, request)
    calls, done = list(answer.calls), answer.done
    parts: list[Part] = [TextPart(turn.partial)] if turn.partial else []
    return Step(Message("assistant", [*answer.thoughts, *parts, *_told_apart(calls)]), done)


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

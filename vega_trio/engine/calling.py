"""One answer of a model, whatever it takes: limits before an attempt, a pause after it, at last another model.

    ask_model
      attempt         breaker, pause, rates, budget; then the call, within its time limit
        failed?       retried by the agent's policy; what was shown of the answer is taken back first
      spent?          the fallback model, once

The caller sees one answer or one failure. What a broken attempt had said is neither kept nor doubled.
"""

from __future__ import annotations

import attrs
import trio

from vega_trio._core.breaker import Breaker
from vega_trio._core.retrying import is_refusal_of_ours, may_fall_back, pause_before_retry
from vega_trio._core.window import about_tokens
from vega_trio.engine.limits import DOWN, Limiter
from vega_trio.engine.logs import log_call
from vega_trio.engine.spending import Held, hold, spent_so_far
from vega_trio.engine.turn_state import Turn
from vega_trio.errors import BudgetExceeded, ModelError
from vega_trio.events import (
    BreakerClosed,
    BreakerHalfOpen,
    BreakerOpened,
    LlmRetry,
    MessageReset,
    TextDelta,
    ThinkingDelta,
)
from vega_trio.messages import ThinkingPart, ToolCall, well_formed, well_formed_call
from vega_trio.protocols import Model, ModelDone, ModelRequest, TextChunk, ThinkingChunk
from vega_trio.runtime import hooks
from vega_trio.session import ErrorClass


@attrs.frozen
class ModelAnswer:
    """A complete answer; its text is the turn's `partial`. Broken attempts before it are in the turn's cost too."""

    calls: tuple[ToolCall, ...]
    done: ModelDone
    thoughts: tuple[ThinkingPart, ...] = ()


@attrs.define
class _Heard:
    """What has come of an answer beside its text; `thought_bytes` counts thinking, which is billed like text."""

    calls: list[ToolCall] = attrs.field(factory=list)
    thoughts: list[ThinkingPart] = attrs.field(factory=list)
    thought_bytes: int = 0

    def size(self, partial: str) -> int:
        """Of the whole answer so far, in bytes."""
        return _bytes(partial) + self.thought_bytes + sum(len(repr(call)) for call in self.calls)


async def ask_model(turn: Turn, request: ModelRequest) -> ModelAnswer:
    """Raises: ModelError, that of the last attempt."""
    policy, limits = turn.agent.retry, turn.equipment.limits
    attempt = 1
    while True:
        try:
            return await _attempt(turn, turn.equipment.model, request, attempt)
        except ModelError as error:
            failure = error
        pause = pause_before_retry(policy, attempt, failure, limits.rand())
        if pause is None:
            return await _fall_back(turn, request, failure, attempt)
        attempt += 1
        announce(turn, failure, attempt, pause, turn.equipment.model)
        await trio.sleep(pause)
        start_over(turn)


async def _fall_back(turn: Turn, request: ModelRequest, failure: ModelError, attempt: int) -> ModelAnswer:
    """The other model's answer, where there is one and the first model is to blame. Raises: ModelError."""
    other = turn.equipment.fallback
    if other is None or not may_fall_back(turn.agent.retry, failure):
        raise failure
    announce(turn, failure, attempt + 1, 0.0, other)
    start_over(turn)
    return await _attempt(turn, other, request, attempt + 1)


def announce(turn: Turn, failure: ModelError, attempt: int, pause: float, model: Model) -> None:
    """Says that the model is asked once more, and why."""
    turn.emit(
        LlmRetry,
        error_class=failure.error_class.value,
        attempt=attempt,
        max_attempts=turn.agent.retry.max_attempts,
        delay_ms=round(pause * 1000),
        model=model.name,
        error=str(failure),
    )


def start_over(turn: Turn) -> None:
    """Takes back what was shown of an answer; after the pause, so that a turn stopped meanwhile keeps it."""
    if turn.partial:
        turn.partial = ""
        if not turn.quiet:
            turn.emit(MessageReset, text=turn.text)


async def _attempt(turn: Turn, model: Model, request: ModelRequest, attempt: int) -> ModelAnswer:
    """One call within all limits. Raises: ModelError."""
    agent, limits = turn.agent, turn.equipment.limits
    limits.breaker(agent, model)  # asked first, so that nobody waits for a model that is not called
    await limits.keep_pace(agent, model)
    limiters = limits.limiters(agent, model)
    guess = about_tokens(request) if any(limiter.tokens is not None for limiter in limiters) else 0
    for limiter in limiters:
        await limiter.enter(guess)
    held = await hold(turn, model, request)
    called_at, before = trio.current_time(), spent_so_far(turn.process.metrics)
    try:
        answer = await _observed(turn, held, limits.breaker(agent, model))
        limits.pace(model).went_well()
        log_call(turn, model, attempt, called_at, before, answer.done.usage)
    except ModelError as error:
        error.args = (turn.equipment.redact(str(error)),)  # a provider may repeat what it was sent
        log_call(turn, model, attempt, called_at, before, error)
        if not is_refusal_of_ours(error):
            limits.slow_down(model, error, called_at)
        raise
    finally:
        held.release()
    _correct(limiters, guess, answer)
    if held.shortened and answer.done.stop_reason == "max_tokens":
        raise BudgetExceeded(
            f"budget exceeded: the answer was cut off at {held.request.max_tokens} tokens, all that the budget had left"
        )
    return answer


async def _observed(turn: Turn, held: Held, breaker: Breaker | None) -> ModelAnswer:
    """The call as whoever observes the program sees it. Raises: ModelError."""
    telemetry, model = turn.equipment.telemetry, held.model.name
    with telemetry.chat(model, held.request) as span:
        try:
            answer = await _guarded(turn, held, breaker)
        except ModelError as error:
            span.fail(error.error_class.value, turn.equipment.redact(str(error)))
            raise
        span.tell(usage=answer.done.usage, stop_reason=answer.done.stop_reason, said=turn.partial, calls=answer.calls)
    telemetry.tokens(model, answer.done.usage)
    return answer


def _correct(limiters: list[Limiter], guess: int, answer: ModelAnswer) -> None:
    usage = answer.done.usage
    used = usage.input_tokens + usage.cache_write_tokens + usage.output_tokens
    for limiter in limiters:
        limiter.correct(guess, used)


async def _guarded(turn: Turn, held: Held, breaker: Breaker | None) -> ModelAnswer:
    """The call, its outcome told to the breaker. Raises: ModelError."""
    if breaker is None:
        return await _paid(turn, held)
    model = held.model.name
    if breaker.admit():
        _changed(turn, breaker, model)
    period, told = breaker.period, False
    try:
        answer = await _paid(turn, held)
        told = True
        if breaker.succeeded(period):
            _changed(turn, breaker, model)
        return answer
    except ModelError as error:
        if error.error_class in DOWN and not is_refusal_of_ours(error):
            told = True
            if breaker.failed(period, trio.current_time()):
                _changed(turn, breaker, model)
        raise
    finally:
        if not told:
            breaker.abandoned(period)


def _changed(turn: Turn, breaker: Breaker, model: str) -> None:
    match breaker.state:
        case "open":
            turn.emit(BreakerOpened, model=model, reset_after_ms=round(breaker.config.reset_after * 1000))
        case "half_open":
            turn.emit(BreakerHalfOpen, model=model)
        case "closed":
            turn.emit(BreakerClosed, model=model)
    hooks.tell(turn.process, "on_change", breaker.config.on_change, model, breaker.state)


async def _paid(turn: Turn, held: Held) -> ModelAnswer:
    """The call, charged by how it ended: in full, up to where it broke off, or not at all. Raises: ModelError."""
    heard = _Heard()
    charged = False
    try:
        done = await _stream(turn, held.model, held.request, heard)
        held.settle(done.usage)
        charged = True
    except ModelError as error:
        charged = not heard.size(turn.partial) and error.error_class is not ErrorClass.TIMEOUT
        raise
    finally:
        if not charged:  # broken off or given up: the provider may bill for what it did until then
            held.lose(heard.size(turn.partial))
    return ModelAnswer(tuple(heard.calls), done, tuple(heard.thoughts))


async def _stream(turn: Turn, model: Model, request: ModelRequest, heard: _Heard) -> ModelDone:
    """Streams into `turn.partial` and `heard`. Raises: ModelError, also when the answer has no end."""
    done: ModelDone | None = None
    limit_s = turn.equipment.limits.call_timeout_s
    with trio.move_on_after(limit_s) as scope:
        async with model.stream(request) as events:
            async for event in events:
                match event:
                    case TextChunk(text=text):
                        text = well_formed(text)
                        turn.partial += text
                        if not turn.quiet:
                            turn.emit(TextDelta, delta=text)
                    case ThinkingChunk(text=text):
                        heard.thought_bytes += _bytes(text)
                        if not turn.quiet:
                            turn.emit(ThinkingDelta, delta=text)
                    case ThinkingPart():
                        heard.thoughts.append(event)
                    case ToolCall():
                        heard.calls.append(well_formed_call(event))
                    case ModelDone():
                        done = event
                    case _:
                        raise TypeError(f"{model.name} gave {event!r}, which is no event of a model")
    if done is not None:
        return done
    if scope.cancelled_caught:
        message = f"{model.name} did not finish its answer within {limit_s:g} s; raise VEGA_TIMEOUT"
        raise ModelError(message, ErrorClass.TIMEOUT)
    raise ModelError(f"the answer of {model.name} ended in the middle; try again", ErrorClass.TEMPORARY)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))

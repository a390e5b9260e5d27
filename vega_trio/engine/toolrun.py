"""The tool calls of one reply, side by side. Tools report; the turn's task emits and stores."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import attrs
import trio

from vega_trio._core.history import CANCELLED, UNKNOWN_OUTCOME
from vega_trio._core.loops import warning
from vega_trio.changes import OpEnd, SaveProcess
from vega_trio.context import ToolContext
from vega_trio.errors import ModelError, ProcessExit, ToolError, ToolRetry, did_you_mean
from vega_trio.events import ToolEnd, ToolStart
from vega_trio.messages import Message, ToolCall, ToolResult
from vega_trio.session import ErrorClass

if TYPE_CHECKING:
    from vega_trio.engine.turn import Turn
    from vega_trio.protocols import Tool


TOOL_RETRIES = 5
"""How often in a row a tool may ask for better arguments (`ToolRetry`, wrong ones included) before the turn ends."""


@attrs.frozen
class Outcome:
    """`retry`: the tool asked to be called again, differently."""

    call: ToolCall
    result: ToolResult
    duration_ms: int
    retry: bool = False


async def run_tools(turn: Turn, calls: tuple[ToolCall, ...]) -> None:
    """Runs the calls, once the journal has them, and stores each result as it comes.

    Each ToolStart gets its ToolEnd, also when the turn is cancelled or the process dies underneath.

    Raises: ProcessExit from a tool (possibly in a group), which ends the process; ModelError when a tool asked for
        better arguments too often.
    """
    running = {call.id: (call, trio.current_time()) for call in calls}
    journal, failpoint = turn.conversation.journal, turn.equipment.failpoint
    for call in calls:
        request = {"arguments": call.arguments}
        turn.unsaved.append(journal.begin(turn.id, "tool", call.name, turn.tool_key(call), request))
        turn.calls.append(call)
        turn.process.metrics.tool_calls += 1
    turn.unsaved.append(SaveProcess(turn.process.row()))
    for call in calls:
        turn.emit(ToolStart, tool_call_id=call.id, tool_name=call.name, arguments=dict(call.arguments))
    report, outcomes = trio.open_memory_channel[Outcome](len(calls))
    retried: dict[str, bool] = {}
    try:
        failpoint("before_begin")
        await turn.saved()
        failpoint("after_begin")
        async with trio.open_nursery() as nursery:
            for call in calls:
                nursery.start_soon(_run_one, turn, call, report)
            for _ in calls:
                outcome = await outcomes.receive()
                del running[outcome.call.id]
                retried[outcome.call.name] = retried.get(outcome.call.name, True) and outcome.retry
                await _record(turn, outcome)
    finally:
        for call, started in running.values():
            turn.emit(
                ToolEnd,
                tool_call_id=call.id,
                tool_name=call.name,
                result=CANCELLED if turn.stopping else UNKNOWN_OUTCOME,
                duration_ms=_ms_since(started),
                error=True,
            )


    _count_retries(turn, retried)


def _count_retries(turn: Turn, retried: Mapping[str, bool]) -> None:
    """`retried`: whether all calls of a tool in this reply were asked to be made again. Raises: ModelError."""
    for name, again in retried.items():
        turn.retries[name] = turn.retries.get(name, 0) + 1 if again else 0
        if turn.retries[name] > TOOL_RETRIES:
            message = f"the model called {name!r} with arguments that it refused {turn.retries[name]} times in a row"
            raise ModelError(f"{message}; describe its parameters better", ErrorClass.LIMIT_EXCEEDED)


async def _record(turn: Turn, outcome: Outcome) -> None:
    call, result = outcome.call, outcome.result
    turn.equipment.failpoint("before_finish")
    if result.is_error:
        turn.process.metrics.errors += 1
    state: OpEnd = "failed" if result.is_error else "done"
    turn.unsaved += (
        turn.conversation.add(turn.id, Message("user", result)),
        turn.conversation.journal.end(turn.tool_key(call), state, error_class="tool_error" if result.is_error else ""),
    )
    turn.emit(
        ToolEnd,
        tool_call_id=call.id,
        tool_name=call.name,
        result=result.content,
        duration_ms=outcome.duration_ms,
        error=result.is_error,
    )
    await turn.saved()


async def _run_one(turn: Turn, call: ToolCall, report: trio.MemorySendChannel[Outcome]) -> None:
    started = trio.current_time()
    tool = turn.tools.get(call.name)
    retry = False
    if tool is None:
        hint = did_you_mean(call.name, turn.tools)
        content, failed = f"Error: tool {call.name!r} is not available to this agent{hint}", True
    else:
        try:
            content, failed = await _guarded(turn, tool, call)
        except ToolRetry as asked:
            content, failed, retry = f"Error: {asked}", True, True
    content += warning(turn.conversation.times_called(turn.id)[call.id])
    result = ToolResult(call.id, content, is_error=failed)
    report.send_nowait(Outcome(call, result, _ms_since(started), retry))


async def _guarded(turn: Turn, tool: Tool, call: ToolCall) -> tuple[str, bool]:
    """The tool's text, or its failure told to the model; only a ProcessExit and a ToolRetry get through."""
    timeout_s = tool.spec.timeout_s
    try:
        with trio.move_on_after(timeout_s if timeout_s is not None else float("inf")):
            turn.equipment.failpoint("before_effect")
            text = await tool.call(call.arguments, _context(turn, call))
            turn.equipment.failpoint("after_effect")
            return text, False
        return f"Error: {call.name} did not finish within {timeout_s:g} s", True
    except ToolRetry:
        raise
    except ToolError as error:
        return f"Error: {error}", True
    except ProcessExit:
        raise
    except Exception as error:
        if isinstance(error, BaseExceptionGroup) and error.subgroup(ProcessExit) is not None:
            raise
        return f"Error: {type(error).__name__}: {error}", True


def _context(turn: Turn, call: ToolCall) -> ToolContext:
    return ToolContext(
        process=turn.process,
        turn_id=turn.id,
        tool_call_id=call.id,
        idempotency_key=turn.tool_key(call),
        session=turn.process.session,
        spawn=turn.process.spawn,
        ask=partial(turn.equipment.ask, turn.process),
    )


def _ms_since(started: float) -> int:
    return round((trio.current_time() - started) * 1000)

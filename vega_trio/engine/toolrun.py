"""The tool calls of one reply, side by side. Tools report; the turn's task emits and stores."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs
import trio

from vega_trio._core.history import CANCELLED, UNKNOWN_OUTCOME
from vega_trio.changes import OpEnd, SaveProcess
from vega_trio.context import ToolContext
from vega_trio.errors import ProcessExit, ToolError, did_you_mean
from vega_trio.events import ToolEnd, ToolStart
from vega_trio.messages import Message, ToolCall, ToolResult

if TYPE_CHECKING:
    from vega_trio.engine.turn import Turn
    from vega_trio.protocols import Tool


@attrs.frozen
class Outcome:
    call: ToolCall
    result: ToolResult
    duration_ms: int


async def run_tools(turn: Turn, calls: tuple[ToolCall, ...]) -> None:
    """Runs the calls, once the journal has them, and stores each result as it comes.

    Each ToolStart gets its ToolEnd, also when the turn is cancelled or the process dies underneath.

    Raises: ProcessExit from a tool (possibly in a group), which ends the process.
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
    if tool is None:
        hint = did_you_mean(call.name, turn.tools)
        content, failed = f"Error: tool {call.name!r} is not available to this agent{hint}", True
    else:
        content, failed = await _guarded(turn, tool, call)
    result = ToolResult(call.id, content, is_error=failed)
    report.send_nowait(Outcome(call, result, _ms_since(started)))


async def _guarded(turn: Turn, tool: Tool, call: ToolCall) -> tuple[str, bool]:
    """The tool's text, or its failure told to the model; only a ProcessExit gets through."""
    timeout_s = tool.spec.timeout_s
    try:
        with trio.move_on_after(timeout_s if timeout_s is not None else float("inf")):
            turn.equipment.failpoint("before_effect")
            text = await tool.call(call.arguments, _context(turn, call))
            turn.equipment.failpoint("after_effect")
            return text, False
        return f"Error: {call.name} did not finish within {timeout_s:g} s", True
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

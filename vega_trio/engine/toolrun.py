"""The tool calls of one reply, side by side. Calls report; the turn's task emits and stores.

begin      the journal has every call before it is made; one that a person must approve, when that person has
run        each in a task of its own, that reports its outcome, or what the person decided
record     each result as it comes; whatever happens, each ToolStart gets its ToolEnd
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import trio

from vega_trio._core.history import CANCELLED, UNKNOWN_OUTCOME
from vega_trio.changes import OpEnd, SaveProcess
from vega_trio.engine.approvals import Approval
from vega_trio.engine.asking import Wanted, allowed, ask, share, wanted
from vega_trio.engine.toolcall import Outcome, ms_since, run_call
from vega_trio.engine.turn_state import Turn
from vega_trio.errors import ModelError
from vega_trio.events import ToolEnd, ToolStart
from vega_trio.messages import Message, ToolCall, ToolResult, content_id
from vega_trio.session import ErrorClass

TOOL_RETRIES = 5
"""How often in a row a tool may ask for better arguments (`ToolRetry`, wrong ones included) before the turn ends."""


@attrs.frozen
class Decided:
    """What a person said about a call, or time did."""

    wanted: Wanted
    settled: Approval


@attrs.define
class _Run:
    """The calls of one reply. `running` holds those without a result and when they were asked for; `retried`, by
    tool, whether all of its calls were asked to be made again."""

    turn: Turn
    running: dict[str, tuple[ToolCall, float]]
    waiting: dict[str, Wanted]
    report: trio.MemorySendChannel[Outcome | Decided]
    retried: dict[str, bool] = attrs.field(factory=dict)


async def run_tools(turn: Turn, calls: tuple[ToolCall, ...]) -> None:
    """Runs the calls, once the journal has them, and stores each result as it comes.

    Raises: ProcessExit from a tool (possibly in a group), which ends the process; ModelError when a tool asked for
        better arguments too often.
    """
    report, reports = trio.open_memory_channel[Outcome | Decided](2 * len(calls))
    waiting = await wanted(turn, calls)
    run = _Run(turn, {call.id: (call, trio.current_time()) for call in calls}, waiting, report)
    _announce(run, calls)
    try:
        turn.equipment.failpoint("before_begin")
        await turn.saved()
        turn.equipment.failpoint("after_begin")
        async with trio.open_nursery() as nursery:
            for call in calls:
                if call.id in waiting:
                    nursery.start_soon(_wait, run, waiting[call.id])
                else:
                    nursery.start_soon(_call, run, call)
            while run.running:
                await _take(run, await reports.receive(), nursery)
    finally:
        _leave(run)
    _count_retries(run)


def _announce(run: _Run, calls: tuple[ToolCall, ...]) -> None:
    turn = run.turn
    _begin(turn, (call for call in calls if call.id not in run.waiting))
    turn.calls += calls
    turn.process.metrics.tool_calls += len(calls)
    turn.unsaved.append(SaveProcess(turn.process.row()))
    for call in calls:
        turn.emit(ToolStart, tool_call_id=call.id, tool_name=call.name, arguments=dict(call.arguments))
    for each in run.waiting.values():
        ask(turn, each)


def _begin(turn: Turn, calls: Iterable[ToolCall]) -> None:
    """Writes into the journal that the calls are made."""
    for call in calls:
        request = {"arguments": call.arguments}
        turn.unsaved.append(turn.conversation.journal.begin(turn.id, "tool", call.name, turn.tool_key(call), request))


async def _call(run: _Run, call: ToolCall, changed: bool = False) -> None:
    run.report.send_nowait(await run_call(run.turn, call, changed=changed))


async def _wait(run: _Run, wanted: Wanted) -> None:
    run.report.send_nowait(Decided(wanted, await run.turn.equipment.approvals.decided(wanted.approval)))


async def _take(run: _Run, report: Outcome | Decided, nursery: trio.Nursery) -> None:
    """What the turn's task does about a report."""
    match report:
        case Outcome(call=call):
            del run.running[call.id]
            run.retried[call.name] = run.retried.get(call.name, True) and report.retry
            await _record(run.turn, report)
        case Decided(wanted=wanted, settled=settled):
            call = wanted.call
            del run.waiting[call.id]
            run.turn.process.waiting_on = next((each.name for each in run.waiting.values()), "")
            what = allowed(wanted, settled)
            if isinstance(what, str):
                _, started = run.running.pop(call.id)
                result = ToolResult(call.id, what, is_error=True)
                await _record(run.turn, Outcome(call, result, ms_since(started)))
            else:
                _begin(run.turn, [what])
                await run.turn.saved()
                nursery.start_soon(_call, run, what, settled.changed is not None)


async def _record(turn: Turn, outcome: Outcome) -> None:
    call, result = outcome.call, outcome.result
    turn.equipment.failpoint("before_finish")
    if result.is_error:
        turn.process.metrics.errors += 1
    turn.unsaved.append(turn.conversation.add(turn.id, Message("user", result)))
    share(turn)
    key, journal = turn.tool_key(call), turn.conversation.journal
    if journal.is_open(key):  # a call that was denied has not begun
        state: OpEnd = "failed" if result.is_error else "done"
        brought = turn.conversation.brought
        kept = {"seen": sorted(brought)} if brought else None
        turn.unsaved.append(journal.end(key, state, result=kept, error_class="tool_error" if result.is_error else ""))
    turn.emit(
        ToolEnd,
        tool_call_id=call.id,
        tool_name=call.name,
        result=result.content,
        duration_ms=outcome.duration_ms,
        error=result.is_error,
        images=tuple(content_id(image.data) for image in result.images),
    )
    await turn.saved()


def _leave(run: _Run) -> None:
    """Nothing is left open: requests of a turn that was stopped are withdrawn, unfinished calls get their end."""
    turn = run.turn
    turn.process.waiting_on = ""
    for each in run.waiting.values() if turn.stopping else ():
        turn.equipment.approvals.withdraw(each.approval)
    for call, started in run.running.values():
        turn.emit(
            ToolEnd,
            tool_call_id=call.id,
            tool_name=call.name,
            result=CANCELLED if turn.stopping else UNKNOWN_OUTCOME,
            duration_ms=ms_since(started),
            error=True,
        )


def _count_retries(run: _Run) -> None:
    """Raises: ModelError."""
    turn = run.turn
    for name, again in run.retried.items():
        turn.retries[name] = turn.retries.get(name, 0) + 1 if again else 0
        if turn.retries[name] > TOOL_RETRIES:
            message = f"the model called {name!r} with arguments that it refused {turn.retries[name]} times in a row"
            raise ModelError(f"{message}; describe its parameters better", ErrorClass.LIMIT_EXCEEDED)

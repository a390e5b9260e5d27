"""One tool call: looked up, run within its time, its failure told to the model. Knows nothing of events or stores."""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs
import trio

from vega_trio._core.capping import cap
from vega_trio._core.codec import encode_json
from vega_trio._core.loops import warning
from vega_trio.agent import Agent, SupervisorSpec
from vega_trio.context import ToolContext
from vega_trio.engine.progress import Reporter
from vega_trio.engine.turn_state import Turn
from vega_trio.errors import ProcessExit, ToolError, ToolRetry, did_you_mean
from vega_trio.exits import shown, told
from vega_trio.messages import ImagePart, ToolCall, ToolResult
from vega_trio.protocols import Tool


@attrs.frozen
class Outcome:
    """`retry`: the tool asked to be called again, differently."""

    call: ToolCall
    result: ToolResult
    duration_ms: int
    retry: bool = False


async def run_call(turn: Turn, call: ToolCall, *, changed: bool = False) -> Outcome:
    """Makes the call. `changed`: a person put other arguments in the place of the model's, who has to know.

    Raises: ProcessExit from the tool, possibly in a group.
    """
    started = trio.current_time()
    tool = turn.tools.get(call.name)
    retry = False
    images: tuple[ImagePart, ...] = ()
    if tool is None:
        hint = did_you_mean(call.name, turn.tools)
        content, failed = f"Error: tool {call.name!r} is not available to this agent{hint}", True
    else:
        with turn.equipment.telemetry.tool(call.name, call.id) as span:
            try:
                content, images, failed = await _guarded(turn, tool, call)
            except ToolRetry as asked:
                content, failed, retry = f"Error: {shown(asked)}", True, True
            if failed:
                span.fail("tool_error")
    content = cap(turn.equipment.redact(content))
    if changed:
        content += f"\n[a person changed the arguments of this call to {encode_json(call.arguments).decode()}]"
    content += warning(turn.conversation.times_called(turn.id)[call.id])
    return Outcome(call, ToolResult(call.id, content, failed, images), ms_since(started), retry)


async def _guarded(turn: Turn, tool: Tool, call: ToolCall) -> tuple[str, tuple[ImagePart, ...], bool]:
    """The tool's text and images, or its failure told to the model; only a ProcessExit and a ToolRetry get through."""
    timeout_s, reporter = tool.spec.timeout_s, Reporter(turn, call)
    try:
        with trio.move_on_after(timeout_s if timeout_s is not None else float("inf")):
            turn.equipment.failpoint("before_effect")
            given = await tool.call(call.arguments, _context(turn, call, reporter))
            turn.equipment.failpoint("after_effect")
            return (given, (), False) if isinstance(given, str) else (given.text, given.images, False)
        return f"Error: {call.name} did not finish within {timeout_s:g} s", (), True
    except ToolRetry:
        raise
    except ToolError as error:
        return f"Error: {shown(error)}", (), True
    except ProcessExit:
        raise
    except BaseExceptionGroup as group:
        if group.subgroup(ProcessExit) is not None or group.split((Exception, SystemExit))[1] is not None:
            raise
        return f"Error: {told(group)}", (), True
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the tool runner; a call of sys.exit must not end us
        return f"Error: {told(error)}", (), True
    finally:
        reporter.end()


def _context(turn: Turn, call: ToolCall, reporter: Reporter) -> ToolContext:
    return ToolContext(
        process=turn.process,
        turn_id=turn.id,
        tool_call_id=call.id,
        idempotency_key=turn.tool_key(call),
        session=turn.process.session,
        spawn=partial(_spawn, turn),
        ask=partial(turn.equipment.ask, turn.process),
        progress=reporter,
    )


def _spawn(turn: Turn, body: Any, /, **options: Any) -> Any:
    """A child of the process; agents among what is spawned get at most the tools of this turn."""
    return turn.process.spawn(_within(turn, body), **options)


def _within(turn: Turn, body: Any) -> Any:
    match body:
        case Agent():
            return turn.equipment.within(body, turn.tools)
        case SupervisorSpec(children=children):
            limited: Any = tuple(attrs.evolve(each, body=_within(turn, each.body)) for each in children)
            return attrs.evolve(body, children=limited)
        case _:
            return body


def ms_since(started: float) -> int:
    return round((trio.current_time() - started) * 1000)

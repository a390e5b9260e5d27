"""A turn's side of approvals: which of its calls wait for a person, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from vega_trio._core.approving import approval_id, fingerprint, reason_to_ask
from vega_trio._core.wire import rfc3339
from vega_trio.engine.approvals import Approval
from vega_trio.engine.conversation import Conversation
from vega_trio.engine.turn_state import Turn
from vega_trio.errors import UnknownProcess
from vega_trio.events import ApprovalAwaited, ApprovalRequested, ProcessWaiting
from vega_trio.messages import ToolCall
from vega_trio.protocols import Tool
from vega_trio.runtime.process import Process


@attrs.frozen
class Wanted:
    """A call that waits for its approval; `known` when that had been asked for before the turn was taken up."""

    call: ToolCall
    approval: Approval
    known: bool

    @property
    def name(self) -> str:
        """What the process says it waits for."""
        return f"approval {self.approval.id}"


async def wanted(turn: Turn, calls: Iterable[ToolCall]) -> dict[str, Wanted]:
    """The calls that wait for a person, by call id. Nothing is asked yet."""
    share(turn)
    found = {}
    for call in calls:
        tool = turn.tools.get(call.name)
        reason = _reason(turn, call, tool) if tool is not None else ""
        if reason:
            new = _new(turn, call, reason)
            old = await turn.equipment.approvals.find(new.id)
            found[call.id] = Wanted(call, new if old is None else old, known=old is not None)
    return found


def _reason(turn: Turn, call: ToolCall, tool: Tool) -> str:
    reason = reason_to_ask(tool.spec, turn.equipment.approvals.rules, turn.conversation.seen)
    if not reason and tool.spec.asks is not None:
        reason = tool.spec.asks(call.arguments)
    if reason and turn.conversation.journal.attempts(turn.tool_key(call)):
        reason += "; it had begun when the program stopped, and may have taken effect already"
    return reason


def _new(turn: Turn, call: ToolCall, reason: str) -> Approval:
    process, approvals = turn.process, turn.equipment.approvals
    bound = fingerprint(call.name, call.arguments, process.id)
    key = turn.tool_key(call)
    now = turn.equipment.wall_clock()
    return Approval(
        id=approval_id(bound, key, turn.conversation.journal.attempts(key) + 1),
        process_id=process.id,
        agent=turn.agent.name,
        tool_name=call.name,
        arguments=dict(call.arguments),
        reason=reason,
        created_at=now,
        expires_at=now + approvals.rules.timeout_s,
        bound=bound,
        session_id=process.session.id if process.session is not None else None,
        turn_id=turn.id,
        root_turn_id=turn.root_id,
        tool_call_id=call.id,
    )


def ask(turn: Turn, wanted: Wanted) -> None:
    """Opens the request, or says that the turn still waits for it."""
    approval = wanted.approval
    shown = {
        "approval_id": approval.id,
        "tool_call_id": approval.tool_call_id,
        "tool_name": approval.tool_name,
        "arguments": dict(approval.arguments),
        "reason": approval.reason,
        "expires_at": rfc3339(approval.expires_at),
    }
    if not wanted.known:
        turn.unsaved.append(turn.equipment.approvals.request(approval))
        turn.emit(ApprovalRequested, **shown)
    elif approval.status == "pending":
        turn.emit(ApprovalAwaited, **shown)
    else:
        return
    turn.process.waiting_on = wanted.name
    turn.emit(ProcessWaiting, on=turn.process.waiting_on)


def allowed(wanted: Wanted, settled: Approval) -> ToolCall | str:
    """The call to make, or what the model is told instead."""
    match settled.status:
        case "approved":
            arguments = settled.arguments if settled.changed is None else settled.changed
            return attrs.evolve(wanted.call, arguments=arguments)
        case "expired":
            seconds = settled.expires_at - settled.created_at
            return f"Error: nobody approved this call within {seconds:g} s, so it was not made"
        case _:
            why = f": {settled.note}" if settled.note else ""
            return f"Error: this call was denied{why}"


# -- what conversations have seen


def share(turn: Turn) -> None:
    """Who works for another has seen what that one has, and the other way round: text goes both ways."""
    own = turn.conversation
    for each in _superiors(turn):
        seen = own.seen() | each.seen()
        own.brought |= seen
        each.brought |= seen


def path_of(turn: Turn) -> str:
    """Where the turn stands in its root turn: the agents down to this one, `a/b`; empty for the root turn."""
    if turn.id == turn.root_id:
        return ""
    above = next((each.path for each in _superiors(turn)), "")
    return f"{above}/{turn.agent.name}" if above else turn.agent.name


def _superiors(turn: Turn) -> Iterator[Conversation]:
    """The conversations in which the turn's work was asked for."""
    above = _process(turn.process, turn.process.parent_id)
    asker = _process(turn.process, turn.sender_id)
    for each in {id(each): each for each in (above, asker) if each is not None}.values():
        if isinstance(each.conversation, Conversation) and each is not turn.process:
            yield each.conversation


def _process(near: Process, process_id: str | None) -> Process | None:
    try:
        return near.kernel.registry.get(process_id) if process_id is not None else None
    except UnknownProcess:
        return None

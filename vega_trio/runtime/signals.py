"""Exit signals: what one does to the incarnation that it reaches, and how those that are trapped are handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from vega_trio._core.links import Reaction, reaction
from vega_trio.events import ProcessExitSignal
from vega_trio.exits import ExitReason, ExitSignal, NoProcess, describe

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.process import Process


def signal(to: Incarnation, reason: ExitReason, sender: Incarnation | None, *, linked: bool) -> None:
    """An exit signal arrives. A supervisor takes none but the kill: only its owner stops it."""
    if to.reason is not None:
        return
    what = reaction(reason, trapping=to.trapping, linked=linked)
    if what is Reaction.IGNORE or (to.process.supervisor is not None and what is not Reaction.KILL):
        return
    sender_id = sender.process.id if sender is not None else None
    to.process.say(ProcessExitSignal, to.current, sender_id=sender_id, reason=describe(reason))
    match what:
        case Reaction.MESSAGE:
            deliver(to, reason, sender, linked=linked)
        case Reaction.KILL:
            to.process.kill()
        case Reaction.DIE:
            to.condemn(reason)


def deliver(to: Incarnation, reason: ExitReason, sender: Incarnation | None, *, linked: bool) -> None:
    """Hands a trapped signal over."""
    process = sender.process if sender is not None else None
    to.signals()[0].send_nowait(
        ExitSignal(
            process_id=process.id if process is not None else None,
            agent_name=process.agent_name if process is not None else None,
            incarnation=sender.number if sender is not None else 0,
            reason=reason,
            linked=linked,
            at=trio.current_time(),
        )
    )


def deliver_no_process(to: Incarnation, other: Process) -> None:
    """A trapper linked to what is not there."""
    gone = ExitSignal(other.id, other.agent_name, other.incarnation, NoProcess(), linked=True, at=trio.current_time())
    to.signals()[0].send_nowait(gone)

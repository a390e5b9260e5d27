"""The bookkeeping of a death: one synchronous step, so nobody ever sees a part of it.

What happens, in order: the keeper decides whether a restart follows; open mail is settled; the exit is said on the
bus; at a final exit the name and the groups are left; links, monitors and owned children hear of it; then the
keeper's decision is set going, and at last whoever waits is woken.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import attrs

from vega_trio.changes import Change, DropMail, DropTimers, SaveProcess, Together
from vega_trio.errors import ProcessExited
from vega_trio.events import ProcessCompleted, ProcessFailed, ProcessRestarting
from vega_trio.exits import Crashed, ExitReason, Killed, NoProcess, Shutdown, describe, told
from vega_trio.runtime.health import watch_restarts
from vega_trio.runtime.logs import reaches_anybody
from vega_trio.runtime.reasons import exited, kind_of
from vega_trio.runtime.signals import signal
from vega_trio.runtime.ties import sever

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.keeper import Verdict
    from vega_trio.runtime.mail import Mail
    from vega_trio.runtime.process import Process

log = logging.getLogger("vega_trio.kernel")


def bury(incarnation: Incarnation) -> None:
    """Called in the last step of the incarnation's task, with its `reason` set."""
    process, reason = incarnation.process, incarnation.reason
    assert reason is not None
    process.live = None
    process.last_reason = reason
    verdict = process.keeper.decide(incarnation)
    unfinished = _interrupted(incarnation)
    ties = sever(incarnation) if process.agent is not None else ()
    if verdict.final:
        quiet = incarnation.ignored and not process.restarts
        _end(process, reason, unfinished, list(incarnation.taken), ties, quiet=quiet)
    else:
        _suspend(incarnation, verdict, unfinished, ties)
    _tell_others(incarnation)
    if verdict.then is not None:
        verdict.then()
    incarnation.tell_waiters()
    if verdict.final:
        process.announce_end()


def finish(process: Process, reason: ExitReason | None = None) -> None:
    """A process between two incarnations has no next one: its exit becomes final now."""
    if process.final is not None:
        return
    first = process.mailbox.first
    interrupted = first if first is not None and first.attempt > 1 else None
    _end(process, reason or process.last_reason or NoProcess(), interrupted, [])
    process.announce_end()


def _end(
    process: Process,
    reason: ExitReason,
    unfinished: Mail | None,
    taken: list[Mail],
    ties: tuple[Change, ...] = (),
    *,
    quiet: bool = False,
) -> None:
    process.final = reason
    process.kernel.registry.retire(process)
    owner = process.keeper.owner
    if owner is not None and owner.owned is not None:
        owner.owned.pop(process, None)
    for group in tuple(process.groups or ()):
        group.leave(process)
    if process.vitals is not None:
        process.vitals.end()
    process.completed_at = process.kernel.wall_clock()
    if process.agent is not None and _goes_on_later(process, reason, unfinished):
        log.info("process %s (%s) goes on when the program starts again", process.id, process.label)
        row = attrs.evolve(process.row(), status="running", exit_reason="", completed_at=None)
        process.kernel.store.submit(SaveProcess(row))
    elif not quiet:
        if reaches_anybody(log, logging.INFO):
            log.info("process %s (%s) exited: %s", process.id, process.label, process.kernel.redact(describe(reason)))
        changes = _last_changes(process, ties) if process.agent is not None else ()
        if reason.abnormal:
            process.say(ProcessFailed, unfinished, *changes, **_failure(reason), final=True)
        else:
            process.say(ProcessCompleted, unfinished, *changes, reason=kind_of(reason))
    for mail in (*taken, *process.mailbox.close()):
        mail.fail(_no_answer(process, reason))


def _last_changes(process: Process, ties: tuple[Change, ...]) -> tuple[Change, ...]:
    timers = (DropTimers(process.id),) if process.deadline_at is not None else ()
    return (SaveProcess(process.row()), DropMail(process.id), *timers, *ties)


def _goes_on_later(process: Process, reason: ExitReason, unfinished: Mail | None) -> bool:
    """An agent that the program's own stop has cut short: its work is left in the store as a kill would leave it."""
    if not process.kernel.closing or not isinstance(reason, Shutdown | Killed):
        return False
    return unfinished is not None or process.task is not None or process.mailbox_length > 0


def _suspend(incarnation: Incarnation, verdict: Verdict, unfinished: Mail | None, ties: tuple[Change, ...]) -> None:
    process, reason = incarnation.process, incarnation.reason
    assert reason is not None
    changes = ties if process.agent is None else (SaveProcess(process.row()), *ties)  # with its log of restarts
    if reason.abnormal:
        process.say(ProcessFailed, unfinished, *changes, **_failure(reason), final=False)
    elif changes:
        process.kernel.store.submit(Together(changes))
    if verdict.restart is not None:
        why = describe(reason)
        if reaches_anybody(log, logging.WARNING):
            log.warning(
                "process %s (%s) is restarted in %.3g s: %s",
                process.id, process.label, verdict.restart.delay_s, process.kernel.redact(why),
            )  # fmt: skip
        process.say(ProcessRestarting, unfinished, **verdict.restart.fields(), reason=why)
        watch_restarts(process, process.kernel.health, verdict.restart)
    taken = list(incarnation.taken)
    if process.agent is not None:
        process.mailbox.put_back(taken)
    else:
        for mail in taken:
            mail.fail(_no_answer(process, reason))


def _no_answer(process: Process, reason: ExitReason) -> ProcessExited:
    """What its senders get instead; a front may show it."""
    error = exited(process.id, reason)
    error.args = (process.kernel.redact(str(error)),)
    return error


def _tell_others(incarnation: Incarnation) -> None:
    reason = incarnation.reason
    assert reason is not None
    for peer in incarnation.process.kernel.links.sever(incarnation):
        signal(peer, reason, incarnation, linked=True)
    monitors, incarnation.monitors = incarnation.monitors, None
    for monitor in monitors or ():
        monitor.tell(incarnation.down())
    owned, incarnation.owned = incarnation.owned, None
    for child in owned or ():
        child.keeper.dismiss()


def _interrupted(incarnation: Incarnation) -> Mail | None:
    return incarnation.current or next(iter(incarnation.taken), None)


def _failure(reason: ExitReason) -> dict[str, str]:
    error = told(reason.error) if isinstance(reason, Crashed) else ""
    return {"reason": kind_of(reason), "error": error}

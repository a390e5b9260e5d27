"""What a process says: events stamped with whose they are and to which turn they belong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from vega_trio.changes import Change, SaveProcess
from vega_trio.events import Event, HealthAlert, ProcessRestarted, ProcessStarted
from vega_trio.protocols import Commit

if TYPE_CHECKING:
    from vega_trio.runtime.mail import Mail
    from vega_trio.runtime.process import Process


def emit(process: Process, event: Event, changes: tuple[Change, ...]) -> Commit | None:
    """An event of the mail under way, unless the event names another turn."""
    stamps = stamps_of(process, process.current)
    for field in ("session_id", "turn_id", "root_turn_id"):
        stamps[field] = getattr(event, field) or stamps[field]
    return _said(process, attrs.evolve(event, **stamps), changes)


def put(process: Process, event: Event, changes: tuple[Change, ...]) -> Commit | None:
    """An event whose header is complete. Of what is not stored, many come a second: it is a sign of life, no more."""
    if event.DURABLE:
        return _said(process, event, changes)
    sign(process)
    return process.kernel.bus.put(event, *changes)


def sign(process: Process) -> None:
    """It lives, whether or not anybody hears what it says."""
    if process.vitals is not None:
        process.vitals.sign()


def _said(process: Process, event: Event, changes: tuple[Change, ...]) -> Commit | None:
    commit = process.kernel.bus.put(event, *changes)
    if process.vitals is not None and not isinstance(event, HealthAlert):
        process.vitals.observe(event)
    return commit


def stamps_of(process: Process, mail: Mail | None) -> dict[str, Any]:
    """The header of an event of this process, said now, in the turn of `mail`."""
    return {
        "process_id": process.id,
        "agent": process.agent_name,
        "incarnation": process.incarnation,
        "session_id": process.session.id if process.session is not None else None,
        "turn_id": mail.id if mail is not None else None,
        "root_turn_id": mail.root_id if mail is not None else None,
        "at": process.kernel.wall_clock(),
    }


def say_started(process: Process) -> None:
    changes = (SaveProcess(process.row()),) if process.agent is not None else ()
    if process.restarts:
        process.kernel.restarts += 1
        process.say(ProcessRestarted, process.current, *changes)
    else:
        process.say(ProcessStarted, process.current, *changes, task=process.task or "")

"""How a process ends, and what others are told of it.

An exit reason is one of five values. `abnormal` is what a transient child's supervisor and a linked peer ask:
a crash, a kill and a missing process are abnormal; a return and an ordered shutdown are not (OTP: `normal`,
`shutdown`, `{shutdown, Term}` against every other reason).
"""

from __future__ import annotations

from typing import ClassVar

import attrs


@attrs.frozen
class Normal:
    """The body returned; `result` is what it returned."""

    abnormal: ClassVar[bool] = False
    result: object = None


@attrs.frozen
class Shutdown:
    """An ordered stop. `detail` says why; a supervisor that gave up puts its `SupervisorGaveUp` here."""

    abnormal: ClassVar[bool] = False
    detail: object = None


@attrs.frozen
class Crashed:
    """The body raised `error`."""

    abnormal: ClassVar[bool] = True
    error: BaseException = attrs.field(validator=attrs.validators.instance_of(BaseException))


@attrs.frozen
class Killed:
    """`kill()`: cannot be trapped by the process it hits."""

    abnormal: ClassVar[bool] = True


@attrs.frozen
class NoProcess:
    """There was no such process (any more)."""

    abnormal: ClassVar[bool] = True


ExitReason = Normal | Shutdown | Crashed | Killed | NoProcess
MOST_SHOWN = 10_000  # characters of somebody's error message in an event or an error of ours


def as_reason(value: object) -> ExitReason:
    """Raises: TypeError when it is none."""
    if isinstance(value, Normal | Shutdown | Crashed | Killed | NoProcess):
        return value
    raise TypeError(f"an exit reason is Normal(), Shutdown(), Crashed(error) or Killed(), not {value!r}")


def told(error: BaseException) -> str:
    """`ValueError: no such city`; one line of code for whatever an error's own `__str__` may do."""
    return f"{type(error).__name__}: {shown(error)}"


def shown(value: object) -> str:
    """A stranger's object in words that can be written as UTF-8. It is shown in the midst of a death's bookkeeping."""
    try:
        text = str(value)
    except Exception as failure:  # noqa: BLE001 - the object's own code, whose failure must not become the kernel's
        return f"(cannot be shown: {type(failure).__name__})"
    if len(text) > MOST_SHOWN:
        text = f"{text[:MOST_SHOWN]}... ({len(text) - MOST_SHOWN:,} characters more)"
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def describe(reason: ExitReason) -> str:
    """One line for people: `crashed: ValueError: no such city`."""
    match reason:
        case Normal():
            return "normal"
        case Shutdown(detail=None):
            return "shutdown"
        case Shutdown(detail=detail):
            return f"shutdown: {shown(detail)}"
        case Crashed(error=error):
            return f"crashed: {told(error)}"
        case Killed():
            return "killed"
        case NoProcess():
            return "no process"


@attrs.frozen
class ExitSignal:
    """What a process that traps exits receives instead of dying.

    `process_id` is None when the signal came from outside any process; `linked` tells a link's signal from
    an `exit()` aimed at the receiver; `at` is `trio.current_time()` in seconds.
    """

    process_id: str | None
    agent_name: str | None
    incarnation: int
    reason: ExitReason
    linked: bool
    at: float


@attrs.frozen
class Down:
    """What a monitor receives, once, when the watched incarnation has ended. `at` as in `ExitSignal`."""

    process_id: str
    agent_name: str | None
    incarnation: int
    reason: ExitReason
    at: float

"""Exit reasons: made from what a body raised, and turned into errors and words for others."""

from __future__ import annotations

import trio

from vega_trio.errors import ProcessCrashed, ProcessExit, ProcessExited, ProcessTimeout
from vega_trio.exits import Crashed, ExitReason, Killed, NoProcess


def reason_of(error: BaseException) -> ExitReason:
    """The exit reason of what a body raised."""
    exit_ = _find_exit(error)
    return exit_.reason if exit_ is not None else Crashed(bare(error))


def bare(error: BaseException) -> BaseException:
    """A group of one is that one; a real group stays whole."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _find_exit(error: BaseException) -> ProcessExit | None:
    if isinstance(error, ProcessExit):
        return error
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            found = _find_exit(each)
            if found is not None:
                return found
    return None


def holds_cancelled(error: BaseException) -> bool:
    """Whether a Cancelled was being handled when the error was raised."""
    seen: set[int] = set()
    stack: list[BaseException] = [error]
    while stack:
        each = stack.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, trio.Cancelled):
            return True
        if isinstance(each, BaseExceptionGroup):
            stack.extend(each.exceptions)
        if each.__context__ is not None:
            stack.append(each.__context__)
    return False


def exited(process_id: str, reason: ExitReason) -> ProcessExited:
    """The error for whoever waited for an answer."""
    abnormal = reason.abnormal and not isinstance(reason, NoProcess)
    return ProcessCrashed(process_id, reason) if abnormal else ProcessExited(process_id, reason)


def kind_of(reason: ExitReason) -> str:
    """The reason in one word, as it goes on the wire."""
    if isinstance(reason, Crashed) and isinstance(reason.error, ProcessTimeout):
        return "timeout"
    return "killed" if isinstance(reason, Killed) else type(reason).__name__.lower()

"""Hooks: synchronous, the user's, and never allowed to do harm by failing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vega_trio._core.supervision import allowed
from vega_trio.agent import Restart, Strategy
from vega_trio.events import HookFailed
from vega_trio.exits import ExitReason, told

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process


def ask(
    process: Process,
    hook: Callable[[ExitReason], Strategy | None] | None,
    restart: Restart,
    reason: ExitReason,
    *,
    name: str = "on_failure",
) -> Strategy | None:
    """What `on_failure` says to an exit; None: the default holds, also when the hook failed."""
    if hook is None:
        return None
    try:
        answer = hook(reason)
        answer = Strategy(answer) if isinstance(answer, str) else answer
        if not allowed(restart, answer):
            raise ValueError(f"it answered {answer!r}, which a {restart} child does not allow")
    except BaseException as error:  # noqa: BLE001 - a hook's failure must not become the process's
        failed(process, name, error)
        return None
    return answer


def call(process: Process, name: str, hook: Callable[[Any, Any], None] | None, argument: object) -> None:
    """Tells a hook about the process."""
    tell(process, name, hook, process, argument)


def tell(process: Process, name: str, hook: Callable[..., None] | None, *arguments: object) -> None:
    """Tells a hook what the process has to do with."""
    if hook is None:
        return
    try:
        hook(*arguments)
    except BaseException as error:  # noqa: BLE001 - as above
        failed(process, name, error)


def failed(process: Process, name: str, error: BaseException) -> None:
    """An event; Ctrl-C and `sys.exit()` end the program, as they do in a body."""
    if not isinstance(error, Exception):
        process.kernel.fail(error)
    process.emit(HookFailed(hook=name, error=told(error)))

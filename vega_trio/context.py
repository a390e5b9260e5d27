"""What code running inside a process may hold of it: a handle, its figures, and a tool's context."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import attrs

from vega_trio.exits import ExitReason
from vega_trio.session import Session


@attrs.define
class Metrics:
    """A process's figures over all its incarnations. Written by the process's own task only.

    `cost_microusd` is integer micro-dollars; `unpriced_calls` counts model calls for which no price is known,
    so that an unknown price is never taken for nothing. `last_active_at` is Unix seconds.
    """

    iterations: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_microusd: int = 0
    unpriced_calls: int = 0
    tool_calls: int = 0
    errors: int = 0
    last_active_at: float | None = None

    @property
    def cost_usd(self) -> float:
        return self.cost_microusd / 1_000_000


class Progress(Protocol):
    """How a tool says how far it is; `total` is None where that is not known."""

    def __call__(self, done: float, total: float | None = None, message: str = "") -> None: ...


def _nobody_watches(done: float, total: float | None = None, message: str = "") -> None:
    """Outside of a turn."""


class ProcessHandle(Protocol):
    """What a tool sees of a process. The kernel's `Process` is one."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def agent_name(self) -> str | None: ...
    @property
    def incarnation(self) -> int: ...
    async def send(self, message: Any, *, timeout: float | None = None) -> Any: ...
    async def post(self, message: Any) -> bool: ...
    def exit(self, reason: ExitReason = ...) -> None: ...


@attrs.frozen(kw_only=True)
class ToolContext:
    """Injected into a tool whose first parameter is annotated `ToolContext`.

    `spawn(agent_or_function, ...)` starts a child of the calling process, which ends with it (arguments as
    `Process.spawn`). `ask(name, message)` sends to another agent and returns its reply's text; in a program
    without an application, `name` is a registered process name. `idempotency_key` names this call for ever:
    when a crash has it made again, it is the same. `progress(done, total, message)` tells whoever watches how far the
    call is, from a plain function's thread too; of many reports in a second only some are shown.
    """

    process: ProcessHandle
    turn_id: str
    tool_call_id: str
    idempotency_key: str = ""
    session: Session | None = None
    spawn: Callable[..., Any] = attrs.field(repr=False)
    ask: Callable[[str, str], Awaitable[str]] = attrs.field(repr=False)
    progress: Progress = attrs.field(default=_nobody_watches, repr=False)

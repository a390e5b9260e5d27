"""What `spawn(...)` returns: await it for a process that lives on, or enter it for one that ends with the block."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Generator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import attrs
import trio

from vega_trio.agent import Agent, Body, ShutdownTime, Supervision
from vega_trio.changes import ProcessRow
from vega_trio.errors import FailedToStart, NoProcessError, ProcessCrashed
from vega_trio.exits import ExitReason, Killed
from vega_trio.messages import Message
from vega_trio.runtime.birth import launch, new_process
from vega_trio.runtime.solo import Solo

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.kernel import Kernel
    from vega_trio.runtime.process import Process


def _positive(field: str, value: float | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or value < 0:
        raise ValueError(f"spawn: {field} must be a number of seconds, at least 0, not {value!r}")


@attrs.define(eq=False)
class Spawning:
    """Nothing happens until it is awaited or entered.

    Awaited: the process lives until it or its owner ends. Entered: leaving the block stops it and waits; its final
    abnormal exit cancels the block and raises ProcessCrashed there, unless the block raises an error of its own.

    Raises: FailedToStart, NameTaken, TooManyProcesses, OrchestratorClosed, SpawnTooDeep, NoProcessError (the owner
    has ended), ValueError. A body that raised Ignore before it had started gives None.
    """

    kernel: Kernel
    body: Body
    owner: Incarnation | None = attrs.field(default=None, kw_only=True)
    parent: Process | None = attrs.field(default=None, kw_only=True)
    linked: bool = attrs.field(default=False, kw_only=True)
    name: str | None = attrs.field(default=None, kw_only=True)
    task: str | None = attrs.field(default=None, kw_only=True)
    spawn_reason: str | None = attrs.field(default=None, kw_only=True)
    supervision: Supervision | None = attrs.field(default=None, kw_only=True)
    messages: Iterable[Message] | None = attrs.field(default=None, kw_only=True)
    deadline: float | None = attrs.field(default=None, kw_only=True)
    start_timeout: float | None = attrs.field(default=None, kw_only=True)
    shutdown: ShutdownTime = attrs.field(default=5.0, kw_only=True)
    id: str | None = attrs.field(default=None, kw_only=True)
    row: ProcessRow | None = attrs.field(default=None, kw_only=True)
    _scope: AbstractAsyncContextManager[Process] | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.body, Agent) and not callable(self.body):
            raise TypeError(f"spawn takes an Agent or an async function, not {self.body!r}")
        _positive("deadline", self.deadline)
        _positive("start_timeout", self.start_timeout)
        if self.shutdown != "brutal_kill":
            _positive("shutdown", self.shutdown)

    def __await__(self) -> Generator[Any, Any, Process]:
        # None only for a body that raises Ignore; typing it would burden every caller whose body does not.
        return cast("Generator[Any, Any, Process]", self._spawn().__await__())

    async def __aenter__(self) -> Process:
        self._scope = self._scoped()
        return await self._scope.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        assert self._scope is not None
        return await self._scope.__aexit__(kind, error, trace)

    async def _spawn(self) -> Process | None:
        await trio.lowlevel.checkpoint_if_cancelled()
        process, incarnation = self._launch()
        if incarnation.started:
            # An agent: nothing to wait for, but a spawn is a checkpoint all the same.
            await trio.lowlevel.cancel_shielded_checkpoint()
            return process
        try:
            if await incarnation.wait_started():
                return process
        except trio.Cancelled:
            # Nobody would hold it.
            with trio.CancelScope(shield=True):
                await process.keeper.stop()
            raise
        if incarnation.ignored:
            return None
        assert incarnation.reason is not None
        raise FailedToStart(process.id, incarnation.reason)

    def _launch(self) -> tuple[Process, Incarnation]:
        if self.owner is not None and not self.owner.alive:
            raise NoProcessError(f"process {self.owner.process.id} has ended and can spawn nothing")
        process = new_process(
            self.kernel,
            self.body,
            nursery=self.kernel.nursery,
            id=self.id,
            row=self.row,
            parent=self.parent,
            name=self.name,
            task=self.task,
            spawn_reason=self.spawn_reason,
            initial_messages=tuple(self.messages or ()),
            start_timeout=self.start_timeout,
        )
        policy = self.supervision
        if policy is None and isinstance(self.body, Agent):
            policy = self.body.supervision
        solo = Solo(process, policy, self.shutdown, self.owner)
        process.keeper = solo
        self.kernel.registry.add(process)
        if self.owner is not None:
            self.owner.own(process)
        incarnation = launch(process)
        if self.linked:
            assert self.owner is not None
            self.kernel.links.link(self.owner, incarnation)
        if self.deadline is not None:
            solo.limit_life(self.deadline)
        return process, incarnation

    @asynccontextmanager
    async def _scoped(self) -> AsyncIterator[Process]:
        process = await self._spawn()
        if process is None:
            yield cast("Process", None)
            return
        block = trio.CancelScope()

        def ended(reason: ExitReason) -> None:
            if reason.abnormal:
                block.cancel()

        process.on_end(ended)
        try:
            with block:
                yield process
        finally:
            with trio.CancelScope(shield=True):
                await process.keeper.stop()
        reason = process.final
        assert reason is not None
        if reason.abnormal and not (isinstance(reason, Killed) and process.killed_for_staying):
            raise ProcessCrashed(process.id, reason)

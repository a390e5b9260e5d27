"""What `spawn(...)` returns: await it for a process that lives on, or enter it for one that ends with the block."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Generator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import attrs
import trio

from vega_trio.agent import Agent, Body, Budget, ShutdownTime, Strategy, Supervision, SupervisorSpec
from vega_trio.changes import ProcessRow
from vega_trio.errors import FailedToStart, NoProcessError, ProcessCrashed
from vega_trio.exits import ExitReason, Killed
from vega_trio.messages import Message
from vega_trio.runtime.birth import launch, new_process
from vega_trio.runtime.cohort import spawn_in_cohort
from vega_trio.runtime.deadline import limit_life, resume_limit
from vega_trio.runtime.process import Process
from vega_trio.runtime.solo import Solo
from vega_trio.runtime.ties import link
from vega_trio.runtime.top import supervise
from vega_trio.session import Session

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation
    from vega_trio.runtime.kernel import Kernel


def _positive(field: str, value: float | None) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value) or value < 0:
        raise ValueError(f"spawn: {field} must be a number of seconds, at least 0, not {value!r}")


def _writable(field: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"spawn: {field} must be a text, not {value!r}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"spawn: {field} cannot be written as UTF-8: {error}") from None


def _as_messages(messages: Iterable[object] | None) -> tuple[Message, ...]:
    kept = []
    for each in messages or ():
        if not isinstance(each, Message):
            raise TypeError(f"spawn: messages must be a list of vega.Message, and {each!r} is none")
        kept.append(each)
    return tuple(kept)


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
    budget: Budget | None = attrs.field(default=None, kw_only=True)
    deadline: float | None = attrs.field(default=None, kw_only=True)
    start_timeout: float | None = attrs.field(default=None, kw_only=True)
    shutdown: ShutdownTime = attrs.field(default=5.0, kw_only=True)
    id: str | None = attrs.field(default=None, kw_only=True)
    row: ProcessRow | None = attrs.field(default=None, kw_only=True)
    session: Session | None = attrs.field(default=None, kw_only=True)
    _scope: AbstractAsyncContextManager[Process] | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        if not callable(self.body) and not isinstance(self.body, (Agent, SupervisorSpec)):
            raise TypeError(f"spawn takes an Agent or an async function, not {self.body!r}")
        if isinstance(self.body, SupervisorSpec):
            self._refuse_options()
        if self.parent is not None and not isinstance(self.parent, Process):
            raise TypeError(f"spawn: parent must be a Process, not {self.parent!r}; orch.get(id) gives one")
        if self.supervision is not None and not isinstance(self.supervision, Supervision):
            raise TypeError(f"spawn: supervision must be a vega.Supervision, not {self.supervision!r}")
        if self.task is not None:
            _writable("task", self.task)
        if self.spawn_reason is not None:
            _writable("spawn_reason", self.spawn_reason)
        if self.messages is not None:
            self.messages = _as_messages(self.messages)
        if self.deadline is not None:
            _positive("deadline", self.deadline)
        if self.start_timeout is not None:
            _positive("start_timeout", self.start_timeout)
        if self.shutdown != "brutal_kill":
            _positive("shutdown", self.shutdown)

    def _refuse_options(self) -> None:
        process_only = ("linked", "task", "spawn_reason", "supervision", "messages", "budget", "deadline")
        for field in (*process_only, "start_timeout", "id", "row"):
            if getattr(self, field):
                raise ValueError(f"spawn: {field} has no meaning for a SupervisorSpec, which takes a name only")

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
        if self.owner is None:
            self.kernel.refuse_if_closing()
        elif not self.owner.alive:
            raise NoProcessError(f"process {self.owner.process.id} has ended and can spawn nothing")
        if isinstance(self.body, SupervisorSpec):
            return (await supervise(self.kernel, self.body, name=self.name, fatal=False, owner=self.owner)).process
        policy = self.supervision
        if policy is None and isinstance(self.body, Agent):
            policy = self.body.supervision
        if policy is not None and policy.strategy is Strategy.RESTART_ALL:
            return await self._spawn_in_cohort(policy)
        return await self._spawn_alone(policy)

    async def _spawn_in_cohort(self, policy: Supervision) -> Process | None:
        return await spawn_in_cohort(
            self.kernel,
            self.body,
            policy,
            owner=self.owner,
            process_id=self._id() or self.kernel.fresh_id(),
            name=self.name,
            start_timeout=self.start_timeout,
            shutdown=self.shutdown,
            on_launch=self._launched,
            **self._fields(),
        )

    async def _spawn_alone(self, policy: Supervision | None) -> Process | None:
        process, incarnation = self._launch_alone(policy)
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

    def _id(self) -> str | None:
        """The given id, or that of the process that a killed program left behind under the name."""
        left = self.kernel.recovered.named(self.name) if self.name is not None else None
        return left.row.id if self.id is None and left is not None and isinstance(self.body, Agent) else self.id

    def _fields(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "parent": self.parent,
            "task": self.task,
            "spawn_reason": self.spawn_reason,
            "initial_messages": tuple(self.messages or ()),
            "root_id": self.owner.process.working_for if self.owner is not None else None,
            "budget": self.budget,
        }

    def _launch_alone(self, policy: Supervision | None) -> tuple[Process, Incarnation]:
        process = new_process(
            self.kernel,
            self.body,
            nursery=self.kernel.nursery,
            id=self.id,
            name=self.name,
            start_timeout=self.start_timeout,
            **self._fields(),
        )
        process.keeper = Solo(process, policy, self.shutdown, self.owner)
        self.kernel.registry.add(process)
        incarnation = launch(process)
        self._launched(process)
        return process, incarnation

    def _launched(self, process: Process) -> None:
        """In the step of the launch, before the body's first."""
        process.session = self.session
        if self.owner is not None:
            self.owner.own(process)
            if self.linked and process.live is not None:
                link(self.owner, process)
        if not resume_limit(process) and self.deadline is not None:
            limit_life(process, self.deadline)

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

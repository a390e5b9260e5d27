"""A message to a process, and its answer: a mail that expects a reply is its own reply slot.

It is finished once: by a reply, a failure, or the end of its process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import TYPE_CHECKING, Any

import attrs
import outcome
import trio

from vega_trio._core.budget import Account
from vega_trio.protocols import Commit

if TYPE_CHECKING:
    from vega_trio.runtime.incarnation import Incarnation


@attrs.define(eq=False)
class Mail:
    """One message. For an agent `id` is the turn's id, and `root_id` that of the turn it is part of.

    `id` is given as a text or as what draws one, for mail whose id nobody may ask for. `root_id` None is the same.
    `accounts` are the budgets its sender works in, which the handling is charged to as well.
    `context` is where it was sent, for who follows work from one process to the next.
    `tools` narrows what an agent may call in the turn: names and `server__*` patterns; None leaves it all it has.
    `attempt` is 1 on first delivery, 2 when delivered again after a restart. A reply or failure finishes it; later
    ones are dropped, as nobody waits for them.
    """

    _id: str | Callable[[], str]
    message: Any
    sender_id: str | None = None
    _root_id: str | None = None
    wants_reply: bool = False
    attempt: int = 1
    finished: bool = False
    accounts: tuple[Account, ...] = attrs.field(default=(), repr=False)
    tools: tuple[str, ...] | None = None
    context: Context | None = attrs.field(default=None, repr=False)
    cancelled: bool = False
    kept: Commit | None = attrs.field(default=None, repr=False)
    holder: Incarnation | None = attrs.field(default=None, repr=False)
    _scope: trio.CancelScope | None = attrs.field(default=None, repr=False)
    _outcome: outcome.Outcome[Any] | None = attrs.field(default=None, repr=False)
    _waiters: list[trio.lowlevel.Task] | None = attrs.field(default=None, repr=False)
    _callbacks: list[Callable[[Mail], None]] | None = attrs.field(default=None, repr=False)

    @property
    def id(self) -> str:
        if not isinstance(self._id, str):
            self._id = self._id()
        return self._id

    @property
    def root_id(self) -> str:
        return self._root_id or self.id

    def reply(self, value: object = None) -> None:
        """Answers the sender and finishes the mail."""
        self._finish(outcome.Value(value))

    def fail(self, error: BaseException) -> None:
        """Raises `error` at the sender and finishes the mail."""
        self._finish(outcome.Error(error))

    @contextmanager
    def handling(self) -> Iterator[trio.CancelScope]:
        """The cancel scope of handling this mail: `stop_turn()` and `PendingReply.cancel()` cancel it."""
        with trio.CancelScope() as scope:
            self._scope = scope
            if self.cancelled:
                scope.cancel()
            try:
                yield scope
            finally:
                self._scope = None

    def cancel(self) -> None:
        """Asks the handler to stop, now or when it begins."""
        self.cancelled = True
        if self._scope is not None:
            self._scope.cancel()

    @property
    def error(self) -> BaseException | None:
        """What it failed with."""
        return self._outcome.error if isinstance(self._outcome, outcome.Error) else None

    def on_finish(self, callback: Callable[[Mail], None]) -> None:
        """Calls back when finished; at once if it is."""
        if self.finished:
            callback(self)
        elif self._callbacks is None:
            self._callbacks = [callback]
        else:
            self._callbacks.append(callback)

    def _finish(self, result: outcome.Outcome[Any]) -> None:
        if self.finished:
            return
        self.finished = True
        self._outcome = result
        if self.holder is not None:
            self.holder.put_down(self)
        for task in self._waiters or ():
            trio.lowlevel.reschedule(task)
        self._waiters = None
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            callback(self)

    async def finish(self) -> None:
        """Waits until finished. Cancelling the wait leaves the mail alone."""
        if self.finished:
            await trio.lowlevel.checkpoint()
            return
        task = trio.lowlevel.current_task()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(task)

        def abort(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            if self._waiters is not None:
                self._waiters.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    async def answer(self) -> Any:
        """Waits for the reply. Raises what it failed with."""
        await self.finish()
        match self._outcome:
            case outcome.Value(value):
                return value
            case outcome.Error(error):
                raise error
        raise AssertionError("finished without an outcome")

    def disown(self) -> None:
        """The sender no longer waits: nothing is owed to it when the process ends."""
        self.wants_reply = False
        if self.holder is not None:
            self.holder.released(self)

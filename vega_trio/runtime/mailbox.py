"""The bounded box in which a process's mail waits: a deque with one waiting reader, woken directly, and a queue of
senders that wait for room."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import attrs
import outcome
import trio
from trio.lowlevel import checkpoint_if_cancelled

from vega_trio.errors import MailboxFull, TurnCancelled
from vega_trio.runtime.health import watch_mailbox
from vega_trio.runtime.mail import Mail

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process
    from vega_trio.runtime.timers import Timer

FAIRNESS = 64  # messages moved without a checkpoint, so that a busy process does not starve the loop


@attrs.define(eq=False)
class Mailbox:
    """At most `capacity` messages not yet taken. Belongs to a process over all its incarnations.

    `keep` is called with each mail as it is accepted. `owner` is whose mailbox it is, until that has ended.
    """

    capacity: int
    keep: Callable[[Mail], None] | None = attrs.field(default=None, repr=False)
    owner: Process | None = attrs.field(default=None, repr=False)
    closed: bool = False
    # Made by the first mail: it would be a seventh of what an idle process weighs.
    _queue: deque[Mail] | None = None
    _senders: deque[tuple[trio.lowlevel.Task, Mail]] | None = None
    _reader: trio.lowlevel.Task | None = None
    _alarm: Timer | None = attrs.field(default=None, repr=False)
    _taken: int = 0
    _put: int = 0

    def __len__(self) -> int:
        return len(self._queue) if self._queue is not None else 0

    @property
    def waiting_senders(self) -> int:
        return len(self._senders or ())

    @property
    def first(self) -> Mail | None:
        return self._queue[0] if self._queue else None

    def put_nowait(self, mail: Mail, owner: str) -> bool:
        """Whether it was put in; False when the process has ended.

        Raises: MailboxFull, naming the process `owner`.
        """
        if self.closed:
            return False
        if self._is_full():
            raise MailboxFull(
                f"the mailbox of process {owner} holds {len(self)} messages, as many as it may;"
                " send later, or wait for room with post() or send()"
            )
        self._accept(mail)
        return True

    async def put(self, mail: Mail) -> bool:
        """Waits for room. False when the process has ended, also while waiting. Cancelled, nothing was put in."""
        self._put += 1
        if self.closed or self._put % FAIRNESS == 0:
            await trio.lowlevel.checkpoint()
        else:
            await checkpoint_if_cancelled()
        if self.closed:
            return False
        if self._is_full():
            return await self._wait_for_room(mail)
        self._accept(mail)
        return True

    def _is_full(self) -> bool:
        return bool(self._senders) or (self._queue is not None and len(self._queue) >= self.capacity)

    def _accept(self, mail: Mail) -> None:
        if self.keep is not None:
            self.keep(mail)
        if self._queue is None:
            self._queue = deque()
        self._queue.append(mail)
        if len(self._queue) == self.capacity:
            self._set_alarm()
        if self._reader is not None:
            trio.lowlevel.reschedule(self._reader)
            self._reader = None

    def _set_alarm(self) -> None:
        if self._alarm is None and self.owner is not None and len(self) >= self.capacity:
            self._alarm = watch_mailbox(self.owner)

    def _cancel_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def _wait_for_room(self, mail: Mail) -> bool:
        entry = (trio.lowlevel.current_task(), mail)
        if self._senders is None:
            self._senders = deque()
        self._senders.append(entry)

        def abort(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            if self._senders is not None:
                self._senders.remove(entry)
            return trio.lowlevel.Abort.SUCCEEDED

        put: bool = await trio.lowlevel.wait_task_rescheduled(abort)
        return put

    async def take(self) -> Mail:
        """The next mail; one reader at a time. Cancelled, nothing was taken."""
        if self._reader is not None:
            raise trio.BusyResourceError("another task is already waiting for this process's mail")
        if self._queue:
            self._taken += 1
            if self._taken % FAIRNESS == 0:
                await trio.lowlevel.checkpoint()
            else:
                await checkpoint_if_cancelled()
        while not self._queue:
            await self._wait_for_mail()
        mail = self._queue.popleft()
        if self._senders or self._alarm is not None:
            self._admit()
        return mail

    async def _wait_for_mail(self) -> None:
        self._reader = trio.lowlevel.current_task()

        def abort(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            self._reader = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def _admit(self) -> None:
        """One has left: those who wait for room may put theirs in."""
        queue = self._queue
        assert queue is not None
        while self._senders and len(queue) < self.capacity:
            task, mail = self._senders.popleft()
            if self.keep is not None:
                self.keep(mail)
            queue.append(mail)
            trio.lowlevel.reschedule(task, outcome.Value(True))
        if len(queue) < self.capacity:
            self._cancel_alarm()

    def drop(self, mail: Mail) -> bool:
        """Takes back a mail that nobody has taken; False when it is not there."""
        if self._queue is None or mail not in self._queue:
            return False
        self._queue.remove(mail)
        self._admit()
        return True

    def untouched(self) -> list[Mail]:
        """The mail that no incarnation has begun, in order."""
        return [mail for mail in self._queue or () if mail.attempt == 1]

    def restore(self, mails: Iterable[Mail]) -> None:
        """What was accepted before the program was killed, full box or not."""
        self._queue = deque((*(self._queue or ()), *mails))
        self._set_alarm()

    def find(self, id_: str) -> Mail | None:
        return next((mail for mail in self._queue or () if mail.id == id_), None)

    def put_back(self, mails: list[Mail]) -> None:
        """What was taken and not finished is delivered again, first and in its order, full box or not."""
        for mail in mails:
            mail.attempt += 1
            mail.holder = None
        if mails:
            self._queue = deque((*mails, *(self._queue or ())))
            self._set_alarm()

    def close(self) -> list[Mail]:
        """The process has ended: returns what was never taken, that of senders waiting for room included."""
        self.closed = True
        mails = list(self._queue or ())
        self._queue = None
        for task, mail in self._senders or ():
            mails.append(mail)
            trio.lowlevel.reschedule(task, outcome.Value(False))
        self._senders = None
        self._cancel_alarm()
        self.owner = None
        return mails


@attrs.frozen(eq=False)
class PendingReply:
    """A message under way, and its reply once it comes. `turn_id` is the mail's id."""

    _mail: Mail
    _mailbox: Mailbox
    _on_dropped: Callable[[Mail], None]
    _refuse_itself: Callable[[], None]

    @property
    def turn_id(self) -> str:
        return self._mail.id

    async def wait(self) -> Any:
        """The reply. Cancelling the wait leaves the turn running.

        Raises: TurnFailed, TurnCancelled, ProcessExited, WouldDeadlock, or what the process failed it with.
        """
        if not self._mail.finished:
            self._refuse_itself()
        return await self._mail.answer()

    def cancel(self) -> None:
        """Stops the turn: a message not yet taken is dropped, a turn under way is cancelled."""
        mail = self._mail
        if mail.finished:
            return
        mail.cancelled = True
        if mail.attempt == 1 and self._mailbox.drop(mail):
            self._on_dropped(mail)
            mail.fail(TurnCancelled(mail.id))
        else:
            mail.cancel()

"""Messages to a process: made, sent, and answered."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import trio

from vega_trio._core.budget import accounts
from vega_trio.changes import DropMail, KeepMail, MailRow
from vega_trio.errors import CallTimeout, WouldDeadlock
from vega_trio.events import TurnStopped
from vega_trio.exits import NoProcess
from vega_trio.messages import as_message
from vega_trio.runtime.incarnation import running
from vega_trio.runtime.mail import Mail
from vega_trio.runtime.mailbox import PendingReply
from vega_trio.runtime.reasons import exited

if TYPE_CHECKING:
    from vega_trio.runtime.process import Process


def new_mail(
    process: Process,
    message: Any,
    *,
    turn_id: str | None = None,
    root_id: str | None = None,
    wants_reply: bool,
    tools: tuple[str, ...] | None = None,
) -> Mail:
    """A message from whoever is running to `process`. Raises: WouldDeadlock when it is a supervisor."""
    if process.supervisor is not None:
        raise WouldDeadlock(
            f"process {process.id} ({process.label}) is a supervisor, which takes no mail: a reply would never come;"
            " send to one of its children"
        )
    sender = running()
    id_ = turn_id or process.kernel.new_id
    # What is asked within a turn belongs to the turn that a person or program began.
    root = root_id or (sender.process.working_for if sender is not None else None)
    mail = Mail(id_, message, sender.process.id if sender is not None else None, root, wants_reply=wants_reply)
    if process.agent is not None:
        mail.accounts, mail.tools, mail.context = accounts(), tools, copy_context()
    return mail


def refuse_itself(process: Process) -> None:
    """Raises: WouldDeadlock when the process would wait for itself."""
    me = running()
    if me is not None and me.process is process:
        raise WouldDeadlock(f"process {process.id} ({process.label}) would wait for its own reply; use post()")


async def call(process: Process, mail: Mail, timeout: float | None) -> Any:
    """Sends and waits for the reply; `timeout` covers the wait for room too."""
    if timeout is None:
        return await _call(process, mail)
    with trio.move_on_after(timeout):
        return await _call(process, mail)
    raise CallTimeout(f"process {process.id} ({process.label}) did not reply within {timeout:g} s")


async def _call(process: Process, mail: Mail) -> Any:
    if not await process.mailbox.put(mail) and not mail.finished:
        raise exited(process.id, NoProcess())
    try:
        return await mail.answer()
    finally:
        if not mail.finished:
            mail.disown()


def start_call(
    process: Process, message: Any, *, turn_id: str | None, root_id: str | None, tools: tuple[str, ...] | None
) -> PendingReply:
    """Sends at once, unless a mail of that id is under way already; the reply is waited for later."""
    waiting = _open_mail(process, turn_id) if turn_id is not None else None
    if waiting is not None:
        return pending_reply(process, waiting)
    mail = new_mail(process, message, turn_id=turn_id, root_id=root_id, wants_reply=True, tools=tools)
    if not process.mailbox.put_nowait(mail, process.id):
        raise exited(process.id, NoProcess())
    return pending_reply(process, mail)


async def stop_current(process: Process) -> str | None:
    """Cancels the mail under way, waits for its end and returns its id; None when there is none."""
    mail = process.current
    if mail is None:
        await trio.lowlevel.checkpoint()
        return None
    mail.cancel()
    await mail.finish()
    return mail.id


def _open_mail(process: Process, mail_id: str) -> Mail | None:
    """The mail of that id that waits or is being handled."""
    taken = (mail for mail in process.live.taken if mail.id == mail_id) if process.live is not None else iter(())
    return next(taken, None) or process.mailbox.find(mail_id)


def keep(process: Process, mail: Mail) -> None:
    """The mailbox's: an agent has accepted a message, which from now on outlives the program."""
    try:
        message = as_message(mail.message)
    except (TypeError, ValueError):
        return  # no message of a user's; whoever handles it says so
    row = MailRow(
        process_id=process.id,
        id=mail.id,
        root_id=mail.root_id,
        sender_id=mail.sender_id,
        message=message,
        at=process.kernel.wall_clock(),
        tools=mail.tools,
    )
    mail.kept = process.kernel.store.submit(KeepMail(row))


def pending_reply(process: Process, mail: Mail) -> PendingReply:
    """The reply to come to a mail that was sent."""

    def dropped(mail: Mail) -> None:
        if process.agent is not None:  # its stream ends with an event, like that of any turn
            process.say(TurnStopped, mail, DropMail(process.id, mail.id))

    return PendingReply(mail, process.mailbox, dropped, lambda: refuse_itself(process))

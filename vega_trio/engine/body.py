"""The body of an agent process: take a message, run a turn, answer; or run one task and return."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from vega_trio._core.budget import charged_to
from vega_trio.agent import Agent
from vega_trio.engine.context import compact, kept_by
from vega_trio.engine.conversation import Conversation, open_conversation
from vega_trio.engine.ending import interrupted, stopped
from vega_trio.engine.equipment import Equipment
from vega_trio.engine.turn import run_turn
from vega_trio.engine.turn_state import Turn
from vega_trio.errors import ModelError, TurnCancelled, TurnFailed
from vega_trio.messages import Compact, Message, as_message
from vega_trio.runtime.mail import Mail
from vega_trio.runtime.process import Process
from vega_trio.session import Reply

MAX_ATTEMPTS = 2
"""A turn goes on once after a crash of its process; crashed again, it fails (supervision spec)."""


def agent_body(agent: Agent, equipment: Equipment) -> Callable[[Process], Awaitable[object]]:
    """A body that the kernel can run, and run again after a crash."""

    async def body(process: Process) -> object:
        if process.conversation is None:
            stored = await open_conversation(
                process.id, equipment.store, equipment.wall_clock, process.initial_messages, epoch=process.epoch
            )
            # Set meanwhile, it was cleared before it was read.
            process.conversation = process.conversation or stored
        conversation = process.conversation
        assert isinstance(conversation, Conversation)
        conversation.tools = lambda: equipment.tools
        if process.task is not None:
            return await _run_task(process, agent, equipment, conversation)
        await _serve(process, agent, equipment, conversation)
        return None

    return body


async def _serve(process: Process, agent: Agent, equipment: Equipment, conversation: Conversation) -> None:
    """Answers mail until stopped, or until there has been none for `idle_stop_s`."""
    inbox = aiter(process.inbox)
    while True:
        mail: Mail | None = None
        with trio.move_on_after(equipment.idle_stop_s if equipment.idle_stop_s is not None else float("inf")):
            mail = await anext(inbox)
        if mail is None:
            if process.mailbox_length == 0:
                return
            continue  # it came in the very step in which the wait ended
        turn = Turn(process, agent, equipment, conversation, mail.id, mail.root_id, mail.sender_id)
        turn.narrowed, turn.origin = mail.tools, mail.context
        await _answer(mail, turn)


async def _answer(mail: Mail, turn: Turn) -> None:
    if isinstance(mail.message, Compact):
        await _compact(mail, turn)
        return
    try:
        message = as_message(mail.message)
    except (TypeError, ValueError) as error:
        mail.fail(error)
        return
    with mail.handling() as turn.scope, charged_to(mail.accounts):
        try:
            if mail.attempt > MAX_ATTEMPTS:
                raise await interrupted(turn)
            mail.reply(await run_turn(turn, message))
        except TurnFailed as failure:
            mail.fail(failure)
    if turn.scope.cancelled_caught:
        mail.fail(TurnCancelled(turn.id, stopped(turn)))


async def _compact(mail: Mail, turn: Turn) -> None:
    with mail.handling() as turn.scope, charged_to(mail.accounts):
        try:
            await compact(turn, kept_by(turn))
            turn.conversation.journal.forget(turn.id)
            mail.reply(None)
        except ModelError as error:
            failure = TurnFailed(str(error), error.error_class, turn.id)
            failure.__cause__ = error
            mail.fail(failure)
    if turn.scope.cancelled_caught:
        mail.fail(TurnCancelled(turn.id))


async def _run_task(process: Process, agent: Agent, equipment: Equipment, conversation: Conversation) -> Reply:
    """One turn; a restarted incarnation takes the same turn up where its last finished step left it."""
    assert process.task is not None
    turn_id = conversation.task_turn_id = conversation.task_turn_id or equipment.new_id()
    turn = Turn(process, agent, equipment, conversation, turn_id, process.root_id or turn_id)
    return await run_turn(turn, Message("user", process.task))

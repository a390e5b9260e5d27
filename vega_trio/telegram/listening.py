"""Has a letter's turn run and listens to it, also to one that was begun before the program was killed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from vega_trio._core.budget import Account, charged_to
from vega_trio.app.application import App
from vega_trio.errors import VegaError
from vega_trio.events import TURN_ENDS, Event, ProcessCompleted, ProcessFailed
from vega_trio.session import Session
from vega_trio.telegram import words
from vega_trio.telegram.draft import Draft
from vega_trio.telegram.inbox import Letter

BUFFER = 1000  # events; they are folded at once, whatever Telegram takes its time for

log = logging.getLogger("vega_trio.telegram")


async def listen(app: App, letter: Letter, draft: Draft, account: Account | None) -> None:
    """Returns when the turn is over and the draft complete, or the program ends. The turn is charged to the account."""
    session = letter.conversation
    try:
        if await _follow(app, session, draft):
            return
        # Nobody else begins this turn, so one that is neither open nor on record was never begun.
        record = await app.turn(draft.turn_id)
        if record is not None:
            await _recall(app, session, record, draft)
            return
        with charged_to(() if account is None else (account,)):
            async with app.chat(session, letter.text, turn_id=draft.turn_id) as events:
                async for event in events:
                    draft.take(event)
    except VegaError as error:
        if app.orch.closing:
            return  # the turn goes on when the program starts again, and the message with it
        log.warning("telegram: the message %s of user %s failed: %s", letter.update, letter.user, error)
        draft.fail(words.trouble(error))


async def _follow(app: App, session: Session, draft: Draft) -> bool:
    """Listens to a turn that is open, to its end; False when it is not."""
    async with app.subscribe(match=_about(session, draft.turn_id), buffer=BUFFER) as events:
        if not app.turn_is_open(session, draft.turn_id):
            return False
        for approval in await app.approvals("pending", user=session.user):
            if approval.root_turn_id == draft.turn_id:
                draft.asks[approval.id] = words.question(
                    approval.agent, approval.tool_name, approval.arguments, approval.reason
                )
                draft.news.set()
        async for event in events:
            draft.take(event)
            if draft.over.is_set():
                break
    return True


def _about(session: Session, turn_id: str) -> Callable[[Event], bool]:
    def match(event: Event) -> bool:
        if isinstance(event, ProcessFailed | ProcessCompleted):
            return event.process_id == session.id
        return event.root_turn_id == turn_id or (isinstance(event, TURN_ENDS) and event.turn_id == turn_id)

    return match


async def _recall(app: App, session: Session, record: dict[str, Any], draft: Draft) -> None:
    """The answer of a turn that ended while nobody showed it."""
    said = await app.transcript(session)
    text = next((each.content for each in said if each.id == f"{draft.turn_id}:assistant"), "")
    match record["status"]:
        case "finished":
            draft.finish(text)
        case "cancelled":
            draft.finish(f"{text}\n\n{words.STOPPED}")
        case _:
            draft.text = text
            draft.fail(words.failure(""))

"""Presses of the buttons. A press counts only from who may talk to the bot, and only for what is theirs.

One that a kill cut short is done once more: a turn is stopped only if it still runs, a request is decided once.
"""

from __future__ import annotations

import logging

import attrs
from telegram.error import TelegramError

from vega_trio.app.application import App
from vega_trio.errors import StoreError, VegaError
from vega_trio.session import Session
from vega_trio.telegram import words
from vega_trio.telegram.api import Bot, plainly
from vega_trio.telegram.front import Front
from vega_trio.telegram.inbox import Letter, Pressed
from vega_trio.telegram.keys import APPROVE, DENY, RETRY, STOP, parse_press
from vega_trio.telegram.updates import Press

log = logging.getLogger("vega_trio.telegram")

_GONE = "This is over."


@attrs.define
class Presses:
    """What the buttons below messages do."""

    app: App
    bot: Bot
    front: Front

    async def letter(self, update: int, press: Press) -> Letter | None:
        """The message that a press of Retry sends once more."""
        word, turn_id = parse_press(press.data)
        if word != RETRY:
            return None
        record = await self.app.turn(turn_id)
        if record is None or record["user"] != str(press.user) or record["session"] is None:
            return None
        session = Session(str(record["agent"]), str(press.user), str(record["session"]))
        try:
            said = await self.app.transcript(session)
        except VegaError as error:
            log.info("telegram: nothing to try again for user %s: %s", press.user, error)
            return None
        text = next((each.content for each in said if each.id == f"{turn_id}:user"), "")
        if not text or not self.front.has_room(press.user):
            return None
        return Letter(
            bot=self.front.inbox.bot,
            update=update,
            chat=press.user,
            user=press.user,
            text=text,
            agent=session.agent,
            session=session.id or "",
        )

    def take(self, pressed: Pressed) -> None:
        """Does what a recorded press says, and answers it."""
        self.front.nursery.start_soon(self._obey, pressed)

    async def _obey(self, pressed: Pressed) -> None:
        press = pressed.press
        answer = await self._answer(press.user, *parse_press(press.data))
        try:
            await self.bot.answer_callback_query(press.id, answer[:200])
            if answer == _AGAIN:
                await self.bot.edit_message_reply_markup(press.chat, press.message)
        except TelegramError as error:
            log.info("telegram: a press was not answered: %s", plainly(error))
        try:
            await self.front.inbox.settle(pressed)
        except StoreError as error:
            log.warning("telegram: a press was answered, but this is not on record: %s", error)

    async def _answer(self, user: int, word: str, about: str) -> str:
        try:
            if word == STOP:
                return await self._stop(user, about)
            if word in (APPROVE, DENY):
                await self.app.decide(about, word, user=str(user))
                return "Approved." if word == APPROVE else "Denied."
        except VegaError as error:
            return words.trouble(error)
        return _AGAIN if word == RETRY else _GONE

    async def _stop(self, user: int, turn_id: str) -> str:
        letter = self.front.under_way(user, turn_id)
        if letter is None or (await self.app.chat_status(letter.conversation)).turn_id != turn_id:
            return _GONE
        await self.app.stop_turn(letter.conversation)
        return "Stopped."


_AGAIN = "Once more."

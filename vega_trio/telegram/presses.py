"""Presses of the buttons. A press counts only from who may talk to the bot, and only for what is theirs."""

from __future__ import annotations

import logging
from collections.abc import Set as AbstractSet

import attrs
from telegram import CallbackQuery, Update
from telegram.constants import ChatType
from telegram.error import TelegramError

from vega_trio.app.application import App
from vega_trio.errors import VegaError
from vega_trio.session import Session
from vega_trio.telegram import words
from vega_trio.telegram.api import Bot, plainly
from vega_trio.telegram.front import Front
from vega_trio.telegram.inbox import Letter
from vega_trio.telegram.keys import APPROVE, DENY, RETRY, STOP, parse_press

log = logging.getLogger("vega_trio.telegram")

_GONE = "This is over."


@attrs.define
class Presses:
    app: App
    bot: Bot
    front: Front

    async def letter(self, update: int, pressed: CallbackQuery) -> Letter | None:
        """The message that a press of Retry sends once more."""
        word, turn_id = parse_press(pressed.data)
        if word != RETRY or not _is_private(pressed):
            return None
        user = pressed.from_user.id
        record = await self.app.turn(turn_id)
        if record is None or record["user"] != str(user) or record["session"] is None:
            return None
        session = Session(str(record["agent"]), str(user), str(record["session"]))
        try:
            said = await self.app.transcript(session)
        except VegaError as error:
            log.info("telegram: nothing to try again for user %s: %s", user, error)
            return None
        text = next((each.content for each in said if each.id == f"{turn_id}:user"), "")
        if not text or not self.front.has_room(user):
            return None
        bot = self.front.inbox.bot
        assert session.id is not None
        return Letter(bot=bot, update=update, chat=user, user=user, text=text, agent=session.agent, session=session.id)

    def take(self, update: Update, allowed: AbstractSet[int]) -> None:
        """Does what the other buttons say, and answers the press."""
        pressed = update.callback_query
        if pressed is not None and pressed.from_user.id in allowed and _is_private(pressed):
            self.front.nursery.start_soon(self._obey, pressed)

    async def _obey(self, pressed: CallbackQuery) -> None:
        answer = await self._answer(pressed.from_user.id, *parse_press(pressed.data))
        try:
            await self.bot.answer_callback_query(pressed.id, answer[:200])
            if answer == _AGAIN and pressed.message is not None:
                await self.bot.edit_message_reply_markup(pressed.message.chat.id, pressed.message.message_id)
        except TelegramError as error:
            log.info("telegram: a press was not answered: %s", plainly(error))

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


def _is_private(pressed: CallbackQuery) -> bool:
    return pressed.message is not None and pressed.message.chat.type == ChatType.PRIVATE

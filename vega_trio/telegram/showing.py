"""Shows an answer as it grows: messages that are edited, at most every three seconds, and none more than needed."""

from __future__ import annotations

import logging
from typing import Final

import attrs
import trio
from telegram import InlineKeyboardMarkup
from telegram.constants import ChatAction
from telegram.error import BadRequest, Forbidden, TelegramError

from vega_trio.errors import StoreError
from vega_trio.telegram import words
from vega_trio.telegram.api import Bot, patiently, plainly
from vega_trio.telegram.draft import Draft
from vega_trio.telegram.inbox import Inbox, Letter
from vega_trio.telegram.keys import APPROVE, DENY, RETRY, STOP, keyboard
from vega_trio.telegram.splitting import clean, split

EDIT_S: Final = 3.0
FIRST_S: Final = 1.0  # an answer that is there sooner comes whole, as one message
TYPING_S: Final = 4.0  # Telegram shows it for five

log = logging.getLogger("vega_trio.telegram")


@attrs.define
class Screen:
    """The messages of one answer in a user's chat."""

    bot: Bot
    inbox: Inbox
    letter: Letter
    draft: Draft
    _seen: dict[int, tuple[str, InlineKeyboardMarkup | None]] = attrs.field(factory=dict, init=False)
    _told: dict[str, str] = attrs.field(factory=dict, init=False)

    async def show(self) -> None:
        """Returns when the whole answer is shown.

        Raises: Forbidden when the user has blocked the bot; Unreachable; BadRequest; InvalidToken.
        """
        draft = self.draft
        with trio.move_on_after(FIRST_S):
            await draft.over.wait()
        while True:
            over, draft.news = draft.over.is_set(), trio.Event()
            await self._paint(over=over)
            if over:
                return
            shown_at = trio.current_time()
            if not draft.over.is_set():
                await draft.news.wait()
            await trio.sleep_until(shown_at + EDIT_S)

    async def type(self) -> None:
        """Says that somebody writes, until the answer is complete. A nicety: its first failure ends it."""
        while not self.draft.over.is_set():
            try:
                await self.bot.send_chat_action(self.letter.chat, ChatAction.TYPING)
            except TelegramError as error:
                log.debug("telegram: %s", plainly(error))
                return
            with trio.move_on_after(TYPING_S):
                await self.draft.over.wait()

    async def _paint(self, *, over: bool) -> None:
        for approval_id, question in list(self.draft.asks.items()):
            await self._ask(approval_id, question)
        pieces = split(clean(self.draft.text).strip()) or [words.SILENT if over else words.WORKING]
        for index, piece in enumerate(pieces):
            await self._put(index, piece, self._buttons(over=over) if index == len(pieces) - 1 else None)
        for index in range(len(self.letter.shown) - 1, len(pieces) - 1, -1):
            await self._remove(index)

    def _buttons(self, *, over: bool) -> InlineKeyboardMarkup | None:
        if not over:
            return keyboard(STOP, about=self.letter.turn_id)
        return keyboard(RETRY, about=self.letter.turn_id) if self.draft.failed else None

    async def _put(self, index: int, text: str, markup: InlineKeyboardMarkup | None) -> None:
        shown = self.letter.shown
        if self._seen.get(index) == (text, markup):
            return
        if index >= len(shown):
            shown.append(await self._send(text, markup))
            await self._note()
        elif not await self._edit(shown[index], text, markup):
            shown[index] = await self._send(text, markup)
            await self._note()
        self._seen[index] = (text, markup)

    async def _ask(self, approval_id: str, question: str) -> None:
        asked, settled = self.letter.asked, self.draft.settled.get(approval_id, "")
        if approval_id not in asked:
            markup = None if settled else keyboard(APPROVE, DENY, about=approval_id)
            asked[approval_id] = await self._send(f"{question}\n\n{settled}".strip(), markup)
            await self._note()
        elif settled and self._told.get(approval_id) != settled:
            await self._edit(asked[approval_id], f"{question}\n\n{settled}", None)
        self._told[approval_id] = settled

    async def _send(self, text: str, markup: InlineKeyboardMarkup | None) -> int:
        sent = await patiently(lambda: self.bot.send_message(self.letter.chat, text, reply_markup=markup))
        assert sent is not None
        return sent.message_id

    async def _edit(self, message: int, text: str, markup: InlineKeyboardMarkup | None) -> bool:
        """Whether there was something to edit: a user may have deleted it."""
        chat = self.letter.chat
        try:
            await patiently(lambda: self.bot.edit_message_text(text, chat, message, reply_markup=markup))
        except BadRequest as error:
            log.info("telegram: message %s cannot be edited, another one is sent: %s", message, plainly(error))
            return False
        return True

    async def _remove(self, index: int) -> None:
        message = self.letter.shown.pop(index)
        self._seen.pop(index, None)
        try:
            await patiently(lambda: self.bot.delete_message(self.letter.chat, message))
        except BadRequest as error:
            log.debug("telegram: %s", plainly(error))

    async def _note(self) -> None:
        try:
            await self.inbox.note(self.letter)
        except StoreError as error:
            log.warning("telegram: what was shown of an answer is not on record: %s", error)


async def say(bot: Bot, chat: int, text: str) -> None:
    """Sends a text of the bot itself. Raises: as `Screen.show`."""
    for piece in split(clean(text)):
        await patiently(lambda piece=piece: bot.send_message(chat, piece))  # type: ignore[misc]


__all__ = ["Forbidden", "Screen", "say"]

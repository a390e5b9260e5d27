"""The bot: asks Telegram for what is new, records it, and hands it on.

Rules.
1. What came is recorded before Telegram is told that it was taken: the next request for updates says so.
2. Only private chats with people count; what comes from elsewhere is passed over without a word.
3. Nothing of a stranger is recorded but that the position has moved.
4. What cannot be read is passed over, and what breaks the bot over and over is let go: neither keeps others waiting.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Final

import attrs
import trio
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from vega_trio.app.application import App
from vega_trio.errors import StoreError
from vega_trio.events import ServerStopping
from vega_trio.telegram import words
from vega_trio.telegram.access import Access
from vega_trio.telegram.allowance import Allowances
from vega_trio.telegram.api import FIRST_WAIT_S, LONGEST_WAIT_S, TrioBot, open_bot, plainly, seconds
from vega_trio.telegram.front import Front
from vega_trio.telegram.inbox import Inbox, Letter, Pressed
from vega_trio.telegram.presses import Presses
from vega_trio.telegram.settings import Settings
from vega_trio.telegram.updates import Message, Press, Update

log = logging.getLogger("vega_trio.telegram")

POLL_S: Final = 30
UPDATES: Final = ("message", "callback_query")
MOST_STARTS: Final = 5  # of one message within STARTS_S
STARTS_S: Final = 60.0
LONGEST: Final = 16_384  # characters of a message; Telegram itself lets 4096 pass


async def run_bot(app: App, settings: Settings) -> None:
    """Serves users until the server stops, when it takes nothing new; returns at once when the token is refused."""
    inbox = Inbox(settings.bot, app.store)
    access = Access(allowed={*settings.allow, *await inbox.paired()}, clock=trio.current_time)
    async with open_bot(settings) as bot, trio.open_nursery() as nursery:
        allowances = Allowances(app, settings.budget)
        front = Front(app=app, bot=bot, inbox=inbox, agent=settings.agent, allowances=allowances, nursery=nursery)
        intake = Intake(bot=bot, inbox=inbox, access=access, front=front, presses=Presses(app, bot, front))
        # A warning, so that it is shown unless asked otherwise: from here on others can reach the agents.
        log.warning("telegram bot started agent=%s", settings.agent)
        access.offer()
        await intake.take_up()
        polling = trio.CancelScope()
        await nursery.start(_until_stopping, app, polling)
        with polling:
            await intake.poll()
        if not polling.cancelled_caught:
            nursery.cancel_scope.cancel()


async def _until_stopping(app: App, polling: trio.CancelScope, *, task_status: trio.TaskStatus[None]) -> None:
    async with app.subscribe(types=[ServerStopping]) as stopping:
        task_status.started()
        async for _ in stopping:
            polling.cancel()
            return


@attrs.define(kw_only=True)
class Intake:
    """Where updates come in."""

    bot: TrioBot
    inbox: Inbox
    access: Access
    front: Front
    presses: Presses
    _wait_s: float = attrs.field(default=FIRST_WAIT_S, init=False)

    async def poll(self) -> None:
        """Takes updates until it is cancelled; returns when the token is refused."""
        position = await self.inbox.position()
        while True:
            try:
                updates = await self.bot.updates(position, POLL_S, UPDATES)
                position = await self._take(updates, position)
                self._wait_s = FIRST_WAIT_S
            except RetryAfter as busy:
                await trio.sleep(seconds(busy.retry_after))
            except InvalidToken:
                log.error("telegram refuses the token; correct TELEGRAM_BOT_TOKEN and start again")
                return
            except Conflict:
                log.warning("telegram: another program polls with this token; only one may, so stop the other")
                await self._pause()
            except TelegramError as error:
                log.warning("telegram cannot be reached: %s", plainly(error))
                await self._pause()
            except StoreError as error:
                log.warning("telegram: messages are left with Telegram, as they cannot be recorded: %s", error)
                await self._pause()

    async def _pause(self) -> None:
        await trio.sleep(self._wait_s)
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)

    async def take_up(self) -> None:
        """Goes on with what an earlier program had not answered. Raises: StoreError.

        A message that was taken up over and over may be what the bot breaks of: it is let go.
        """
        now = time.time()
        for letter in await self.inbox.letters():
            letter.starts = [*(at for at in letter.starts if now - STARTS_S < at <= now), now]
            if len(letter.starts) > MOST_STARTS:
                log.error("telegram: message %s of user %s is given up", letter.update, letter.user)
                await self.inbox.settle(letter)
                self.front.tell(letter.chat, words.GIVEN_UP)
                continue
            await self.inbox.note(letter)
            self.front.post(letter)
        for pressed in await self.inbox.presses():
            self.presses.take(pressed)

    async def _take(self, updates: Sequence[Update], position: int | None) -> int | None:
        """Records what came and hands it on; the new position. Raises: StoreError, and nothing was taken."""
        new = [each for each in updates if position is None or each.id >= position]
        if not new:
            return position
        letters: list[Letter] = []
        presses: list[Pressed] = []
        for update in new:
            match update.what:
                case Message() as message:
                    letter = await self._letter(update.id, message, letters)
                    letters += [] if letter is None else [letter]
                case Press() as press if press.private and press.user in self.access.allowed:
                    letter = await self.presses.letter(update.id, press)
                    letters += [] if letter is None else [letter]
                    presses.append(Pressed(bot=self.inbox.bot, update=update.id, press=press))
                case _ if update.problem:
                    log.warning("telegram: update %s is passed over: %s", update.id, update.problem)
        position = max(each.id for each in new) + 1
        await self.inbox.take(letters, presses, position)
        for letter in letters:
            self.front.post(letter)
        for pressed in presses:
            self.presses.take(pressed)
        return position

    async def _letter(self, update: int, message: Message, before: Sequence[Letter]) -> Letter | None:
        """The letter that a message is, which comes behind others; who sent what is none is told so."""
        if not message.private or message.is_bot:
            return None
        user, text = message.user, message.text
        if user not in self.access.allowed:
            await self._stranger(message, user, text)
            return None
        if not text.strip() or len(text) > LONGEST:
            self.front.tell(message.chat, words.TOO_LONG if text.strip() else words.TEXT_ONLY)
            return None
        if not self.front.has_room(user, sum(each.user == user for each in before)):
            self.front.tell(message.chat, words.TOO_MANY)
            return None
        return Letter(bot=self.inbox.bot, update=update, chat=message.chat, user=user, text=text)

    async def _stranger(self, message: Message, user: int, text: str) -> None:
        if self.access.pair(user, text):
            await self.inbox.remember(user, paired=True)
            log.info("telegram user %s has paired", user)
            self.front.tell(message.chat, words.WELCOME)
            return
        if self.access.refuse(user):
            self.front.tell(message.chat, words.refusal(user))
        self.access.offer()

"""Deals with letters: one user's in their order, different users' side by side.

A lane is the queue of one user's messages, or of the commands that are not kept waiting. Its task lives while there is
something in it. A letter is settled, that is forgotten, only when its answer has been shown.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import attrs
import trio
from telegram.error import BadRequest, Forbidden, InvalidToken

from vega_trio.app.application import App
from vega_trio.errors import StoreError, VegaError
from vega_trio.session import Session
from vega_trio.telegram import words
from vega_trio.telegram.allowance import Allowances
from vega_trio.telegram.api import Bot, Unreachable, plainly
from vega_trio.telegram.commands import PROMPT, obey, parse_command
from vega_trio.telegram.draft import Draft
from vega_trio.telegram.inbox import Inbox, Letter
from vega_trio.telegram.listening import listen
from vega_trio.telegram.showing import Screen, say

log = logging.getLogger("vega_trio.telegram")

WAITING: Final = 20  # letters of one user; a person who waits for an answer does not write more
Lane = tuple[int, bool]


@attrs.define(kw_only=True)
class Front:
    """`agent` is whom users talk to who have chosen nobody else."""

    app: App
    bot: Bot
    inbox: Inbox
    agent: str
    allowances: Allowances
    nursery: trio.Nursery
    _lanes: dict[Lane, deque[Letter]] = attrs.field(factory=dict, init=False)

    def has_room(self, user: int, coming: int = 0) -> bool:
        """Whether a user's next letter may come, behind so many that are just being taken."""
        return coming + sum(len(self._lanes.get((user, prompt), ())) for prompt in (True, False)) < WAITING

    def post(self, letter: Letter) -> None:
        """Puts a recorded letter into its lane."""
        lane = (letter.user, parse_command(letter.text)[0] in PROMPT)
        if lane in self._lanes:
            self._lanes[lane].append(letter)
        else:
            self._lanes[lane] = deque([letter])
            self.nursery.start_soon(self._serve, lane)

    def under_way(self, user: int, turn_id: str) -> Letter | None:
        """The user's letter whose turn this is, if it is not over."""
        letters = self._lanes.get((user, False), ())
        return next((each for each in letters if each.turn_id == turn_id and each.session), None)

    def tell(self, chat: int, text: str) -> None:
        """Says something, whatever becomes of it."""
        self.nursery.start_soon(self._tell, chat, text)

    async def chosen(self, user: int) -> str:
        """The agent whom a user talks to."""
        return str((await self.inbox.user(user)).get("agent") or self.agent)

    async def _serve(self, lane: Lane) -> None:
        letters = self._lanes[lane]
        while letters:
            letter = letters[0]
            if await self._deliver(letter):
                await self._settle(letter)
            letters.popleft()
        del self._lanes[lane]

    async def _deliver(self, letter: Letter) -> bool:
        """Whether the letter is done with; else it is taken up again at the next start."""
        try:
            if parse_command(letter.text)[0]:
                agent = await self.chosen(letter.user)
                answer = await obey(self.app, self.inbox, self.allowances, letter.user, agent, letter.text)
                await say(self.bot, letter.chat, answer)
            else:
                return await self._answer(letter)
        except Forbidden:
            log.info("telegram: user %s has blocked the bot", letter.user)
        except BadRequest as error:
            log.warning("telegram: the answer to user %s was refused: %s", letter.user, plainly(error))
        except (Unreachable, InvalidToken) as error:
            log.warning("telegram: the answer to user %s waits for the next start: %s", letter.user, error)
            return False
        return True

    async def _answer(self, letter: Letter) -> bool:
        """As `_deliver`. Raises: as `Screen.show`."""
        try:
            await self._begin(letter)
            account = await self.allowances.of(letter.user)
        except VegaError as error:
            if self.app.orch.closing:
                return False
            await say(self.bot, letter.chat, words.trouble(error))
            return True
        draft = Draft(letter.turn_id)
        screen = Screen(self.bot, self.inbox, letter, draft)
        beside = [trio.CancelScope(), trio.CancelScope()]
        # Not in a nursery of its own, which would wrap what `show` raises. A turn whose user has gone runs on.
        self.nursery.start_soon(_within, beside[0], partial(listen, self.app, letter, draft, account))
        self.nursery.start_soon(_within, beside[1], screen.type)
        try:
            await screen.show()
        finally:
            for scope in beside:
                scope.cancel()
            if letter.starts:
                self.allowances.recount(letter.user)
        return True

    async def _begin(self, letter: Letter) -> None:
        """Notes which conversation the letter is for: after a kill it is the same. Raises: VegaError."""
        if letter.session:
            return
        agent = await self.chosen(letter.user)
        session = await self.app.resolve(Session(agent, str(letter.user)))
        if session.id is None or await self.app.store.records.get("session", session.id) is None:
            session = await self.app.new_session(agent, str(letter.user))
        letter.agent, letter.session = session.agent, session.id or ""
        await self.inbox.note(letter)

    async def _settle(self, letter: Letter) -> None:
        try:
            await self.inbox.settle(letter)
        except StoreError as error:
            log.warning("telegram: the message %s was answered, but this is not on record: %s", letter.update, error)

    async def _tell(self, chat: int, text: str) -> None:
        try:
            await say(self.bot, chat, text)
        except (Forbidden, BadRequest, InvalidToken, Unreachable) as error:
            log.info("telegram: %r was not said to %s: %s", text[:40], chat, error)


async def _within(scope: trio.CancelScope, act: Callable[[], Awaitable[None]]) -> None:
    with scope:
        await act()

"""What the bot has taken from Telegram and not dealt with, on record.

A message, or a press of a button, is recorded in the transaction that moves the position in Telegram's queue beyond
it, and forgotten when it has been answered: whatever kills the program, it is dealt with once. A message's turn has an
id that follows from Telegram's own, so that after a kill it can be told whether the turn has been begun.

    BOT                 next: the first update not taken yet; at: when that was noted
    BOT:UPDATE          a message under way
    BOT:press:UPDATE    a press of a button under way
    BOT:user:ID         what a user has chosen, and whether paired
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from vega_trio.changes import Change, Delete, Promptly, Put, Together
from vega_trio.protocols import Store
from vega_trio.session import Session
from vega_trio.telegram.updates import Press

TABLE: Final = "channel_offset"
STALE_S: Final = 6 * 86400.0  # after a week of silence Telegram may count from another number


@attrs.define(kw_only=True)
class Letter:
    """A message of a user, or a press of a button, from its arrival until it is answered.

    `agent` and `session`, both empty until it is taken up, are the conversation it belongs to. `shown` are the messages
    that show the answer, in order; `asked` those that ask for an approval, by its id. `starts` are when
    programs took it up anew, in Unix seconds.
    """

    bot: str
    update: int
    chat: int
    user: int
    text: str
    agent: str = ""
    session: str = ""
    shown: list[int] = attrs.field(factory=list)
    asked: dict[str, int] = attrs.field(factory=dict)
    starts: list[float] = attrs.field(factory=list)

    @property
    def key(self) -> str:
        return f"{self.bot}:{self.update}"

    @property
    def turn_id(self) -> str:
        return f"tg-{self.bot}-{self.update}"

    @property
    def conversation(self) -> Session:
        return Session(self.agent, str(self.user), self.session)


@attrs.frozen(kw_only=True)
class Pressed:
    """A press of a button, from its arrival until it is answered."""

    bot: str
    update: int
    press: Press

    @property
    def key(self) -> str:
        return f"{self.bot}:press:{self.update}"

    def put(self) -> Put:
        header = {"kind": "press", "bot": self.bot, "update": self.update}
        return Put(TABLE, self.key, {**header, **attrs.asdict(self.press)})


@attrs.define
class Inbox:
    """The records of one bot."""

    bot: str
    store: Store

    async def position(self) -> int | None:
        """The first update not taken yet; None when Telegram is to say."""
        row = await self.store.records.get(TABLE, self.bot)
        return None if row is None or time.time() - row["at"] > STALE_S else int(row["next"])

    async def letters(self) -> list[Letter]:
        """Those not answered, in order."""
        rows = await self.store.records.query(TABLE, kind="letter", bot=self.bot)
        found = [Letter(**{name: row[name] for name in row if name != "kind"}) for row in rows]
        return sorted(found, key=lambda letter: letter.update)

    async def presses(self) -> list[Pressed]:
        """Those not answered, in order."""
        rows = await self.store.records.query(TABLE, kind="press", bot=self.bot)
        names = attrs.fields_dict(Press)
        found = [
            Pressed(bot=self.bot, update=row["update"], press=Press(**{name: row[name] for name in names}))
            for row in rows
        ]
        return sorted(found, key=lambda pressed: pressed.update)

    async def take(self, letters: Iterable[Letter], presses: Iterable[Pressed], following: int) -> None:
        """Records what came and the position behind it, all or nothing. Raises: StoreError."""
        position = Put(TABLE, self.bot, {"kind": "position", "next": following, "at": time.time()})
        await self._write(*(_put(letter) for letter in letters), *(each.put() for each in presses), position)

    async def note(self, letter: Letter) -> None:
        """Records how far the answer has come. Raises: StoreError."""
        await self._write(_put(letter))

    async def settle(self, done: Letter | Pressed) -> None:
        """Forgets what was answered. Raises: StoreError."""
        await self._write(Delete(TABLE, done.key))

    async def user(self, user: int) -> Mapping[str, Any]:
        """What is on record of a user; empty: nothing."""
        return await self.store.records.get(TABLE, self._of(user)) or {}

    async def paired(self) -> set[int]:
        rows = await self.store.records.query(TABLE, kind="user", bot=self.bot, paired=True)
        return {int(row["user"]) for row in rows}

    async def remember(self, user: int, **facts: object) -> None:
        """Raises: StoreError."""
        known = {"kind": "user", "bot": self.bot, "user": user, **await self.user(user)}
        await self._write(Put(TABLE, self._of(user), {**known, **facts}))

    def _of(self, user: int) -> str:
        return f"{self.bot}:user:{user}"

    async def _write(self, *changes: Change) -> None:
        await self.store.submit(Promptly(Together(changes))).wait()


def _put(letter: Letter) -> Put:
    return Put(TABLE, letter.key, {"kind": "letter", **attrs.asdict(letter)})

"""The Bot API on Trio: python-telegram-bot's `Bot`, and the patience that its server asks for."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, TypeVar

import trio
from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import BaseRequest, HTTPXRequest

from vega_trio.telegram.settings import Settings
from vega_trio.telegram.updates import Update, read_updates

_T = TypeVar("_T")

log = logging.getLogger("vega_trio.telegram")

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
READ_S: Final = 15.0
TRIES: Final = 8  # about two minutes; a message that cannot be sent in that time is kept for the next start

__all__ = ["Bot", "TrioBot", "Unreachable", "open_bot", "patiently", "plainly"]


class Unreachable(Exception):
    """The Bot API did not take a request, however often it was made."""


class TrioBot(Bot):
    """`Bot.initialize` and `shutdown` gather with asyncio; the requests themselves run on any loop."""

    async def updates(self, position: int | None, timeout_s: int, kinds: Sequence[str]) -> list[Update]:
        """As `get_updates`, which gives none when one of them cannot be read. Raises: TelegramError."""
        asked = {"offset": position, "timeout": timeout_s, "allowed_updates": kinds}
        try:
            return read_updates(await self._post("getUpdates", asked, read_timeout=timeout_s + READ_S))
        except (LookupError, TypeError, ValueError) as error:  # an answer without a result, or with another one
            raise NetworkError(f"the answer cannot be read: {error}") from error

    async def initialize(self) -> None:
        for request in self._request:
            await request.initialize()

    async def shutdown(self) -> None:
        for request in self._request:
            await request.shutdown()


@asynccontextmanager
async def open_bot(settings: Settings) -> AsyncIterator[TrioBot]:
    """The client; nothing is asked of the server yet."""
    os.environ.setdefault("PTB_TIMEDELTA", "1")  # its own switch for durations as such, without a warning
    bot = TrioBot(
        settings.token,
        base_url=f"{settings.origin}/bot",
        request=_request(),
        get_updates_request=_request(),
    )
    await bot.initialize()
    try:
        yield bot
    finally:
        with trio.CancelScope(shield=True):  # closing connections waits for nobody
            await bot.shutdown()


def _request() -> BaseRequest:
    return HTTPXRequest(connection_pool_size=64, read_timeout=READ_S, connect_timeout=10.0, pool_timeout=60.0)


async def patiently(call: Callable[[], Awaitable[_T]]) -> _T | None:
    """Makes a request, again after the time a busy server asks for, and after pauses while none can be reached.

    None when an edit changes nothing. A request whose answer was lost is made again: rather twice than never.

    Raises: Forbidden when the user has blocked the bot; BadRequest; InvalidToken; Unreachable.
    """
    wait_s, tries = FIRST_WAIT_S, 0
    while True:
        try:
            return await call()
        except RetryAfter as busy:
            await trio.sleep(seconds(busy.retry_after))
            continue
        except BadRequest as error:
            if "not modified" in error.message:
                return None
            raise
        except (Forbidden, InvalidToken):
            raise
        except (NetworkError, TimedOut) as error:
            tries += 1
            log.info("telegram: %s", plainly(error))
            if tries >= TRIES:
                raise Unreachable(plainly(error)) from error
        await trio.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


def seconds(duration: int | timedelta) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)


def plainly(error: TelegramError) -> str:
    return f"{type(error).__name__}: {error.message}"

"""What the environment says of the bot."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

import attrs

from vega_trio.agent import Budget
from vega_trio.dsl.units import parse_money
from vega_trio.errors import ConfigError

AGENT: Final = "hermes"
ORIGIN: Final = "https://api.telegram.org"


@attrs.frozen(kw_only=True)
class Settings:
    """`allow` are the ids of the users who may talk to the bot without pairing; `origin` is of the Bot API.

    `budget` is what each user may spend in a day.
    """

    token: str = attrs.field(repr=False)
    agent: str = AGENT
    allow: frozenset[int] = frozenset()
    origin: str = ORIGIN
    budget: Budget | None = None

    @property
    def bot(self) -> str:
        """The bot's id, which is no secret."""
        return self.token.partition(":")[0]


def settings_of(env: Mapping[str, str]) -> Settings | None:
    """None where no `TELEGRAM_BOT_TOKEN` is set. Raises: ConfigError; it never shows the token."""
    token = env.get("TELEGRAM_BOT_TOKEN", "").strip()
    if not token:
        return None
    bot, colon, secret = token.partition(":")
    if not (bot.isascii() and bot.isdigit() and colon and secret and secret.isascii() and secret.isprintable()) or any(
        char in "/?#\\ " for char in secret
    ):
        raise ConfigError("TELEGRAM_BOT_TOKEN is no token of a bot, such as 123456:ABC...; @BotFather gives one out")
    return Settings(
        token=token,
        agent=env.get("TELEGRAM_AGENT", "").strip() or AGENT,
        allow=_allowed(env.get("TELEGRAM_ALLOW", "")),
        origin=_origin(env.get("TELEGRAM_BASE_URL", "").strip() or ORIGIN),
        budget=_budget(env.get("TELEGRAM_BUDGET", "").strip()),
    )


def _budget(text: str) -> Budget | None:
    try:
        return Budget(Decimal(parse_money(text)) / 1_000_000) if text else None
    except ValueError as error:
        raise ConfigError(f"TELEGRAM_BUDGET: {error}") from error


def _allowed(text: str) -> frozenset[int]:
    ids = [each.strip() for each in text.split(",") if each.strip()]
    for each in ids:
        if not (each.isascii() and each.isdigit() and len(each) < 20):
            raise ConfigError(f"TELEGRAM_ALLOW names {each!r}; it takes numeric user ids, separated by commas")
    return frozenset(map(int, ids))


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ConfigError(f"TELEGRAM_BASE_URL is {text!r}: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ConfigError(f"TELEGRAM_BASE_URL is {text!r}; it takes an origin, such as {ORIGIN}")
    return f"{parts.scheme}://{parts.netloc}"

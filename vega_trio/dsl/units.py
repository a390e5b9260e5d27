"""Durations and money as people write them."""

from __future__ import annotations

import re
from decimal import Decimal

_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+")
_PIECE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MONEY = re.compile(r"\$?([0-9]{1,12}(?:\.[0-9]{1,6})?)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MOST_SECONDS = 3650 * 86400.0


def parse_duration(text: str) -> float:
    """Seconds of `300ms`, `30s`, `1h30m`, `2d` or plain seconds. Raises: ValueError."""
    text = text.strip()
    if len(text) <= 64 and _PLAIN.fullmatch(text):
        seconds = float(text)
    elif len(text) <= 64 and _DURATION.fullmatch(text):
        seconds = sum(float(amount) * _SECONDS[unit] for amount, unit in _PIECE.findall(text))
    else:
        raise ValueError(f"'{text[:40]}' is no duration; write for example 300ms, 30s, 1h30m or 2d")
    if seconds > MOST_SECONDS:
        raise ValueError(f"'{text}' is longer than ten years")
    return seconds


def parse_money(text: str) -> int:
    """Micro-dollars of `$0.50` or `0.5`. Raises: ValueError."""
    found = _MONEY.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text[:40]}' is no amount of money; write for example $0.50, with six decimals at most")
    return int(Decimal(found[1]) * 1_000_000)


def show_duration(seconds: float) -> str:
    """As `parse_duration` reads it, to the millisecond: `1m30s`."""
    left = round(seconds * 1000)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, left = divmod(left, round(_SECONDS[unit] * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def show_money(microusd: int) -> str:
    """As `parse_money` reads it, with two decimals at least: `$0.50`."""
    whole, rest = divmod(microusd, 1_000_000)
    decimals = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"${whole}.{decimals}"

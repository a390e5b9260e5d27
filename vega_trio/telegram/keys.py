"""The buttons below messages. What a press sends is `WORD:ID`, at most 64 bytes."""

from __future__ import annotations

from typing import Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

STOP: Final = "stop"
RETRY: Final = "retry"
APPROVE: Final = "approve"
DENY: Final = "deny"
_LABELS: Final = {STOP: "Stop", RETRY: "Retry", APPROVE: "Approve", DENY: "Deny"}


def keyboard(*words: str, about: str) -> InlineKeyboardMarkup:
    """Buttons side by side, all about one turn or request."""
    row = [InlineKeyboardButton(_LABELS[word], callback_data=f"{word}:{about}") for word in words]
    return InlineKeyboardMarkup([row])


def parse_press(data: object) -> tuple[str, str]:
    """What was pressed and about what; empty texts for what no button of ours sends."""
    word, _, about = data.partition(":") if isinstance(data, str) else ("", "", "")
    return (word, about) if word in _LABELS and about else ("", "")

"""Texts as Telegram takes them: without control characters, and in pieces of at most 4096 characters.

Telegram counts UTF-16 units, so an emoji is two. A piece never ends within a Markdown fence (three backquotes or more,
or tildes): where a fence is longer than a piece, it is closed there and opened again in the next one. Pieces that are
full never change when text is added at the end, so that what was sent can stay.
"""

from __future__ import annotations

import re
from typing import Final

LIMIT: Final = 4096

_FENCE: Final = re.compile(r"[ ]{0,3}(`{3,}|~{3,})(.*)")
_UNSHOWABLE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
_LEAST: Final = 0.5  # a break further up than this part of a piece wastes too much of it
_HEAD: Final = 64  # of a fence's first line that much is repeated


def clean(text: str) -> str:
    """Without control characters, overrides of the writing direction and halves of characters; lines stay lines."""
    return _UNSHOWABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def units(text: str) -> int:
    """How long a text is to Telegram."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


def split(text: str, limit: int = LIMIT) -> list[str]:
    """The text in pieces of at most `limit` units, none of them blank; none for a text that says nothing.

    A piece ends after a paragraph, else a line, a word or, where there is none, within a word. `limit` is at least 160,
    so that a fence opened again leaves room.
    """
    pieces = []
    rest = text
    while units(rest) > limit:
        piece, rest = _cut(rest, limit)
        pieces.append(piece)
    return [piece for piece in (*pieces, rest) if piece.strip()]


def _cut(text: str, limit: int) -> tuple[str, str]:
    """The first piece, and what is left of the text, with the fence that goes on opened again."""
    end = _fitting(text, limit)
    cut = _break(text, end)
    fence = _open_fence(text[:cut])
    if fence is None:
        return text[:cut], text[cut:].lstrip("\n")
    start, opening, mark = fence
    if start > end * _LEAST:  # the fence begins late: it goes over whole
        return text[:start], text[start:]
    end = _fitting(text, limit - len(mark) - 1)
    cut = max(_break(text, end), len(opening) + 2)
    if cut <= start + len(opening):
        cut = end
    head = text[:cut].removesuffix("\n")
    return f"{head}\n{mark}", f"{opening}\n{text[cut:].removeprefix(chr(10)) if head == text[:cut] else text[cut:]}"


def _fitting(text: str, limit: int) -> int:
    """How many characters from the start take at most so many units."""
    used = 0
    for index, char in enumerate(text):
        used += 2 if ord(char) > 0xFFFF else 1
        if used > limit:
            return index
    return len(text)


def _break(text: str, end: int) -> int:
    """Where before `end` it is best to break."""
    for between in ("\n\n", "\n", " "):
        found = text.rfind(between, 0, end)
        if found >= end * _LEAST:
            return found + len(between)
    return end


def _open_fence(text: str) -> tuple[int, str, str] | None:
    """The fence still open at the end: where it begins, its first line, shortened, and what closes it."""
    found: tuple[int, str, str] | None = None
    position = 0
    for line in text.splitlines(keepends=True):
        fence = _FENCE.match(line.rstrip("\n"))
        if fence is not None:
            mark, info = fence[1], fence[2]
            if found is None:
                found = (position, f"{mark[:_HEAD]}{info}"[:_HEAD], mark[:_HEAD])
            elif mark[0] == found[2][0] and len(mark) >= len(found[2]) and not info.strip():
                found = None
        position += len(line)
    return found

"""Who may talk to the bot. Rules.

1. Nobody may but the users of the allow-list and those who have sent a pairing code.
2. A code is six digits, shown in the server's log alone, good for ten minutes and for one user.
3. Ten wrong codes are all that is listened to until the time of the code is over, whoever sent them.
4. A stranger is answered once.
"""

from __future__ import annotations

import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import attrs

log = logging.getLogger("vega_trio.telegram")

CODE_S: Final = 600.0
GUESSES: Final = 10
STRANGERS: Final = 10_000  # so many are remembered, the longest silent forgotten first
DIGITS: Final = 6


def new_code() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


@attrs.define(kw_only=True)
class Access:
    """`allowed` are the users who may talk. `clock` is monotonic, in seconds."""

    allowed: set[int]
    clock: Callable[[], float]
    draw: Callable[[], str] = new_code
    _code: str | None = attrs.field(default=None, init=False, repr=False)
    _until: float = attrs.field(default=float("-inf"), init=False)
    _guesses: int = attrs.field(default=0, init=False)
    _refused: OrderedDict[int, None] = attrs.field(factory=OrderedDict, init=False)

    def offer(self) -> None:
        """Says a code in the log, unless one is good still, or codes are not listened to."""
        if self.clock() < self._until:
            return
        self._code, self._until, self._guesses = self.draw(), self.clock() + CODE_S, 0
        log.warning("telegram pairing code: %s", self._code)

    def pair(self, user: int, text: str) -> bool:
        """Whether a stranger's text is the code; the user may talk from now on."""
        text = text.strip()
        if not (len(text) == DIGITS and text.isascii() and text.isdigit()):
            return False
        if self._code is None or self.clock() >= self._until or self._guesses >= GUESSES:
            return False
        if not secrets.compare_digest(text, self._code):
            self._guesses += 1
            return False
        self._code, self._until = None, float("-inf")
        self.allowed.add(user)
        return True

    def refuse(self, user: int) -> bool:
        """Whether a stranger is to be told."""
        first = user not in self._refused
        self._refused[user] = None
        self._refused.move_to_end(user)
        if len(self._refused) > STRANGERS:
            self._refused.popitem(last=False)
        return first

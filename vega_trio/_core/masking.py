"""Where secrets stand in a program's arguments and variables: pure rules, by names alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from vega_trio._core.redact import SHOWN, in_queries, is_secret_name, masked_addresses, users_of

_KEYED: Final = re.compile(r"(-{0,2}[A-Za-z_][\w.-]*)(=|:(?!//)\s*)(.+)", re.DOTALL)
_MEMBER: Final = re.compile(r'"([^"\\]+)"\s{0,9}:\s{0,9}"([^"]+)')
_SPACE: Final = re.compile(r"(\s+)")
_SEMICOLONS: Final = re.compile(r"(;+)")
_DEPTH: Final = 3  # --env=NAME=VALUE has two


@attrs.frozen
class Secrets:
    """`instead(key, text)` is what is put where a secret stands; a text for which `literal` is false is none."""

    literal: Callable[[str], bool]
    instead: Callable[[str, str], str]

    def in_arguments(self, words: Sequence[str]) -> list[str]:
        """`--key=VALUE`, `--key VALUE`, `NAME=VALUE`, `-e NAME=VALUE`, `--header 'Name: VALUE'` and addresses."""
        return [self._argument(before, word) for before, word in zip(["", *words], words, strict=False)]

    def in_value(self, key: str, text: str) -> str:
        """The value of a variable or a header; `key` says what it is."""
        if is_secret_name(key):
            return self.instead(key, text) if self.literal(text) else text
        head, rest = "", text
        for _ in range(_DEPTH):
            found = _KEYED.fullmatch(rest)
            if found is None:
                break
            head, key, rest = head + found[1] + found[2], found[1], found[3]
            if is_secret_name(key):
                return head + (self.instead(key, rest) if self.literal(rest) else rest)
        return head + self._rest(key or "url", rest)

    def _argument(self, before: str, word: str) -> str:
        flag = before.startswith("-") and "=" not in before and not word.startswith("-")
        return self.in_value(before if flag else "", word)

    def _rest(self, key: str, text: str) -> str:
        """JSON, a line for a shell, an address with a password, `Server=a;Password=b`, or an address with a query."""
        if any(map(self._is_member, _MEMBER.findall(text))):
            return self.instead(key, text)
        if _SPACE.search(text):
            return self._pieces(_SPACE, text)
        if any(map(self.literal, users_of(text))):
            return self.instead(key, text)
        if ";" in text:
            return self._pieces(_SEMICOLONS, text)
        return in_queries(text, lambda name, value: self.instead(name, value) if self.literal(value) else value)

    def _pieces(self, between: re.Pattern[str], text: str) -> str:
        words = between.split(text)
        words[::2] = self.in_arguments(words[::2])
        return "".join(words)

    def _is_member(self, member: tuple[str, str]) -> bool:
        return is_secret_name(member[0]) and self.literal(member[1])


def masked_arguments(words: Sequence[str]) -> list[str]:
    """A command line as it may be shown: its secrets are `***`."""
    rules = Secrets(lambda text: text not in ("", SHOWN), lambda key, text: SHOWN)
    return rules.in_arguments([masked_addresses(word) for word in words])

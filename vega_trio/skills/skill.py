"""What a skill is: a piece of a prompt, and when it belongs into one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

ALWAYS_SCORE: Final = 1.0
PATTERN_SCORE: Final = 0.9
SEVERAL: Final = 1.2  # a message that holds several of the words means it more surely than one that holds one


@attrs.frozen
class Always:
    """Belongs into every prompt."""

    def score(self, message: str) -> float:
        return ALWAYS_SCORE


@attrs.frozen
class Pattern:
    """Matches anywhere, in any case. `compiled` is RE2's, which takes linear time whatever the pattern."""

    text: str
    compiled: Any = attrs.field(repr=False, eq=False)

    def score(self, message: str) -> float:
        return PATTERN_SCORE if self.compiled.search(message) else 0.0


@attrs.frozen
class Keywords:
    """Words and phrases: the share of them that the message holds, somewhat more when it holds several."""

    words: tuple[str, ...]
    _compiled: tuple[re.Pattern[str], ...] = attrs.field(init=False, repr=False, eq=False)

    @_compiled.default
    def _compile(self) -> tuple[re.Pattern[str], ...]:
        return tuple(_phrase(word) for word in self.words)

    def score(self, message: str) -> float:
        folded = message.casefold()
        found = sum(each.search(folded) is not None for each in self._compiled)
        share = found / len(self.words)
        return min(1.0, share * SEVERAL) if found > 1 else share


Trigger = Always | Pattern | Keywords


@attrs.frozen(kw_only=True)
class Skill:
    """`body` is the prompt. Without triggers it is not put into prompts but offered, to be loaded when needed.

    `tools` and `mcp` name what it works with; they grant nothing. `files` are the texts beside a SKILL.md, by their
    paths in its folder; `digest` is of all there is. `trusted`: it lies in the project, or somebody has looked at it.
    """

    name: str
    description: str
    body: str
    path: Path
    triggers: tuple[Trigger, ...] = ()
    tags: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    mcp: tuple[str, ...] = ()
    files: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    digest: str = ""
    trusted: bool = True

    def score(self, message: str) -> float:
        """How well it fits the message: its best trigger, from 0 to 1."""
        return max((each.score(message) for each in self.triggers), default=0.0)


def _phrase(text: str) -> re.Pattern[str]:
    """Whole words in a row, each also in the plural and with -ed or -ing. Out of literals: it cannot backtrack far."""
    words = [_word(word) for word in text.casefold().split()]
    return re.compile(r"(?<!\w)" + r"\s+".join(words) + r"(?!\w)")


def _word(word: str) -> str:
    if not word[-1:].isalpha():
        return re.escape(word)
    forms = [word, word + "s", word + "es", word + "ed", word + "ing"]
    if word.endswith("e"):
        forms += [word + "d", word[:-1] + "ing"]
    elif word.endswith("y"):
        forms += [word[:-1] + "ies", word[:-1] + "ied"]
    else:
        forms += [word + word[-1] + "ed", word + word[-1] + "ing"]  # plan, planned
    return "(?:" + "|".join(re.escape(each) for each in sorted(set(forms), key=len, reverse=True)) + ")"

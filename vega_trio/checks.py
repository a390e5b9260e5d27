"""What a field of a blueprint may hold. The errors name owner, field and value."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any, TypeVar

E = TypeVar("E", bound=StrEnum)


def member(kind: type[E], field: str, value: str) -> E:
    """The word `value` stands for. Raises: ValueError, naming the field."""
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{field} must be one of {', '.join(kind)}, not {value!r}") from None


LONGEST_NAME = 128
"""Characters of an agent's name, or of what else a document calls by one."""


def is_unreadable(name: str) -> bool:
    """Whether `agent:user` and `/api/agents/NAME` could not be read with that name in them (dsl.md 2)."""
    return any(char in "/:{}" or not char.isprintable() for char in name)


def check_number(owner: str, field: str, value: Any, *, least: float = 0, above: bool = False) -> None:
    """Raises: ValueError unless it is a number, not NaN, of at least `least`, or `above` it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise ValueError(f"{owner}.{field} must be a number, not {value!r}")
    if value < least or (above and value == least):
        raise ValueError(f"{owner}.{field} must be {'greater than' if above else 'at least'} {least:g}, not {value!r}")


def check_count(owner: str, field: str, value: Any, *, least: int = 1) -> None:
    """Raises: ValueError unless it is a whole number of at least `least`."""
    check_number(owner, field, value, least=least)
    if not isinstance(value, int):
        raise ValueError(f"{owner}.{field} must be a whole number, not {value!r}")


def check_word(owner: str, field: str, value: Any, words: tuple[str, ...]) -> None:
    """Raises: ValueError unless it is one of these words."""
    if value not in words:
        raise ValueError(f"{owner}.{field} must be one of {', '.join(words)}, not {value!r}")


def check_kind(owner: str, field: str, value: Any, *kinds: type) -> None:
    """Raises: ValueError unless it is one of these classes of ours."""
    if not isinstance(value, kinds):
        named = " or ".join(f"vega.{kind.__name__}" for kind in kinds)
        raise ValueError(f"{owner}.{field} must be a {named}, not {value!r}")


def check_hook(owner: str, field: str, value: Any) -> None:
    """Raises: ValueError unless it is something to call, or None."""
    if value is not None and not callable(value):
        raise ValueError(f"{owner}.{field} must be a function or None, not {value!r}")


def check_text(what: str, value: Any) -> None:
    """Raises: ValueError unless it is a text, not empty, without control characters, that can be written as UTF-8."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{what} must be a non-empty text, not {value!r}")
    if any(char < " " or "\ud800" <= char <= "\udfff" for char in value):
        raise ValueError(f"{what} must be without control characters and halves of surrogate pairs, not {value!r}")

"""The values of the language: JSON kinds, undefined and failure; how they print, and how large they may be.

A value is None, bool, int, float, str, list, dict with text keys, or a `FailureValue`. Nothing else ever enters
an expression, so no attribute and no method of Python can be reached from one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

import attrs
import msgspec

from vega_trio.errors import VegaError

MAX_TEXT = 10 * 1024 * 1024
MAX_ITEMS = 100_000
MAX_VISITS = 100_000
MAX_COUNT = 1_000_000_000  # of what a document counts: passes, tokens, restarts
MAX_DEPTH = 100
MAX_MEMORY = 256 * 1024
MAX_BITS = 1023  # of an integer, so that it is a float too

Scope = Mapping[str, object]
ValueType = Literal["string", "number", "integer", "boolean", "array", "object", "any"]
"""What an input of a workflow, or a parameter of a tool, may be declared as."""


class Missing(Enum):
    """The answer for a name that is not set."""

    UNDEFINED = "undefined"


UNDEFINED: Final = Missing.UNDEFINED


@attrs.frozen
class FailureValue:
    """What `continue_on_error` saves: false, prints as its message, has `.message .class .step`."""

    message: str
    error_class: str
    step: str

    def field(self, name: str) -> object:
        return {"message": self.message, "class": self.error_class, "step": self.step}.get(name, UNDEFINED)


class ExpressionError(VegaError):
    """A template or expression is wrong. V codes at load, R codes at run time.

    `start` and `end` are offsets into the text that was compiled; `hint` is the remedy.
    """

    def __init__(self, code: str, message: str, start: int = 0, end: int = 0, hint: str = "") -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.code = code
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint

    @property
    def error_class(self) -> str:
        """The failure class of section 9."""
        known = {"R001": "undefined_variable", "R003": "format_error", "R007": "limit_exceeded"}
        return known.get(self.code, "expression_error")


def operand(message: str, hint: str = "") -> ExpressionError:
    return ExpressionError("R002", message, hint=hint)


def limit(message: str) -> ExpressionError:
    return ExpressionError("R007", message)


def kind(value: object) -> str:
    """The name people know the value's kind by."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case dict():
            return "mapping"
        case FailureValue():
            return "failure"
        case Missing():
            return "undefined"
        case _:
            raise TypeError(f"{type(value).__name__} is no value of the language")


_FALSE_WORDS = frozenset({"", "false", "no", "off", "0", "null", "none"})


def truth(value: object) -> bool:
    """False, null, 0, the empty, a failure, what is undefined, and texts that say no are false."""
    if isinstance(value, str):
        return len(value) > 64 or value.strip().lower() not in _FALSE_WORDS if value else False
    if isinstance(value, FailureValue | Missing):
        return False
    return bool(value)


# -- printing


def print_value(value: object) -> str:
    """The value as a template prints it. Raises: ExpressionError R007."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _print_float(value)
        case FailureValue():
            return value.message
        case _:
            return check_text(msgspec.json.encode(plain(value)).decode())


def _print_float(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


def plain(value: object) -> object:
    """A copy that any JSON encoder takes: failures as their message, whole floats as integers.

    Raises: ExpressionError R007 when it is too deep or too large.
    """
    measure(value)
    return _plain(value)


def _plain(value: object) -> object:
    match value:
        case float() if value.is_integer() and abs(value) < 1e16:
            return int(value)
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case FailureValue():
            return value.message
        case _:
            return value


# -- limits


def measure(value: object) -> int:
    """Counts the value's parts, walking what is shared each time it occurs.

    Raises: ExpressionError R007 beyond 100,000 parts, 10 Mi characters, a depth of 100, or the numbers that there are.
    """
    if not isinstance(value, list | dict):
        return 1
    count, characters = 1, 0
    level: list[list[object] | dict[str, object]] = [value]
    for _ in range(MAX_DEPTH):
        below: list[list[object] | dict[str, object]] = []
        for each in level:
            count += len(each)
            if count > MAX_VISITS:
                raise limit(f"a value has more than {MAX_VISITS:,} parts")
            for member in each.values() if isinstance(each, dict) else each:
                if isinstance(member, str):
                    characters += len(member)
                elif isinstance(member, list | dict):
                    below.append(member)
                elif isinstance(member, int) and member.bit_length() > MAX_BITS:
                    raise limit("a number is too large")
            if characters > MAX_TEXT:
                raise limit(f"the texts of a value are longer than {MAX_TEXT:,} characters")
        if not below:
            return count
        level = below
    raise limit(f"a value is nested deeper than {MAX_DEPTH}")


def check_length(length: int) -> None:
    """Raises: ExpressionError R007, before a text of that length is built."""
    if length > MAX_TEXT:
        raise limit(f"a text of {length:,} characters is longer than {MAX_TEXT:,}")


def check_text(text: str) -> str:
    """The text. Raises: ExpressionError R007."""
    check_length(len(text))
    return text


def check_memory(value: object) -> None:
    """Raises: ExpressionError R007 when a value is too large to be remembered."""
    size = len(msgspec.json.encode(value))
    if size > MAX_MEMORY:
        raise limit(f"a value of {size:,} bytes is more than the {MAX_MEMORY:,} that can be remembered")


def check_list(items: list[object]) -> list[object]:
    if len(items) > MAX_ITEMS:
        raise limit(f"a list of {len(items):,} items is longer than {MAX_ITEMS:,}")
    return items


def check_number(number: int | float) -> int | float:
    if isinstance(number, float):
        if math.isfinite(number):
            return number
    elif number.bit_length() <= MAX_BITS:
        return number
    raise limit("a number is too large")


# -- numbers

_DECIMAL = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?")
_MAX_DIGITS = 400


def decimal(text: str) -> int | float | None:
    """The number that a text says in decimal, spaces around it aside; else None."""
    text = text.strip()
    if len(text) > _MAX_DIGITS or not _DECIMAL.fullmatch(text):
        return None
    number = float(text) if any(mark in text for mark in ".eE") else int(text)
    fits = math.isfinite(number) if isinstance(number, float) else number.bit_length() <= MAX_BITS
    return number if fits else None


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""The operators of the language: arithmetic, comparing, and being in something.

Decimal text beside a number is that number, and a failure is its message; different kinds are never equal, and have no
order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vega_trio.dsl.values import (
    FailureValue,
    check_list,
    check_number,
    check_text,
    decimal,
    is_number,
    kind,
    limit,
    operand,
    print_value,
)


def _beside_number(left: object, right: object) -> tuple[object, object]:
    """Decimal text next to a number is that number."""
    if is_number(left) and isinstance(right, str):
        number = decimal(right)
        return (left, right if number is None else number)
    if is_number(right) and isinstance(left, str):
        number = decimal(left)
        return (left if number is None else number, right)
    return left, right


def arithmetic(sign: str, left: object, right: object) -> object:
    """`+ - * / // %`. Raises: ExpressionError R002, R007."""
    left, right = _shown(left), _shown(right)
    if sign == "+":
        if isinstance(left, str) and isinstance(right, str):
            return check_text(left + right)
        if isinstance(left, list) and isinstance(right, list):
            return check_list(left + right)
    left, right = _beside_number(left, right)
    if not (is_number(left) and is_number(right)):
        raise operand(f"'{sign}' cannot take {kind(left)} and {kind(right)}", _remedy(sign, left, right))
    try:
        return check_number(_ARITHMETIC[sign](left, right))
    except ZeroDivisionError:
        raise operand(f"'{sign}' divides by zero") from None
    except OverflowError:
        raise limit("a number is too large") from None


_ARITHMETIC: Mapping[str, Callable[..., int | float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


def _remedy(sign: str, left: object, right: object) -> str:
    if None in (left, right):
        return "give the empty one a value with the filter 'default:0'"
    if list in (type(left), type(right)):
        return "count a list with the filter 'length', or make it text with 'join'"
    if sign == "+" and str in (type(left), type(right)):
        return "make the other one text with the filter 'string'"
    return "make a text a number with the filter 'int' or 'float'"


def _shown(value: object) -> object:
    return value.message if isinstance(value, FailureValue) else value


# -- comparing


def equal(left: object, right: object) -> bool:
    """`==`: numbers by value, decimal text beside a number too; different kinds are just not equal.

    Walks both values: the caller has measured them, as for `contains`.
    """
    return _same(*_beside_number(_shown(left), _shown(right)))


def _same(left: object, right: object) -> bool:
    left, right = _shown(left), _shown(right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return kind(left) == kind(right) and left == right


def compare(sign: str, left: object, right: object) -> bool:
    """`== != < <= > >=`. Raises: ExpressionError R002 for an order of different kinds."""
    if sign == "==":
        return equal(left, right)
    if sign == "!=":
        return not equal(left, right)
    left, right = _beside_number(_shown(left), _shown(right))
    ordered = (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str))
    if not ordered:
        hint = _remedy(sign, left, right)
        raise operand(f"'{sign}' cannot compare {kind(left)} with {kind(right)}", hint)
    return _ORDER[sign](left, right)


_ORDER: Mapping[str, Callable[..., bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def contains(container: object, member: object) -> bool:
    """`member in container`: substring, item or key; false when either side is null. Raises: ExpressionError R002."""
    container, member = _shown(container), _shown(member)
    if container is None or member is None:
        return False
    if isinstance(container, list):
        return any(equal(each, member) for each in container)
    if isinstance(member, list | dict):
        raise operand(f"a {kind(member)} cannot be in a {kind(container)}")
    if isinstance(container, dict):
        return print_value(member) in container
    if isinstance(container, str):
        return print_value(member) in container
    raise operand(f"'in' needs a text, list or mapping on its right, not a {kind(container)}")

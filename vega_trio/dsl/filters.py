"""The filters: `value | name:argument`. Each is a plain function of its input and its arguments.

A filter never sees undefined input (`default` is handled where it is evaluated) and takes null as empty text or
an empty list. The callers have measured lists and mappings (`values.measure`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from vega_trio.dsl.data_texts import excerpt, json_value, parse_json, parse_yaml
from vega_trio.dsl.operators import compare, equal
from vega_trio.dsl.values import (
    MAX_ITEMS,
    check_length,
    check_number,
    check_text,
    decimal,
    is_number,
    kind,
    limit,
    operand,
    print_value,
    truth,
)

Arguments = Sequence[object]


@attrs.frozen
class Filter:
    """`least` to `most` arguments. `exact`: raw arguments keep their spaces. `colons`: they end at `:`."""

    run: Callable[[object, Arguments], object]
    least: int = 0
    most: int = 0
    exact: bool = False
    colons: bool = False
    usage: str = ""


# -- text


def _trim(value: object, _: Arguments) -> str:
    return print_value(value).strip()


def _truncate(value: object, arguments: Arguments) -> str:
    text, most = print_value(value), _whole(arguments[0], "truncate")
    return text if len(text) <= most else text[: max(most, 0)] + "..."


def _replace(value: object, arguments: Arguments) -> str:
    text, old, new = print_value(value), print_value(arguments[0]), print_value(arguments[1])
    if not old:
        raise operand("'replace' needs a text to look for")
    grown = len(text) + text.count(old) * (len(new) - len(old))
    check_length(grown)
    return text.replace(old, new)


def _split(value: object, arguments: Arguments) -> list[object]:
    text, separator = print_value(value), print_value(arguments[0])
    if not text:
        return []
    if not separator:
        raise operand("'split' needs a separator")
    if text.count(separator) >= MAX_ITEMS:
        raise limit(f"'split' would give more than {MAX_ITEMS:,} items")
    return list(text.split(separator))


def _join(value: object, arguments: Arguments) -> str:
    if not isinstance(value, list):
        return print_value(value)
    separator = print_value(arguments[0]) if arguments else ", "
    items = [print_value(each) for each in value]
    check_length(sum(map(len, items)) + len(separator) * max(len(items) - 1, 0))
    return separator.join(items)


# -- counts


def _lines(value: object, _: Arguments) -> int:
    text = print_value(value)
    return text.count("\n") + (1 if text and not text.endswith("\n") else 0)


def _words(value: object, _: Arguments) -> int:
    return len(print_value(value).split())


def _chars(value: object, _: Arguments) -> int:
    return len(print_value(value))


def _length(value: object, _: Arguments) -> int:
    if isinstance(value, list | dict):
        return len(value)
    if value is None or kind(value) in ("text", "failure"):
        return len(print_value(value))
    raise operand(f"'length' cannot take a {kind(value)}", "make it text with the filter 'string'")


# -- lists


def _sliceable(value: object, name: str) -> list[object] | str:
    if value is None:
        return []
    if isinstance(value, list | str):
        return value
    if kind(value) == "failure":
        return print_value(value)
    raise operand(f"'{name}' needs a list or text, not a {kind(value)}")


def _listed(value: object, name: str) -> list[object]:
    if value is None:
        return []
    if isinstance(value, list):
        return value
    hint = "split a text with the filter 'split'" if isinstance(value, str) else ""
    raise operand(f"'{name}' needs a list, not a {kind(value)}", hint)


def _first(value: object, _: Arguments) -> object:
    items = _sliceable(value, "first")
    return items[0] if items else None


def _last(value: object, _: Arguments) -> object:
    items = _sliceable(value, "last")
    return items[-1] if items else None


def _slice(value: object, arguments: Arguments) -> object:
    bounds = [None if each in (None, "") else _whole(each, "slice") for each in arguments]
    items = _sliceable(value, "slice")
    return items[bounds[0] : bounds[1] if len(bounds) > 1 else None]


def _reverse(value: object, _: Arguments) -> list[object]:
    return _listed(value, "reverse")[::-1]


def _sort(value: object, _: Arguments) -> list[object]:
    items = _listed(value, "sort")
    kinds = sorted({kind(each) for each in items})
    if len(kinds) > 1 or (kinds and kinds[0] not in ("number", "text", "boolean")):
        raise operand(f"'sort' needs numbers or texts, not a list of {' and '.join(kinds)}")
    return sorted(items)  # type: ignore[type-var]


def _unique(value: object, _: Arguments) -> list[object]:
    seen: dict[tuple[str, str], object] = {}
    for each in _listed(value, "unique"):
        seen.setdefault((kind(each), print_value(each)), each)
    return list(seen.values())


# -- choosing


_SIGNS = ("==", "!=", "<=", ">=", "<", ">")


def _if(value: object, arguments: Arguments) -> object:
    condition, then, *rest = arguments
    chosen = then if _holds(value, condition) else (rest[0] if rest else "")
    return "" if chosen is None else chosen


def _holds(value: object, condition: object) -> bool:
    if not isinstance(condition, str):
        return equal(value, condition)
    text = condition.strip()
    if not text:
        return truth(value)
    for sign in _SIGNS:
        if text.startswith(sign):
            return compare(sign, value, read_argument(text[len(sign) :]))
    return equal(value, condition)


# -- reading


def read_argument(raw: str) -> object:
    """Raw text as an argument: trimmed, JSON if it is some, else the text."""
    text = raw.strip()
    try:
        return json_value(text)
    except ValueError:
        return text


def _json(value: object, _: Arguments) -> object:
    return parse_json(value) if isinstance(value, str) else value


def _yaml(value: object, _: Arguments) -> object:
    return parse_yaml(value) if isinstance(value, str) else value


def _number(value: object, name: str) -> int | float:
    number: object = decimal(value) if isinstance(value, str) else value
    if not is_number(number):
        shown = excerpt(value) if isinstance(value, str) else f"a {kind(value)}"
        raise operand(f"'{name}' cannot read {shown} as a number", "give a fallback first: default:0")
    return check_number(number)  # type: ignore[arg-type]


def _int(value: object, _: Arguments) -> int:
    return int(_number(value, "int"))


def _float(value: object, _: Arguments) -> float:
    return float(_number(value, "float"))


def _whole(value: object, name: str) -> int:
    number = _number(value, name)
    if number != int(number):
        raise operand(f"'{name}' needs a whole number, not {number}")
    return int(number)


FILTERS: Mapping[str, Filter] = {
    "upper": Filter(lambda value, _: check_text(print_value(value).upper())),
    "lower": Filter(lambda value, _: check_text(print_value(value).lower())),
    "trim": Filter(_trim),
    "string": Filter(lambda value, _: print_value(value)),
    # Decided where it is evaluated: its input may be undefined, and its argument is not always used.
    "default": Filter(lambda value, _: value, 1, 1, usage="default:VALUE"),
    "truncate": Filter(_truncate, 1, 1, usage="truncate:100"),
    "replace": Filter(_replace, 2, 2, exact=True, colons=True, usage="replace:old:new"),
    "split": Filter(_split, 1, 1, exact=True, usage="split:,"),
    "join": Filter(_join, 0, 1, exact=True, usage="join:, "),
    "lines": Filter(_lines),
    "words": Filter(_words),
    "chars": Filter(_chars),
    "length": Filter(_length),
    "first": Filter(_first),
    "last": Filter(_last),
    "slice": Filter(_slice, 1, 2, colons=True, usage="slice:0:3"),
    "reverse": Filter(_reverse),
    "sort": Filter(_sort),
    "unique": Filter(_unique),
    "if": Filter(_if, 2, 3, colons=True, usage="if:>0:yes:no"),
    "json": Filter(_json),
    "yaml": Filter(_yaml),
    "int": Filter(_int),
    "float": Filter(_float),
}

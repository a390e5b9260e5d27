"""How often a loop runs, and with what; what an agent is told in its branches."""

from __future__ import annotations

from vega_trio.dsl.values import MAX_COUNT, ExpressionError, kind, operand, print_value
from vega_trio.dsl.workflow import ForAction

MAX_PASSES = 10_000
DEFAULT_PASSES = 100
"""Of a `repeat` that says no `max`."""


def passes_of(action: ForAction, source: object) -> list[dict[str, object]]:
    """The variables of each pass. Raises: ExpressionError R002, R007."""
    match source:
        case None:
            items: list[tuple[object, ...]] = []
        case dict():
            items = [(key, value) for key, value in source.items()]
        case list() if len(action.names) == 1:
            items = [(item,) for item in source]
        case list():
            raise operand("two loop variables need a mapping, not a list")
        case str():
            raise operand("'for' needs a list, not a text", "split it first: text | split:','")
        case _:
            raise operand(f"'for' needs a list or mapping, not a {kind(source)}")
    if len(items) > MAX_PASSES:
        raise ExpressionError("R007", f"a loop of {len(items):,} passes is longer than {MAX_PASSES:,}")
    return [{"item": item[0], **dict(zip(action.names, item, strict=False))} for item in items]


def messages_of(source: object) -> list[str]:
    """What an agent is told in each branch. Raises: ExpressionError R002."""
    if not isinstance(source, list):
        hint = "split a text with the filter 'split'" if isinstance(source, str) else ""
        raise operand(f"'inputs' needs a list of messages, not a {kind(source)}", hint)
    return [print_value(each) for each in source]


def pass_limit(value: object) -> int:
    """The `max` of a `repeat`. Raises: ExpressionError R002."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(value, str) and value.strip().isdecimal() and len(value.strip()) < 10:
        number = int(value)
    if number is None or number != int(number) or not 1 <= number <= MAX_COUNT:
        raise operand(f"'max' must be a whole number from 1, not {print_value(value)[:40] or kind(value)}")
    return int(number)

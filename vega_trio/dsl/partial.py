"""Variables of which some are not known: what templates and conditions come to with them, and where ways meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Final

import attrs

from vega_trio.dsl.template import Condition, Expression, Hole, Template, ValueTemplate
from vega_trio.dsl.values import UNDEFINED, print_value


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN: Final = _Unknown.UNKNOWN
"""The value of a variable that only a run can tell."""


class NotKnown(Exception):
    """An expression depends on what only a run can tell."""


@attrs.frozen
class Partial(Mapping[str, object]):
    """A scope. Asking for a name whose value is UNKNOWN raises NotKnown."""

    variables: Mapping[str, object]

    def get(self, key: str, default: object = None) -> object:
        found = self.variables.get(key, default)
        if found is UNKNOWN:
            raise NotKnown(key)
        return found

    def __getitem__(self, key: str) -> object:
        found = self.get(key, UNDEFINED)
        if found is UNDEFINED:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)


def text_of(template: Template, scope: Mapping[str, object]) -> str:
    """The template's text; a hole that is not known stands as `<its expression>`. Raises: ExpressionError."""
    pieces: list[str] = []
    for part in template.parts:
        if isinstance(part, str):
            pieces.append(part)
            continue
        try:
            pieces.append(attrs.evolve(template, parts=(part,)).render_text(Partial(scope)))
        except NotKnown:
            assert isinstance(part, Hole), "only tools have conditional text"
            pieces.append(f"<{template.text[part.start + 2 : part.end - 2].strip()}>")
    return "".join(pieces)


def shown(value: ValueTemplate, scope: Mapping[str, object]) -> str:
    """As `text_of`, of any value; a list or mapping in which something is not known names it. Raises: as `text_of`."""
    if isinstance(value, Template):
        return text_of(value, scope)
    found = evaluated(value, scope)
    if found is not UNKNOWN:
        return print_value(found)
    names = dict.fromkeys(each.name for each in value.references if scope.get(each.name) is UNKNOWN)
    return f"<a value with {', '.join(names)}>"


def tested(condition: Condition, scope: Mapping[str, object]) -> bool | None:
    """None when it is not known. Raises: ExpressionError."""
    try:
        return condition.test(Partial(scope))
    except NotKnown:
        return None


def evaluated(made: ValueTemplate | Expression, scope: Mapping[str, object]) -> object:
    """The value, or UNKNOWN. Raises: ExpressionError."""
    try:
        return made.evaluate(Partial(scope)) if isinstance(made, Expression) else made.render(Partial(scope))
    except NotKnown:
        return UNKNOWN


# -- where ways meet

PartialScope = dict[str, object]
"""A scope of which some values may be UNKNOWN."""


def one_of(ways: Sequence[PartialScope]) -> PartialScope:
    """Where several ways meet, of which one was gone: what they do not agree on is not known."""
    names = {name: None for way in ways for name in way}
    return {
        name: ways[0].get(name, UNKNOWN) if all(_agree(way, ways[0], name) for way in ways) else UNKNOWN
        for name in names
    }


def _agree(one: PartialScope, other: PartialScope, name: str) -> bool:
    return name in one and name in other and one[name] == other[name]


def all_of(before: PartialScope, ways: Sequence[PartialScope]) -> PartialScope:
    """Where all of several ways were gone: what each changed, a later one winning."""
    changed = {
        name: value for way in ways for name, value in way.items() if name not in before or before[name] != value
    }
    return {**before, **changed}

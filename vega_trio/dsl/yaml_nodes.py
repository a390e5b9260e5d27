"""A YAML text as a tree of nodes that know their place."""

from __future__ import annotations

import math
from collections.abc import Iterator

import attrs

from vega_trio.dsl.source import Finding, Span
from vega_trio.errors import VegaError


class YamlError(VegaError):
    """A text is no YAML that we take; `finding` says where and why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@attrs.frozen(eq=False)
class YamlScalar:
    """`value` is None, bool, int, float or str; `text` is as written, quotes and escapes resolved.

    `style` is "" for a plain one, else its mark: ' " | >. `substituted` is true once an environment variable
    went into it; `unset` names one that was missing.
    """

    value: object
    text: str
    style: str
    span: Span = attrs.field(repr=False)
    substituted: bool = False
    unset: str = ""
    size: int = 1
    height: int = 0


@attrs.frozen(eq=False)
class YamlList:
    items: tuple[YamlNode, ...]
    span: Span = attrs.field(repr=False)
    size: int = 1
    height: int = 1


@attrs.frozen(eq=False)
class YamlMap:
    """`entries` in written order, merged ones (`<<`) last; each key once."""

    entries: tuple[tuple[YamlScalar, YamlNode], ...]
    span: Span = attrs.field(repr=False)
    size: int = 1
    height: int = 1

    def get(self, key: str) -> YamlNode | None:
        return next((value for name, value in self.entries if name.text == key), None)


YamlNode = YamlScalar | YamlList | YamlMap


def data(node: YamlNode) -> object:
    """The plain value of a tree: None, bool, int, float, str, list, dict.

    Raises: YamlError V005 for `.inf` and `.nan`, which JSON has no word for.
    """
    match node:
        case YamlScalar():
            if isinstance(node.value, float) and not math.isfinite(node.value):
                raise YamlError(Finding("V005", node.span, f"'{node.text}' is not a finite number"))
            return node.value
        case YamlList():
            return [data(item) for item in node.items]
        case YamlMap():
            return {key.text: data(value) for key, value in node.entries}


def scalars(node: YamlNode) -> Iterator[YamlScalar]:
    """Every scalar of a tree that is no key."""
    match node:
        case YamlScalar():
            yield node
        case YamlList():
            for item in node.items:
                yield from scalars(item)
        case YamlMap():
            for _, item in node.entries:
                yield from scalars(item)

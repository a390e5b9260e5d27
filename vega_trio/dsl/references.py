"""The variables that an expression uses, and whether it fails when one is undefined."""

from __future__ import annotations

from collections.abc import Iterator

from vega_trio.dsl import nodes as n
from vega_trio.dsl.nodes import Reference
from vega_trio.dsl.values import print_value


def collect(node: n.Node, use: str) -> Iterator[Reference]:
    """The variables of a tree; `use` says how the tree's own value is taken (see `Reference`)."""
    if isinstance(node, n.Name | n.Member):
        yield from _path(node, use)
        return
    for below, how in _below(node, use):
        yield from collect(below, how)


def _below(node: n.Node, use: str) -> list[tuple[n.Node, str]]:
    """The nodes directly below, and how their values are taken."""
    match node:
        case n.Unary(sign, operand):
            return [(operand, "truth" if sign == "not" else "value")]
        case n.Binary(_, left, right):
            return [(left, "value"), (right, "value")]
        case n.Logic(_, left, right):
            return [(left, "truth"), (right, "truth")]
        case n.Choice(test, then, otherwise):
            return [(then, "value"), (test, "truth"), (otherwise, "value")]
        case n.ListNode(parts) | n.Text(parts):
            return [(part, "value") for part in parts]
        case n.MapNode(entries):
            return [(part, "value") for entry in entries for part in entry]
        case n.FilterNode():
            forgiven = node.name == "default" or use == "default"
            return [(node.input, "default" if forgiven else "value"), *((each, "value") for each in node.arguments)]
        case _:
            return []


def _path(node: n.Name | n.Member, use: str) -> Iterator[Reference]:
    keys: list[str] = []
    inner: n.Node = node
    while isinstance(inner, n.Member):
        if isinstance(inner.key, n.Literal):
            keys.append(print_value(inner.key.value))
        else:
            keys.clear()
            yield from collect(inner.key, "value")
        inner = inner.base
    if isinstance(inner, n.Name):
        yield Reference(inner.name, tuple(reversed(keys)), use, inner.start, node.end)
    else:
        yield from collect(inner, use)

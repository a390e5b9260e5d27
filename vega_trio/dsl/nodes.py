"""The syntax tree of expressions.

`start` and `end` are offsets into the text a node was parsed from; `height` is how deep the tree below it goes, which
the parser keeps within its limit, so that whoever walks a tree may recurse.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Literal:
    value: object
    start: int
    end: int
    height: int = 1


@attrs.frozen
class Name:
    name: str
    start: int
    end: int
    height: int = 1


@attrs.frozen
class Member:
    """`base.key` or `base[key]`; `.name` and `.0` have a literal key."""

    base: Node
    key: Node
    start: int
    end: int
    height: int = 1


@attrs.frozen
class Unary:
    """`not` or `-`."""

    sign: str
    operand: Node
    start: int
    end: int
    height: int = 1


@attrs.frozen
class Binary:
    """Arithmetic, a comparison, `in` or `not in`."""

    sign: str
    left: Node
    right: Node
    start: int
    end: int
    height: int = 1


@attrs.frozen
class Logic:
    """`and` or `or`."""

    sign: str
    left: Node
    right: Node
    start: int
    end: int
    height: int = 1


@attrs.frozen
class Choice:
    """`then if test else otherwise`."""

    test: Node
    then: Node
    otherwise: Node
    start: int
    end: int
    height: int = 1


@attrs.frozen
class ListNode:
    items: tuple[Node, ...]
    start: int
    end: int
    height: int = 1


@attrs.frozen
class MapNode:
    entries: tuple[tuple[Node, Node], ...]
    start: int
    end: int
    height: int = 1


@attrs.frozen
class Text:
    """Quoted text with holes in it, in a condition: its parts are printed and joined."""

    parts: tuple[Node, ...]
    start: int
    end: int
    height: int = 1


@attrs.frozen
class FilterNode:
    """`input | name:arguments`."""

    input: Node
    name: str
    arguments: tuple[Node, ...]
    start: int
    end: int
    height: int = 1


Node = Literal | Name | Member | Unary | Binary | Logic | Choice | ListNode | MapNode | Text | FilterNode


@attrs.frozen
class Reference:
    """A use of a variable, with the literal keys that follow it: `steps.draft.output` is steps, (draft, output).

    `use`: "value" fails when it is undefined; "truth" and "default" do not.
    """

    name: str
    path: tuple[str, ...]
    use: str
    start: int
    end: int

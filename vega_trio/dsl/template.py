"""Texts with `{{ }}`, conditions and expressions, compiled; and values that hold such texts anywhere inside.

`render` keeps the type of a template that is one hole; everything else prints. All of them take a scope, a mapping
of variables to values, and raise `ExpressionError` (R codes) when they are rendered, V codes when compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from vega_trio.dsl import nodes as n
from vega_trio.dsl.cursor import Cursor
from vega_trio.dsl.evaluate import Closure, Evaluation, compile_node, compile_test
from vega_trio.dsl.expr import Parser, Warn
from vega_trio.dsl.holes import HolePart, parse_holes, quoted_parts
from vega_trio.dsl.nodes import Reference
from vega_trio.dsl.references import collect
from vega_trio.dsl.values import UNDEFINED, ExpressionError, Scope, check_text, measure, print_value

Encode = Callable[[object], str]


@attrs.frozen
class Hole:
    """One `{{ expression }}`; `start` and `end` are where it stands in its template's text."""

    node: n.Node = attrs.field(repr=False)
    run: Closure = attrs.field(repr=False, eq=False)
    start: int
    end: int

    @property
    def name(self) -> str | None:
        """The variable, when the hole is nothing but one."""
        return self.node.name if isinstance(self.node, n.Name) else None


@attrs.frozen
class Alternative:
    """A tool's `{{if X}}..{{else}}..{{end}}`."""

    test: Callable[[Evaluation], bool] = attrs.field(repr=False, eq=False)
    then: tuple[Part, ...]
    otherwise: tuple[Part, ...]


Part = str | Hole | Alternative


@attrs.frozen
class Template:
    """`parts` in order; `references` are the variables used, in written order."""

    text: str
    parts: tuple[Part, ...] = attrs.field(repr=False)
    references: tuple[Reference, ...] = attrs.field(default=(), repr=False)

    @property
    def hole(self) -> Hole | None:
        """The hole, when the template is one hole and nothing else."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, Hole) else None

    def render(self, scope: Scope) -> object:
        """The value of the one hole, or the printed text. Raises: ExpressionError."""
        hole = self.hole
        return self.render_text(scope) if hole is None else hole.run(Evaluation(scope))

    def render_text(self, scope: Scope, encode: Encode = print_value) -> str:
        """The text, each hole's value through `encode`. Raises: ExpressionError."""
        pieces: list[str] = []
        _print_parts(self.parts, Evaluation(scope), encode, pieces)
        return pieces[0] if len(pieces) == 1 else check_text("".join(pieces))

    def is_absent(self, scope: Scope) -> bool:
        """Whether this is one hole for a variable that is not set: its entry is to be left out."""
        hole = self.hole
        return hole is not None and hole.name is not None and scope.get(hole.name, UNDEFINED) is UNDEFINED


def _print_parts(parts: tuple[Part, ...], env: Evaluation, encode: Encode, pieces: list[str]) -> None:
    for part in parts:
        if isinstance(part, str):
            pieces.append(part)
        elif isinstance(part, Hole):
            value = part.run(env)
            env.charge(value)
            pieces.append(encode(value))
        else:
            _print_parts(part.then if part.test(env) else part.otherwise, env, encode, pieces)


@attrs.frozen
class Expression:
    """A bare expression, such as the source of a `for`."""

    text: str
    run: Closure = attrs.field(repr=False, eq=False)
    references: tuple[Reference, ...] = attrs.field(default=(), repr=False)

    def evaluate(self, scope: Scope) -> object:
        """Raises: ExpressionError."""
        return self.run(Evaluation(scope))


@attrs.frozen
class Condition:
    """A bare expression that is asked whether it is true."""

    text: str
    run: Callable[[Evaluation], bool] = attrs.field(repr=False, eq=False)
    references: tuple[Reference, ...] = attrs.field(default=(), repr=False)

    def test(self, scope: Scope) -> bool:
        """Raises: ExpressionError."""
        return self.run(Evaluation(scope))


# -- values with templates inside


@attrs.frozen
class Constant:
    """A number, boolean or null."""

    value: object

    @property
    def references(self) -> tuple[Reference, ...]:
        return ()

    def render(self, scope: Scope) -> object:
        return self.value


@attrs.frozen
class ListTemplate:
    items: tuple[ValueTemplate, ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(each for item in self.items for each in item.references)

    def render(self, scope: Scope) -> object:
        return _measured([item.render(scope) for item in self.items])


@attrs.frozen
class MapTemplate:
    entries: Mapping[str, ValueTemplate]

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(each for item in self.entries.values() for each in item.references)

    def render(self, scope: Scope) -> object:
        return _measured({key: item.render(scope) for key, item in self.entries.items()})


ValueTemplate = Template | ListTemplate | MapTemplate | Constant


def _measured(value: object) -> object:
    measure(value)
    return value


# -- compiling


def _unheard(code: str, message: str, start: int, end: int) -> None:
    pass


def compile_template(text: str, *, tool: bool = False, warn: Warn = _unheard) -> Template:
    """Raises: ExpressionError V050-V054, V006.

    `tool` allows `{{.x}}` and `{{if x}}..{{else}}..{{end}}`; `warn(code, message, start, end)` hears W106.
    """
    pieces = parse_holes(text, warn, tool=tool)
    nodes = [piece.node for piece in pieces if isinstance(piece, HolePart) and piece.word in ("", "if", "else if")]
    tests = {id(piece.node) for piece in pieces if isinstance(piece, HolePart) and piece.word}
    found = tuple(ref for node in nodes for ref in collect(node, "truth" if id(node) in tests else "value"))
    return Template(text, _parts(pieces), found)


def _parts(pieces: list[str | HolePart]) -> tuple[Part, ...]:
    parts, at = _until(pieces, 0, ())
    if at < len(pieces):
        stray = pieces[at]
        assert isinstance(stray, HolePart)
        raise ExpressionError("V053", f"'{{{{{stray.word}}}}}' without '{{{{if}}}}'", stray.start, stray.end)
    return parts


def _until(pieces: list[str | HolePart], at: int, ends: tuple[str, ...]) -> tuple[tuple[Part, ...], int]:
    """The parts from `at` to the next of `ends`, or to the end or a stray word, and where that is."""
    parts: list[Part] = []
    while at < len(pieces):
        piece = pieces[at]
        if isinstance(piece, str):
            parts.append(piece)
        elif piece.word == "":
            parts.append(Hole(piece.node, compile_node(piece.node), piece.start, piece.end))
        elif piece.word == "if":
            alternative, at = _alternative(pieces, at)
            parts.append(alternative)
        else:
            break
        at += 1
    return tuple(parts), at


def _alternative(pieces: list[str | HolePart], at: int) -> tuple[Alternative, int]:
    """The alternative that opens at `at`, and where its `{{end}}` is."""
    opening = pieces[at]
    assert isinstance(opening, HolePart)
    then, at = _until(pieces, at + 1, ("else", "else if", "end"))
    otherwise: tuple[Part, ...] = ()
    middle = pieces[at] if at < len(pieces) else None
    if isinstance(middle, HolePart) and middle.word == "else if":
        nested, at = _alternative(pieces, at)
        otherwise = (nested,)
    elif isinstance(middle, HolePart) and middle.word == "else":
        otherwise, at = _until(pieces, at + 1, ("end",))
    closing = pieces[at] if at < len(pieces) else None
    if not isinstance(closing, HolePart) or closing.word != "end":
        raise ExpressionError("V053", "'{{if}}' has no '{{end}}'", opening.start, opening.end)
    return Alternative(compile_test(opening.node), then, otherwise), at


def compile_expression(text: str, *, warn: Warn = _unheard) -> Expression:
    """Raises: ExpressionError V050-V054, V006."""
    node = _parse_bare(text, warn)
    return Expression(text, compile_node(node), tuple(collect(node, "value")))


def compile_condition(text: str, *, warn: Warn = _unheard) -> Condition:
    """Raises: ExpressionError V050-V054, V006."""
    node = _parse_bare(text, warn)
    return Condition(text, compile_test(node), tuple(collect(node, "truth")))


def constant_condition(value: bool) -> Condition:
    return Condition("true" if value else "false", lambda _: value)


def _parse_bare(text: str, warn: Warn) -> n.Node:
    if not text.strip():
        raise ExpressionError("V050", "the expression is empty", 0, len(text))
    return Parser(Cursor(text, 0, len(text), holes=True), warn, quoted=quoted_parts).whole()

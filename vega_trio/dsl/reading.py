"""What the readers of a document share: where they report, and how they compile the expressions they meet.

A reader never stops at a mistake: it reports it and goes on with the default, so that one run shows them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import attrs

from vega_trio.dsl.offsets import Places
from vega_trio.dsl.source import Report, Span
from vega_trio.dsl.template import (
    Condition,
    Constant,
    Expression,
    ListTemplate,
    MapTemplate,
    Template,
    ValueTemplate,
    compile_condition,
    compile_expression,
    compile_template,
    constant_condition,
)
from vega_trio.dsl.values import ExpressionError
from vega_trio.dsl.yaml_nodes import YamlError, YamlList, YamlMap, YamlNode, YamlScalar, data

_T = TypeVar("_T")


@attrs.frozen
class Origin:
    """Where `made` was read: at `offset` in the text of a node. `made` is held so that its id stays its own."""

    made: object = attrs.field(repr=False)
    node: YamlNode
    path: str
    offset: int


@attrs.define
class Reading:
    """What all readers of one document share.

    `providers` are those of models, `registry` the well-known servers of MCP; none stands for any.
    """

    report: Report
    env: Mapping[str, str]
    providers: frozenset[str] = frozenset()
    registry: frozenset[str] = frozenset()
    origins: dict[int, Origin] = attrs.field(factory=dict)
    places: Places = attrs.field(factory=Places)
    steps_read: int = 0

    def keep_origin(self, made: object, node: YamlNode, path: str, offset: int = 0) -> None:
        """Remembers what a part of the document was read from, for checks of the whole."""
        self.origins[id(made)] = Origin(made, node, path, offset)

    def keep_origin_of(self, made: object, other: object) -> None:
        """`made` was read where `other` was."""
        origin = self.origins[id(other)]
        self.keep_origin(made, origin.node, origin.path, origin.offset)

    def error_in(
        self, made: object, code: str, message: str, hint: str = "", at: tuple[int, int] | None = None
    ) -> None:
        """Reports something about what was read before; `at` are offsets into its expression's text."""
        origin = self.origins[id(made)]
        span = head_span(origin.node)
        if at is not None and isinstance(origin.node, YamlScalar):
            span = self.places.span(origin.node, origin.offset + at[0], origin.offset + at[1])
        self.report.add(code, span, message, hint, origin.path)

    def error(self, code: str, node: YamlNode, message: str, hint: str = "", path: str = "") -> None:
        self.report.add(code, head_span(node), message, hint, path)

    # -- texts with expressions

    def template(self, node: YamlNode, path: str, *, tool: bool = False) -> Template:
        """Of a text; numbers and booleans are the text they are written as. An empty one after an error."""
        if not isinstance(node, YamlScalar) or node.value is None:
            self.error("V005", node, f"a text is needed here, not {shape(node)}", path=path)
            return Template("", ())
        return self._compiled(node, 0, path, lambda text, warn: compile_template(text, tool=tool, warn=warn)) or (
            Template(node.text, (node.text,))
        )

    def expression(self, node: YamlScalar, offset: int, path: str) -> Expression:
        """Of the text behind `offset`; null after an error."""
        found = self._compiled(node, offset, path, lambda text, warn: compile_expression(text, warn=warn))
        return found or Expression(node.text, lambda _: None)

    def condition(self, node: YamlNode, path: str) -> Condition:
        """Of a text or boolean; false after an error."""
        if isinstance(node, YamlScalar) and isinstance(node.value, bool):
            return constant_condition(node.value)
        if not isinstance(node, YamlScalar) or node.value is None:
            hint = "write for example: score >= 8"
            self.error("V005", node, f"a condition is needed here, not {shape(node)}", hint, path)
            return constant_condition(False)
        found = self._compiled(node, 0, path, lambda text, warn: compile_condition(text, warn=warn))
        return found or constant_condition(False)

    def _compiled(
        self,
        node: YamlScalar,
        offset: int,
        path: str,
        build: Callable[[str, Callable[[str, str, int, int], None]], _T],
    ) -> _T | None:
        def warn(code: str, message: str, start: int, end: int) -> None:
            hint = "put brackets round what the filter is to take"
            self.report.add(code, self.places.span(node, offset + start, offset + end), message, hint, path)

        try:
            made = build(node.text[offset:], warn)
        except ExpressionError as error:
            span = self.places.span(node, offset + error.start, offset + error.end)
            self.report.add(error.code, span, error.message, error.hint, path)
            return None
        self.keep_origin(made, node, path, offset)
        return made

    def value_template(self, node: YamlNode, path: str, *, tool: bool = False) -> ValueTemplate:
        """Any YAML value, the texts in it as templates."""
        match node:
            case YamlList():
                items = (self.value_template(item, f"{path}[{i}]", tool=tool) for i, item in enumerate(node.items))
                return ListTemplate(tuple(items))
            case YamlMap():
                return MapTemplate(
                    {key.text: self.value_template(item, f"{path}.{key.text}", tool=tool) for key, item in node.entries}
                )
            case YamlScalar() if isinstance(node.value, str):
                return self.template(node, path, tool=tool)
            case YamlScalar():
                return Constant(self.data(node, path))

    def data(self, node: YamlNode, path: str) -> object:
        """Any YAML value, as it is; null after an error."""
        try:
            return data(node)
        except YamlError as error:
            found = error.finding
            self.report.add(found.code, found.span, found.message, found.hint, path)
            return None


def head_span(node: YamlNode) -> Span:
    """The characters to point at: a scalar's own, only the first of what takes several lines."""
    span = node.span
    text = span.source.text[span.start : span.end]
    first = text.split("\n", 1)[0].rstrip()
    return span if "\n" not in text else Span(span.source, span.start, span.start + max(len(first), 1))


def rest_of_line(node: YamlNode) -> str:
    """What stands on the line from the node on: behind an empty one, perhaps a comment."""
    place = node.span.place
    return node.span.source.line_text(place.line)[place.column - 1 :]


def shape(node: YamlNode) -> str:
    """What was found instead, in words."""
    match node:
        case YamlList():
            return "a list"
        case YamlMap():
            return "a mapping"
        case YamlScalar(value=None):
            return "nothing"
        case YamlScalar(value=bool()):
            return "true or false"
        case YamlScalar(value=int() | float()):
            return f"the number {node.text}"
        case _:
            return "a text"

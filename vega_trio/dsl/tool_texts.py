"""The texts of a tool: templates over its parameters, and over values that the settings give."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from vega_trio.dsl.fields import Fields
from vega_trio.dsl.reading import Reading
from vega_trio.dsl.template import Template, ValueTemplate, compile_template
from vega_trio.dsl.values import ExpressionError
from vega_trio.dsl.words import VALUE_PREFIX
from vega_trio.dsl.yaml_nodes import YamlNode, YamlScalar, scalars
from vega_trio.suggest import distance


@attrs.frozen
class ToolSetting:
    """What tools may refer to: the names of values that are set, and of tools that the application has.

    `exposed`: commands run here without isolation, unless the document has chosen that.
    """

    values: frozenset[str]
    tools: frozenset[str]
    exposed: bool = False


@attrs.define
class ToolTexts:
    """Compiles the texts of one tool and collects the values they use that are no parameters."""

    reading: Reading
    params: set[str]
    setting: ToolSetting
    values: set[str] = attrs.field(factory=set)

    def template(self, fields: Fields, key: str) -> Template:
        """Of a required or optional text; empty when it is absent."""
        node = fields.take(key)
        if node is None:
            return compile_template("")
        return self.of(node, fields.at(key))

    def of(self, node: YamlNode, path: str) -> Template:
        template = self.reading.template(node, path, tool=True)
        self._check(node, template, path)
        return template

    def value(self, node: YamlNode, path: str) -> ValueTemplate:
        """Of any YAML value."""
        found = self.reading.value_template(node, path, tool=True)
        for each in scalars(node):
            if isinstance(each.value, str) and "{{" in each.value:
                self._check(each, _quietly(each.text), path)
        return found

    def by_name(self, fields: Fields, key: str) -> Mapping[str, Template]:
        inner = fields.inner(key)
        if inner is None:
            return {}
        found = {name: self.template(inner, name) for name in inner.entries}
        inner.finish()
        return found

    def _check(self, node: YamlNode, template: Template, path: str) -> None:
        assert isinstance(node, YamlScalar) or not template.references
        for reference in template.references:
            name = reference.name
            if name in self.params:
                continue
            places = self.reading.places
            span = places.span(node, reference.start, reference.end) if isinstance(node, YamlScalar) else node.span
            near = next((each for each in sorted(self.params) if distance(name, each, 1) <= 1 and len(name) > 2), None)
            if near and name not in self.setting.values:
                message = f"'{name}' is not a parameter of this tool"
                self.reading.report.add("V024", span, message, f"did you mean '{near}'?", path)
                continue
            self.values.add(name)
            if name not in self.setting.values:
                hint = f"declare a parameter, or set settings.values.{name} or {VALUE_PREFIX}{name.upper()}"
                message = f"'{name}' is no parameter, and no value of that name is set"
                self.reading.report.add("W114", span, message, hint, path)


def _quietly(text: str) -> Template:
    """Compiled again for its references; what is wrong with it has been reported."""
    try:
        return compile_template(text, tool=True)
    except ExpressionError:
        return compile_template("")

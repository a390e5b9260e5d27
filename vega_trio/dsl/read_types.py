"""Reads the `type` of inputs and parameters."""

from __future__ import annotations

from collections.abc import Mapping

from vega_trio.dsl.reading import Reading, shape
from vega_trio.dsl.values import ValueType
from vega_trio.dsl.yaml_nodes import YamlNode, YamlScalar
from vega_trio.suggest import remedy

TYPES: Mapping[str, ValueType] = {
    "string": "string",
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
    "any": "any",
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "map": "object",
    "dict": "object",
}


_FOREIGN: Mapping[str, ValueType] = {
    "text": "string",
    "file": "string",
    "date": "string",
    "decimal": "number",
    "double": "number",
    "yes/no": "boolean",
    "tuple": "array",
    "mapping": "object",
    "json": "any",
}


def read_type(reading: Reading, node: YamlNode | None, path: str) -> ValueType:
    """`string` when nothing is said. Reports V005, V016."""
    if node is None or (isinstance(node, YamlScalar) and node.value is None):
        return "string"
    if not isinstance(node, YamlScalar):
        reading.error("V005", node, f"a type must be a text, not {shape(node)}", path=path)
        return "string"
    if node.text not in TYPES:
        known = _FOREIGN.get(node.text.lower())
        hint = f"write: {known}" if known else remedy(node.text, frozenset(TYPES.values()), "the types are")
        reading.error("V016", node, f"unknown type '{node.text}'", hint, path)
    return TYPES.get(node.text, "string")

"""Reads the parameters of tools, and says them as a JSON Schema."""

from __future__ import annotations

import attrs

from vega_trio.dsl.definitions import entries
from vega_trio.dsl.fields import Fields
from vega_trio.dsl.inputs import coerce
from vega_trio.dsl.read_types import read_type
from vega_trio.dsl.reading import Reading, shape
from vega_trio.dsl.tool import Param
from vega_trio.dsl.words import bad_variable
from vega_trio.dsl.yaml_nodes import YamlMap, YamlNode, YamlScalar


def read_params(fields: Fields, key: str = "params") -> tuple[Param, ...]:
    """A list of definitions with `name`, or a mapping name -> definition or type. Reports V003, V022.

    Parameters are variables; what the properties of an object are called is free.
    """
    found: dict[str, Param] = {}
    for name_node, node in entries(fields.reading, fields.take(key), fields.at(key), "parameter", "V022"):
        name, path = name_node.text, f"{fields.at(key)}.{name_node.text}"
        problem = bad_variable(name) if key == "params" else ""
        if problem and problem != "belongs to the language":
            fields.reading.error("V022", name_node, f"the parameter name '{name[:40]}' {problem}", path=path)
        elif name in found:
            fields.reading.error("V003", name_node, f"the parameter '{name}' is defined twice", path=path)
        else:
            found[name] = _param(fields.reading, name, node, path)
    return tuple(found.values())


def _param(reading: Reading, name: str, node: YamlNode, path: str) -> Param:
    if isinstance(node, YamlScalar):
        return Param(name=name, type=read_type(reading, node, path))
    if not isinstance(node, YamlMap):
        reading.error("V005", node, f"a parameter must be a type or a mapping, not {shape(node)}", path=path)
        return Param(name=name)
    fields = Fields(reading, node, path)
    fields.text("name")
    type_node = fields.take("type")
    enum = fields.items("enum")
    items = fields.take("items")
    default = fields.entries.get("default")
    fields.take("default")
    found = Param(
        name=name,
        type=read_type(reading, type_node, fields.at("type")),
        description=fields.text("description"),
        required=fields.flag("required", False) and default is None,
        enum=None if enum is None else tuple(reading.data(each, fields.at("enum")) for each in enum.items),
        items=None if items is None else _param(reading, "items", items, fields.at("items")),
        properties=read_params(fields, "properties"),
    )
    fields.finish()
    return found if default is None else _with_default(fields, found, default[1])


def _with_default(fields: Fields, found: Param, node: YamlNode) -> Param:
    value = fields.reading.data(node, fields.at("default"))
    if value is not None:
        try:
            value = coerce(found.type, value)
        except ValueError as error:
            fields.wrong("V022", "default", f"the default of '{found.name}' {error}")
    return attrs.evolve(found, default=value, has_default=True)


def params_schema(params: tuple[Param, ...]) -> dict[str, object]:
    """The JSON Schema, of type object, of a tool's parameters."""
    properties = {each.name: _schema(each) for each in params}
    required = [each.name for each in params if each.required]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _schema(param: Param) -> dict[str, object]:
    schema: dict[str, object] = {} if param.type == "any" else {"type": param.type}
    if param.description:
        schema["description"] = param.description
    if param.enum is not None:
        schema["enum"] = list(param.enum)
    if param.has_default:
        schema["default"] = param.default
    if param.items is not None:
        schema["items"] = _schema(param.items)
    if param.properties:
        inner = params_schema(param.properties)
        schema["properties"], schema["required"] = inner["properties"], inner["required"]
    return schema

"""Reads `settings.mcp`: the servers, as they are written out or named out of the registry."""

from __future__ import annotations

from collections.abc import Mapping

from vega_trio.dsl.definitions import definitions
from vega_trio.dsl.document import McpServerDefinition
from vega_trio.dsl.fields import Fields
from vega_trio.dsl.policy import Place
from vega_trio.dsl.reading import shape
from vega_trio.dsl.words import SERVER_NAME
from vega_trio.dsl.yaml_nodes import YamlList, YamlMap, YamlNode, YamlScalar, scalars
from vega_trio.model_call import TOOL_TIMEOUT_S
from vega_trio.suggest import remedy


def read_servers(fields: Fields) -> tuple[McpServerDefinition, ...]:
    """`servers`: registry names or mappings in a list, or mappings by name. Reports V005, V015, V016, V021."""
    node = fields.take("servers")
    path = fields.at("servers")
    if isinstance(node, YamlList):  # a bare name in the list is an entry of the registry
        node = YamlList(tuple(map(_named, node.items)), node.span)
    servers = list(definitions(fields.reading, () if node is None else (node,), path, "server"))
    for each in servers:
        if not SERVER_NAME.fullmatch(each.name):
            message = f"the server name '{each.name[:40]}' cannot stand before '__' in the name of a tool"
            hint = "use letters, digits, '-', '.' and single '_', at most 63"
            fields.reading.error("V015", each.name_node, message, hint, each.path)
    return tuple(
        _server(
            each.name,
            Fields(fields.reading, each.node, each.path, owner=each.name_node),
            each.name_node.span.place,
        )
        for each in servers
    )


def _named(item: YamlNode) -> YamlNode:
    if not isinstance(item, YamlScalar) or not isinstance(item.value, str):
        return item
    name = YamlScalar("name", "name", "", item.span)
    return YamlMap(((name, item),), item.span)


def _server(name: str, fields: Fields, place: Place) -> McpServerDefinition:
    fields.text("name")
    url = fields.maybe_text("url")
    transports = {"stdio": "stdio", "http": "http", "sse": "sse"}
    default = "http" if url is not None and "command" not in fields.entries else "stdio"
    unset = sorted({each.unset for each in scalars(fields.node) if each.unset})
    found = McpServerDefinition(
        name=name,
        place=place,
        transport=fields.choice("transport", default, transports),  # type: ignore[arg-type]
        command=fields.maybe_text("command"),
        args=fields.texts("args"),
        env=_texts_by_name(fields, "env"),
        cwd=fields.maybe_text("cwd"),
        url=url,
        headers=_texts_by_name(fields, "headers"),
        timeout_s=fields.duration("timeout", TOOL_TIMEOUT_S),
        disabled=_disabled(fields, unset),
    )
    if found.transport != "stdio" and found.url is None:
        hint = "write for example url: https://example.com/mcp"
        fields.wrong("V016", "transport", f"the transport '{found.transport}' needs a 'url'", hint)
    registry = fields.reading.registry
    if found.command is None and found.url is None and registry and name not in registry:
        hint = remedy(name, registry, "the registry knows")
        message = f"the MCP server '{name}' has no command and no url, and is none of the registry's"
        fields.lacking("V021", message, hint)
    fields.finish()
    return found


def _disabled(fields: Fields, unset: list[str]) -> str:
    if fields.flag("disabled", False):
        return "it is disabled in the document"
    return f"the environment variable {unset[0]} is not set" if unset else ""


def _texts_by_name(fields: Fields, key: str) -> Mapping[str, str]:
    """A mapping of texts."""
    inner = fields.inner(key)
    if inner is None:
        return {}
    found: dict[str, str] = {}
    for name in inner.entries:
        node = inner.take(name)
        if isinstance(node, YamlScalar):
            found[name] = node.text
        elif node is not None:
            fields.reading.error("V005", node, f"a text is needed here, not {shape(node)}", path=inner.at(name))
    return found

"""The references that are made of the code itself: commands, keys of the language, routes, events, errors, codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import click
import site_api
from site_api import own_doc, prose

import vega_trio as vega
from vega_trio.cli.main import root
from vega_trio.dsl.editor_schema import json_schema
from vega_trio.dsl.explain import EXPLANATIONS
from vega_trio.serve.assets import Bundle
from vega_trio.serve.openapi import openapi
from vega_trio.serve.web import all_routes


def table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(cell.replace("\n", " ").replace("|", "\\|") for cell in row) for row in rows]
    return "".join(f"| {line} |\n" for line in lines)


def _head(title: str, about: str) -> str:
    return f"# {title}\n\n{about}\n"


# -- commands


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and subcommand with its path, `vega run`."""
    yield from _below(root(), "vega")


def _below(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _below(found, f"{path} {name}")


def cli_page() -> str:
    """What `vega help COMMAND` prints, of every command."""
    shared = {name for each in root().params for name in each.opts}
    parts = [_head("Commands", "As `vega help COMMAND` has it; [the command line](../cli.md) says which does what.")]
    for path, command in commands():
        parts += [f"## {path}\n", f"    {_usage(path, command)}\n", _unwrapped(command.help or ""), ""]
        options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
        own = [each for each in options if path == "vega" or not shared & set(each.opts)]
        if own:
            parts.append(table(("option", "meaning"), ((_option(each), prose(each.help or "")) for each in own)))
    return "\n".join(parts)


def _usage(path: str, command: click.Command) -> str:
    return f"{path} " + " ".join(command.collect_usage_pieces(click.Context(command)))


def _unwrapped(text: str) -> str:
    paragraphs = text.replace("\b", "").split("\n\n")
    return "\n\n".join(prose(" ".join(each.split())) for each in paragraphs)


def _option(option: click.Option) -> str:
    value = "" if option.is_flag or option.count else f" {option.metavar or option.type.name.upper()}"
    return f"`{', '.join(option.opts)}{value}`"


# -- the language


def yaml_page() -> str:
    """Every mapping of a document: its keys, what they take, what they are without."""
    schema = json_schema()
    about = "What each key takes, as `vega schema` says it to editors. [The language](../dsl.md) tells what they mean."
    parts = [_head("Keys of a document", about), "## document\n", _keys(schema)]
    for name, definition in sorted(schema["$defs"].items()):
        shapes = [each for each in definition.get("anyOf", [definition]) if "properties" in each]
        plain = [_takes(each) for each in definition.get("anyOf", [definition]) if "properties" not in each]
        parts.append(f"## {name}\n")
        if plain:
            parts.append(f"{' or '.join(plain)}{', or a mapping:' if shapes else ''}\n")
        parts += [_keys(each) for each in shapes]
    return "\n".join(parts)


def _keys(mapping: Mapping[str, Any]) -> str:
    needed = set(mapping.get("required", ()))
    rows = (
        (f"`{key}`" + (" (required)" if key in needed else ""), _takes(value), _default(value))
        for key, value in sorted(mapping["properties"].items())
    )
    return table(("key", "takes", "default"), rows)


def _default(schema: Mapping[str, Any]) -> str:
    return f"`{schema['default']}`" if "default" in schema else ""


def _takes(schema: Mapping[str, Any]) -> str:
    """What a schema lets through, in words."""
    if "description" in schema and "properties" not in schema:
        return prose(schema["description"])
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name})"
    if "anyOf" in schema:
        found = (_takes(each) for each in schema["anyOf"] if not each.get("pattern"))
        return " or ".join(dict.fromkeys(found))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{each}`" for each in schema.get("enum", [schema.get("const")]))
    if "properties" in schema:
        return "mapping of " + ", ".join(f"`{key}`" for key in schema["properties"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_takes(schema['items'])}" if "items" in schema else "list"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"mapping of names to {_takes(schema['additionalProperties'])}"
    words = {"string": "text", "object": "mapping", "boolean": "true, false", "integer": "whole number"}
    return words.get(kind, kind)


# -- the server


def http_page() -> str:
    """Every route with its query, body and answer, and every shape, out of the OpenAPI document."""
    document = openapi(all_routes(Bundle({}, None)))
    about = "As `/api/openapi.json` of a running server has it. [The HTTP API](../http-api.md) tells the rest."
    parts = [_head("Routes", about)]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts += [f"## {method.upper()} {path}\n", f"{prose(operation['summary'])}\n", *_exchange(operation)]
    parts.append("## Shapes\n")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts += [f"### {name}\n", prose(schema.get("description", "")), "", _fields(schema)]
    return "\n".join(parts)


def _exchange(operation: Mapping[str, Any]) -> Iterator[str]:
    query = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
    if query:
        rows = ((f"`{each['name']}`", _json(each["schema"]), prose(each["description"])) for each in query)
        yield table(("query", "takes", ""), rows)
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        yield f"Body: {_json(body['schema'])}\n"
    for status, answer in operation["responses"].items():
        for kind, content in answer.get("content", {}).items():
            if status != "default":
                shape = _json(content["schema"]) if kind == "application/json" else f"`{kind}`"
                yield f"Answer {status}: {shape}\n"


def _fields(schema: Mapping[str, Any]) -> str:
    if "properties" not in schema:
        return _json(schema) + "\n"
    needed = set(schema.get("required", ()))
    rows = (
        (f"`{key}`", _json(value) + ("" if key in needed else ", optional"))
        for key, value in schema["properties"].items()
    )
    return table(("field", "is"), rows)


def _json(schema: Mapping[str, Any]) -> str:
    """A JSON Schema of the API in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_json(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_json(schema.get('items') or {})}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"mapping to {_json(schema['additionalProperties'])}"
    return f"{schema.get('format') or schema.get('type', 'any JSON')}"


# -- events, errors, codes


def event_kinds() -> list[type]:
    """The classes of events, by their name on the wire."""
    from vega_trio import events

    found = [value for value in vars(events).values() if isinstance(value, type) and issubclass(value, events.Event)]
    return sorted((each for each in found if each is not events.Event), key=lambda each: each.TYPE or "alert")


def events_page() -> str:
    """Every type of event with its own fields."""
    header = [field.name for field in attrs.fields(vega.Event)]
    common = ", ".join(f"`{name}`" for name in header)
    about = "What `orch.subscribe()`, `GET /api/events`, `vega events` and the log tell."
    parts = [_head("Events", f"{about} Every event has {common}; these are the fields of its own.")]
    for kind in event_kinds():
        live = "" if kind.DURABLE else " It is live only, never stored."
        parts += [f"## {kind.TYPE or 'alert.KIND'}\n", f"`vega.{kind.__name__}`. {prose(own_doc(kind))}{live}\n"]
        own = [field for field in attrs.fields(kind) if field.name not in header]
        if own:
            rows = ((f"`{field.metadata.get('wire', field.name)}`", _hint(field.type)) for field in own)
            parts.append(table(("field", "is"), rows))
    return "\n".join(parts)


def _hint(kind: object) -> str:
    return f"`{kind if isinstance(kind, str) else getattr(kind, '__name__', kind)}`"


def errors_page() -> str:
    """The tree of exceptions, and the classes of failures."""
    raised = [getattr(vega, name) for name in site_api.public_names() if site_api.topic_of(name) == "Errors"]
    others = [each for each in raised if not issubclass(each, vega.VegaError)]
    parts = [
        _head("Errors", "Everything that vega raises to a program is a `vega.VegaError`."),
        *_tree(vega.VegaError, 0),
    ]
    parts += ["\n## What a program raises to vega\n"]
    parts += [f"- `{each.__name__}`: {_first(each)}" for each in others]
    parts += ["\n## Error classes\n", f"{prose(own_doc(vega.ErrorClass))}\n"]
    parts += [f"- `{each}`" for each in vega.ErrorClass]
    return "\n".join(parts) + "\n"


def _tree(cls: type, depth: int) -> Iterator[str]:
    yield f"{'    ' * depth}- `{cls.__name__}`: {_first(cls)}"
    for below in sorted(cls.__subclasses__(), key=lambda each: each.__name__):
        if below.__module__ == "vega_trio.errors":
            yield from _tree(below, depth + 1)


def _first(cls: type) -> str:
    return prose(own_doc(cls).split("\n\n")[0].replace("\n", " "))


def codes_page() -> str:
    """What `vega explain` prints, of every code."""
    about = "As `vega explain CODE` has it: V0 are errors and V1 warnings of `vega validate`, R what a run meets."
    parts = [_head("Codes of findings", about)]
    for code, each in sorted(EXPLANATIONS.items()):
        parts += [f"## {code}\n", prose(each.meaning), ""]
        parts += ["Wrong:\n", _yaml(each.wrong), "Right:\n", _yaml(each.right)]
    return "\n".join(parts)


def _yaml(text: str) -> str:
    return "```text\n" + text.strip("\n") + "\n```\n"

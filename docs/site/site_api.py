"""The reference of the public names, made of their signatures and docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import vega_trio as vega

TOPICS: Mapping[str, tuple[str, ...]] = {
    "Opening": ("app", "testing"),
    "Agents": ("agent", "price", "skills", "tools", "_core.budget"),
    "Processes": ("runtime",),
    "Talking": ("session", "messages", "_core.codec", "context", "engine"),
    "Exits": ("exits",),
    "Protocols": ("protocols",),
    "Errors": ("errors",),
    "Events": ("events",),
}
"""Heading -> where the names below it live, as beginnings of module paths."""

OPENED = frozenset(
    ("Account", "App", "Approval", "Group", "Mail", "Orchestrator", "PendingReply", "Process", "Run", "Supervisor")
)
"""Classes whose objects one is given and never makes."""

_HEADER = frozenset(("process_id", "agent", "incarnation", "session_id", "turn_id", "root_turn_id", "at", "id"))


def public_names() -> list[str]:
    return [name for name in vega.__all__ if name != "__version__"]


def topic_of(name: str) -> str:
    """The heading below which a public name stands. Raises: KeyError, for a name from a place that none claims."""
    home = vega._HOME_OF.get(name, name)
    for topic, places in TOPICS.items():
        if home.startswith(places):
            return topic
    raise KeyError(f"{name} lives in vega_trio.{home}, which no topic of docs/site/site_api.py claims")


def api_page() -> str:
    """`vega_trio`: every public name, by topic."""
    parts = ["# Public names\n", "`import vega_trio as vega`: these names, and no others, are public.\n"]
    for topic in TOPICS:
        names = sorted((name for name in public_names() if topic_of(name) == topic), key=str.lower)
        parts.append(f"## {topic}\n")
        parts += [entry(name, getattr(vega, name), f"vega.{name}") for name in names]
    return "\n".join(parts)


def testing_page() -> str:
    """`vega_trio.testing`."""
    module = import_module("vega_trio.testing")
    entries = [entry(name, getattr(module, name), f"vega.testing.{name}") for name in sorted(module.__all__)]
    return "\n".join(["# vega_trio.testing\n", prose(inspect.getdoc(module) or ""), "", *entries])


def entry(name: str, value: Any, shown: str) -> str:
    """One name: its signature, what it says of itself, and its members."""
    lines = [f"### {name}\n"]
    if isinstance(value, ModuleType):
        return "\n".join([*lines, f"`{shown}`: see [its own page](testing.md).\n"])
    if inspect.isclass(value) or callable(value):
        lines += ["```text", signature(shown, value), "```\n"]
        lines += [prose(own_doc(value)), ""]
    else:
        lines += ["```text", f"{shown} = {_shortened(str(value))}", "```\n"]
    if inspect.isclass(value):
        lines += [member(each, found) for each, found in members(value)]
    return "\n".join(lines) + "\n"


def own_doc(value: Any) -> str:
    """A value's own docstring: not its base's, and none that attrs or enum wrote."""
    text = value.__dict__.get("__doc__") if inspect.isclass(value) else value.__doc__
    return inspect.cleandoc(text) if text else ""


def signature(shown: str, value: Any) -> str:
    """`name(parameters) -> result`, a parameter a line when it would be long."""
    if shown.removeprefix("vega.") in OPENED:
        return f"class {shown}"
    try:
        found = inspect.signature(value)
    except (ValueError, TypeError):
        return shown
    if inspect.isclass(value) and issubclass(value, BaseException | vega.Event):
        kept = [
            each for each in found.parameters.values() if each.name not in _HEADER or not issubclass(value, vega.Event)
        ]
        found = found.replace(parameters=kept, return_annotation=inspect.Signature.empty)
    elif inspect.isclass(value):
        found = found.replace(return_annotation=inspect.Signature.empty)
    parameters = [_shortened(str(each)) for each in _marked(found)]
    result = "" if found.return_annotation is inspect.Signature.empty else f" -> {_annotation(found)}"
    line = f"{shown}({', '.join(parameters)}){result}"
    if len(line) <= 100:
        return line
    return f"{shown}(\n" + "".join(f"    {each},\n" for each in parameters) + f"){result}"


def _marked(found: inspect.Signature) -> Iterator[object]:
    """The parameters with the bare `/` and `*` between them."""
    starred = False
    positional = [each for each in found.parameters.values() if each.kind is each.POSITIONAL_ONLY]
    for each in found.parameters.values():
        if each.name == "self":
            continue
        if each.kind is each.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        starred = starred or each.kind is each.VAR_POSITIONAL
        yield each
        if positional and each is positional[-1]:
            yield "/"


def _annotation(found: inspect.Signature) -> str:
    shown = found.return_annotation
    return _shortened(shown if isinstance(shown, str) else inspect.formatannotation(shown))


def _shortened(text: str) -> str:
    """Without quotes round annotations, addresses of objects, and the module paths of our own classes."""
    text = re.sub(r": '([^']*)'", r": \1", text)
    text = re.sub(r"<(?:function|class|built-in function)? ?'?([\w.]+)'?[^<>]*>", r"\1", text)
    return re.sub(r"\b(?:vega_trio|trio|collections|typing|attr|attrs)(?:\.\w+)*\.(\w+)", r"\1", text)


def members(cls: type) -> Iterable[tuple[str, Any]]:
    """The public methods and properties that a class adds."""
    for name, value in vars(cls).items():
        found = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        if not name.startswith("_") and (inspect.isfunction(found) or isinstance(found, property)):
            yield name, found


def member(name: str, value: Any) -> str:
    if isinstance(value, property):
        head, said = name, inspect.getdoc(value) or ""
    else:
        head, said = signature(name, value).replace("\n    ", " ").replace(",\n)", ")").replace("( ", "("), ""
        said = inspect.getdoc(value) or ""
        head = ("await " if inspect.iscoroutinefunction(value) else "") + head
    body = prose(said).replace("\n", "\n    ")
    return f"- `{head}`" + (f"\n\n    {body}\n" if body else "\n")


def prose(text: str) -> str:
    """A docstring as Markdown: what stands in `` `..` `` and in indented blocks stays as it is."""
    lines = [line if line.startswith("    ") else _escaped(line) for line in text.split("\n")]
    return "\n".join(lines)


def _escaped(line: str) -> str:
    pieces = re.split(r"(`[^`]*`)", line)
    return "".join(
        piece if piece.startswith("`") else re.sub(r"([<*_\[\]])", r"\\\1", piece).replace("\\<", "&lt;")
        for piece in pieces
    )

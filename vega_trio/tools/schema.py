"""JSON Schema from a Python function: what a model is told a tool takes.

Hints give the types, defaults what may be left out, the docstring the descriptions. A hint for which there is no
schema is an error when the tool is made, not a surprise when a model calls it.
"""

from __future__ import annotations

import collections.abc as abc
import dataclasses
import functools
import inspect
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NewType,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

import attrs
import msgspec

from vega_trio.context import ToolContext
from vega_trio.tools.docstrings import parse_docstring

Schema = dict[str, Any]

# Types that travel as text: what JSON Schema calls their format, and how the text becomes a value.
TEXT_TYPES: Final[Mapping[type, tuple[str | None, Callable[[str], Any]]]] = types.MappingProxyType(
    {
        datetime: ("date-time", datetime.fromisoformat),
        date: ("date", date.fromisoformat),
        UUID: ("uuid", UUID),
        Decimal: (None, Decimal),
        Path: (None, Path),
    }
)
_PLAIN: Final = types.MappingProxyType({str: "string", int: "integer", float: "number", bool: "boolean"})
_LISTS: Final = (list, abc.Sequence, abc.Iterable, abc.Collection, abc.MutableSequence)
_SETS: Final = (set, frozenset, abc.Set, abc.MutableSet)
_MAPPINGS: Final = (dict, abc.Mapping, abc.MutableMapping)


@attrs.frozen(kw_only=True)
class Signature:
    """A function as a model sees it, and what is needed to call it.

    `parameters` is a JSON Schema of type object; `hints` maps its properties to their Python types; `context` is
    the name of the parameter that receives the `ToolContext`, which the schema leaves out.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    hints: Mapping[str, Any]
    context: str | None = None


def read_signature(function: Callable[..., Any]) -> Signature:
    """Raises: TypeError, naming the function and the parameter, for what no model could call."""
    name = function_name(function)
    parameters = _parameters(function, name)
    hints = _hints(function, name)
    doc = parse_docstring(_target(function).__doc__)
    context = next(iter(parameters), None)
    if context is not None and hints.get(context) is ToolContext:
        del parameters[context]
    else:
        context = None
    given = {each: hints.get(each, Any) for each in parameters}
    defs: dict[str, Schema] = {}
    properties: dict[str, Schema] = {}
    for each, hint in given.items():
        described = _schema(hint, defs, (), f"parameter {each!r} of tool {name!r}")
        properties[each] = _describe(described, parameters[each], doc.parameters)
    required = [each for each, parameter in parameters.items() if parameter.default is inspect.Parameter.empty]
    schema = _object(properties, required) | ({"$defs": defs} if defs else {})
    return Signature(name=name, description=doc.summary, parameters=schema, hints=given, context=context)


def type_schema(hint: Any, place: str = "the type") -> Schema:
    """The JSON Schema of one type. `place` names it in the error. Raises: TypeError."""
    defs: dict[str, Schema] = {}
    schema = _schema(hint, defs, (), place)
    return schema | ({"$defs": defs} if defs else {})


def function_name(function: Callable[..., Any]) -> str:
    """`__name__`, also of a partial or of an object with `__call__`."""
    if isinstance(function, functools.partial):
        return function_name(function.func)
    return str(getattr(function, "__name__", type(function).__name__))


def _target(function: Callable[..., Any]) -> Any:
    """The function whose hints and docstring count: what a partial wraps, what calling an object runs."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    return function if inspect.isroutine(function) or inspect.isclass(function) else type(function).__call__


def _parameters(function: Callable[..., Any], name: str) -> dict[str, inspect.Parameter]:
    try:
        parameters = dict(inspect.signature(function).parameters)
    except ValueError as error:
        raise TypeError(f"tool {name!r} has no signature that Python can show; wrap it in a function") from error
    for parameter in parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"tool {name!r}: {parameter} cannot be given by a model; use parameters that have names")
    return parameters


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    """The parameters' hints, resolved. What a function returns is free, so it may name what is not imported."""
    target = _target(function)
    target = target.__init__ if inspect.isclass(target) else target
    written = {each: hint for each, hint in getattr(target, "__annotations__", {}).items() if each != "return"}
    holder = types.SimpleNamespace(__annotations__=written)
    try:
        return get_type_hints(holder, globalns=getattr(target, "__globals__", {}), include_extras=True)
    except NameError as error:
        raise TypeError(
            f"tool {name!r}: {error}, so its hints cannot be read; import that name at run time, at the module's top"
        ) from error


def _describe(schema: Schema, parameter: inspect.Parameter, descriptions: Mapping[str, str]) -> Schema:
    described = dict(schema)
    if parameter.name in descriptions:
        described.setdefault("description", descriptions[parameter.name])
    if parameter.default is not parameter.empty and parameter.default is not None:
        # A default that is no JSON (a sentinel, a function) is the function's own business.
        try:
            described["default"] = msgspec.to_builtins(parameter.default)
        except TypeError:
            return described
    return described


def _object(properties: Mapping[str, Schema], required: list[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def _schema(hint: Any, defs: dict[str, Schema], within: tuple[type, ...], place: str) -> Schema:
    """`within` holds the classes being described, the innermost last: one of them again is a reference."""
    hint, description = unwrap(hint)
    origin, args = get_origin(hint), get_args(hint)

    def inner(each: Any) -> Schema:
        return _schema(each, defs, within, place)

    if hint in (Any, object, inspect.Parameter.empty):
        schema: Schema = {}
    elif hint is None or hint is type(None):
        schema = {"type": "null"}
    elif origin is Literal:
        schema = _choices([each.value if isinstance(each, Enum) else each for each in args])
    elif origin in (Union, types.UnionType):
        schema = _union([inner(each) for each in args])
    elif isinstance(origin or hint, type):
        schema = _class_schema(origin or hint, args, inner, defs, within, place)
    else:
        raise TypeError(f"{place} has the type {hint!r}, for which there is no JSON Schema")
    return schema | ({"description": description} if description else {})


def unwrap(hint: Any) -> tuple[Any, str]:
    """Strips Annotated, Required, NotRequired and NewType; the first text in an Annotated is the description."""
    description = ""
    while True:
        if get_origin(hint) is Annotated:
            hint, *notes = get_args(hint)
            description = description or next((note for note in notes if isinstance(note, str)), "")
        elif get_origin(hint) in (Required, NotRequired):
            (hint,) = get_args(hint)
        elif isinstance(hint, NewType):
            hint = hint.__supertype__
        else:
            return hint, description


def _choices(values: list[Any]) -> Schema:
    for value in values:
        if not isinstance(value, str | int | float | bool | None):
            raise TypeError(f"the choice {value!r} is no JSON scalar")
    kinds = {type(value) for value in values}
    kind = _PLAIN.get(kinds.pop()) if len(kinds) == 1 else None
    return ({"type": kind} if kind else {}) | {"enum": values}


def _union(arms: list[Schema]) -> Schema:
    """`{"type": [..]}` when that says it all, which models follow best and errors read best; else anyOf."""
    if {} in arms:
        return {}
    if all(set(arm) == {"type"} and isinstance(arm["type"], str) for arm in arms):
        return {"type": [arm["type"] for arm in arms]}
    return {"anyOf": arms}


def _class_schema(
    cls: type,
    args: tuple[Any, ...],
    inner: Callable[[Any], Schema],
    defs: dict[str, Schema],
    within: tuple[type, ...],
    place: str,
) -> Schema:
    if cls in _PLAIN:
        return {"type": _PLAIN[cls]}
    if cls in TEXT_TYPES:
        form = TEXT_TYPES[cls][0]
        return {"type": "string"} | ({"format": form} if form else {})
    if issubclass(cls, Enum):
        return _choices([member.value for member in cls])
    if cls is tuple:
        return _tuple(args, inner)
    if cls in _LISTS or cls in _SETS:
        unique: Schema = {"uniqueItems": True} if cls in _SETS else {}
        return {"type": "array"} | ({"items": inner(args[0])} if args else {}) | unique
    if cls in _MAPPINGS:
        return _mapping(args, inner, place)
    return _record(cls, defs, within, place)


def _tuple(args: tuple[Any, ...], inner: Callable[[Any], Schema]) -> Schema:
    if not args:
        return {"type": "array"}
    if len(args) == 2 and args[1] is Ellipsis:
        return {"type": "array", "items": inner(args[0])}
    items = [inner(each) for each in args]
    return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items), "maxItems": len(items)}


def _mapping(args: tuple[Any, ...], inner: Callable[[Any], Schema], place: str) -> Schema:
    if not args:
        return {"type": "object"}
    key, value = args
    if inner(key).get("type") not in ("string", None):
        raise TypeError(f"{place} is a mapping with keys of type {key!r}; the keys of a JSON object are text")
    return {"type": "object", "additionalProperties": inner(value) or True}


def _record(cls: type, defs: dict[str, Schema], within: tuple[type, ...], place: str) -> Schema:
    """A class with fields. One that holds itself goes into `defs` and is referred to."""
    reference = {"$ref": f"#/$defs/{cls.__name__}"}
    if cls in within:
        defs.setdefault(cls.__name__, {})
        return reference
    doc = parse_docstring(_written_doc(cls))
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for name, hint, optional in class_fields(cls, place):
        schema = _schema(hint, defs, (*within, cls), f"field {name!r} of {cls.__name__} ({place})")
        properties[name] = {"description": doc.parameters[name], **schema} if name in doc.parameters else schema
        if not optional:
            required.append(name)
    schema = _object(properties, required) | ({"description": doc.summary} if doc.summary else {})
    if cls.__name__ not in defs:
        return schema
    defs[cls.__name__] = schema
    return reference


def class_fields(cls: type, place: str = "the type") -> list[tuple[str, Any, bool]]:
    """Name, type and whether it may be left out, of each field of an attrs class, dataclass or TypedDict."""
    if not (attrs.has(cls) or dataclasses.is_dataclass(cls) or is_typeddict(cls)):
        raise TypeError(
            f"{place} has the type {cls.__name__}, for which there is no JSON Schema; "
            "use str, int, float, bool, list, dict, Literal, an Enum, an attrs class, a dataclass or a TypedDict"
        )
    hints = get_type_hints(cls, include_extras=True)
    if attrs.has(cls):
        return [(f.name, hints.get(f.name, Any), f.default is not attrs.NOTHING) for f in attrs.fields(cls) if f.init]
    if dataclasses.is_dataclass(cls):
        missing = dataclasses.MISSING
        return [
            (f.name, hints[f.name], f.default is not missing or f.default_factory is not missing)
            for f in dataclasses.fields(cls)
            if f.init
        ]
    return [(name, hint, _may_be_absent(cls, name, hint)) for name, hint in hints.items()]


def _may_be_absent(cls: type, name: str, hint: Any) -> bool:
    """A TypedDict whose hints are strings does not know its own NotRequired: only the resolved hint says it."""
    if get_origin(hint) in (Required, NotRequired):
        return get_origin(hint) is NotRequired
    return name in cls.__optional_keys__  # type: ignore[attr-defined]


def _written_doc(cls: type) -> str | None:
    """The class's own docstring, but not the signature that `dataclass` puts there when there is none."""
    doc = cls.__dict__.get("__doc__")
    return None if doc and doc.startswith(f"{cls.__name__}(") else doc

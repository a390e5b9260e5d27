"""A call's arguments: checked against the JSON Schema, told to the model when wrong, structured into Python values."""

from __future__ import annotations

import operator
import types
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache, partial
from typing import Any, Union, get_args, get_origin, is_typeddict

import attrs
import msgspec

from vega_trio.dsl.schema import validator
from vega_trio.errors import ToolRetry, did_you_mean
from vega_trio.tools.schema import TEXT_TYPES, class_fields, type_schema, unwrap

MAX_COMPLAINTS = 5
MAX_COMPLAINT_LENGTH = 300

REFUSALS = (ValueError, TypeError, ArithmeticError, LookupError)
"""What a class, or a parser of text, raises for a value that it does not take."""

Check = Callable[[Mapping[str, Any]], None]


def compile_check(schema: Mapping[str, Any]) -> Check:
    """Gives a function that raises `ToolRetry` for arguments that do not fit `schema`.

    Patterns run in the validator's linear engine and a remote `$ref` is refused.
    Raises: ValueError for a schema that is none, or that holds a lookaround.
    """
    compiled = validator(schema)
    known = tuple(schema.get("properties", ()))

    def check(arguments: Mapping[str, Any]) -> None:
        instance = _json_object(arguments)
        complaints = []
        for error in compiled.iter_errors(instance):
            complaints.append(_complaint(error, known))
            if len(complaints) == MAX_COMPLAINTS:
                break
        if complaints:
            raise ToolRetry("; ".join(complaints))

    return check


def _json_object(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as plain JSON. Text that is no Unicode (a lone surrogate) would fail somewhere deep instead."""
    try:
        msgspec.json.encode(arguments)
    except (TypeError, ValueError, RecursionError) as error:
        raise ToolRetry(f"the arguments are not valid JSON: {error}") from error
    return dict(arguments)


def _complaint(error: Any, known: tuple[str, ...]) -> str:
    path = ".".join(str(step) for step in error.instance_path)
    if error.kind.name == "required":
        missing = f"{path}.{error.kind.property}" if path else error.kind.property
        return f"argument {missing!r} is missing"
    if error.kind.name == "additionalProperties" and not path:
        unknown = error.kind.unexpected[0]
        return f"unknown argument {unknown!r}{did_you_mean(unknown, known)}"
    message = str(error.message)
    if len(message) > MAX_COMPLAINT_LENGTH:
        # The end says what is wrong, the beginning with which value.
        message = f"{message[:100]} ... {message[100 - MAX_COMPLAINT_LENGTH :]}"
    return f"argument {path!r}: {message}" if path else message


@attrs.define
class Structurer:
    """Turns checked JSON into the types of a function's parameters: enums, attrs classes, dates, tuples.

    Strict: text stays text and a number a number; only 5.0 is the integer 5, as in JSON Schema.
    """

    hints: Mapping[str, Any]
    _converter: Any = attrs.field(init=False, default=None, repr=False)

    def structure(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Raises: ToolRetry when a class refuses a value that its schema allows (an attrs validator, a bad date)."""
        if self._converter is None:
            self._converter = _strict_converter()
        return {name: self._structure(name, value) for name, value in arguments.items()}

    def _structure(self, name: str, value: Any) -> Any:
        try:
            return self._converter.structure(value, self.hints[name])
        except REFUSALS as error:
            raise ToolRetry(f"argument {name!r}: {_reason(error)}") from error


def structured(hint: Any, value: Any) -> Any:
    """One JSON value as a `hint`, as strictly as arguments. Raises: ValueError when the class refuses it."""
    try:
        return _strict_converter().structure(value, hint)
    except REFUSALS as error:
        raise ValueError(_reason(error)) from error


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else None
    return said if isinstance(said, str) else f"{type(error).__name__}: {error}"


@cache
def _strict_converter() -> Any:
    """One for the program: what it learns of a class serves every tool."""
    import cattrs  # 60 ms, and only a call needs it

    converter = cattrs.Converter(detailed_validation=False)
    for scalar in (str, bool, int, float):
        converter.register_structure_hook(scalar, _scalar)
    for cls, (_, parse) in TEXT_TYPES.items():
        converter.register_structure_hook_func(partial(operator.is_, cls), _parsing(parse))
    converter.register_structure_hook_factory(_is_union, lambda hint: _union_hook(hint, converter))
    converter.register_structure_hook_func(_is_enum, lambda value, hint: hint(value))
    converter.register_structure_hook_factory(is_typeddict, lambda hint: _typed_dict_hook(hint, converter))
    return converter


def _scalar(value: Any, hint: Any) -> Any:
    if hint is float and type(value) is int:
        return float(value)
    if hint is int and type(value) is float and value.is_integer():
        return int(value)
    if type(value) is not hint:
        raise TypeError(f"{value!r} is not of type {hint.__name__}")
    return value


def _parsing(parse: Callable[[str], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, _: parse(value)


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _typed_dict_hook(cls: type, converter: Any) -> Callable[[Any, Any], Any]:
    """cattrs takes NotRequired for required in a class whose hints are strings."""
    hints = {name: unwrap(hint)[0] for name, hint, _ in class_fields(cls)}
    return lambda value, _: {name: converter.structure(value[name], hints[name]) for name in hints if name in value}


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


def _union_hook(hint: Any, converter: Any) -> Callable[[Any, Any], Any]:
    """Takes the first arm whose own schema the value fits: trying arms in turn would make a text a list of letters."""
    arms = [(arm, validator(type_schema(arm))) for arm in get_args(hint)]

    def structure(value: Any, _: Any) -> Any:
        for arm, compiled in arms:
            if compiled.is_valid(value):
                return None if arm is type(None) else converter.structure(value, arm)
        raise TypeError(f"{value!r} fits none of {hint}")

    return structure

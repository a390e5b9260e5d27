"""Bodies and answers as JSON values.

Reading is strict: an unknown key, a missing one or a wrong type is a 400 that names the field. Writing leaves out
fields that have their default, which are the ones that the API marks as optional.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_origin

import attrs
from cattrs import ClassValidationError, Converter, ForbiddenExtraKeysError, IterableValidationError
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.converters import BaseConverter
from cattrs.errors import IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from vega_trio.errors import did_you_mean
from vega_trio.serve.models.agui import RunAgentInput
from vega_trio.serve.models.chat import ChatRequest
from vega_trio.serve.problems import Problem, Refused
from vega_trio.serve.sse import to_json

T = TypeVar("T")


def _exact(kind: type) -> Any:
    """cattrs would turn 3 into "3" and true into 1; here a value is of its type or it is refused."""

    def structure(value: object, _: object) -> object:
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise TypeError(f"must be {_WORDS[kind]}, not {_worded(value)}")
        return value

    return structure


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[1:] == (...,)


def _listed(kind: Any, converter: BaseConverter) -> Callable[[object, Any], Any]:
    """As `_exact`: a text is no list of letters."""
    items = homogenous_tuple_structure_factory(kind, converter)

    def structure(value: object, _: object) -> object:
        if not isinstance(value, list):
            raise TypeError(f"must be a list, not {_worded(value)}")
        return items(value, kind)

    return structure


def _object(value: object, _: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"must be an object, not {_worded(value)}")
    return value


def _keyed(kind: type, converter: BaseConverter) -> Callable[[object, Any], Any]:
    """As `_exact`: cattrs asks whatever there is for its keys."""
    structure: Callable[[Mapping[str, Any], Any], Any] = make_dict_structure_fn(kind, converter)
    return lambda value, _: structure(_object(value, kind), kind)


_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _worded(value: object) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            return to_json(value).decode()[:60]


def open_converter() -> Converter:
    """The converter: strict in, defaults left out."""
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_unstructure_hook_factory(attrs.has, lambda kind: _in_order(converter, kind))
    for kind in _WORDS:
        converter.register_structure_hook(kind, _exact(kind))
    converter.register_structure_hook_factory(_is_tuple, _listed)
    converter.register_structure_hook_factory(attrs.has, _keyed)
    converter.register_structure_hook_func(lambda kind: kind == Mapping[str, Any], _object)
    open_ended = make_dict_structure_fn(RunAgentInput, converter, _cattrs_forbid_extra_keys=False)
    converter.register_structure_hook(RunAgentInput, open_ended)  # a protocol of others, which grows
    return converter


def _in_order(converter: Converter, kind: type) -> Callable[[Any], dict[str, Any]]:
    """Keys in the order of the fields, as the API is described; cattrs would put the optional ones last."""
    fields = attrs.fields(kind)

    def unstructure(value: Any) -> dict[str, Any]:
        given = ((field.name, getattr(value, field.name), field.default) for field in fields)
        return {name: converter.unstructure(each) for name, each, default in given if not _is_default(each, default)}

    return unstructure


def _is_default(value: object, default: Any) -> bool:
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = default.factory()
    return default is not attrs.NOTHING and type(value) is type(default) and value == default


def read(converter: Converter, value: object, kind: type[T]) -> T:
    """The body as `kind`. Raises: Refused, naming the field."""
    if not isinstance(value, dict):
        raise Refused(Problem(400, "bad_body", f"the body is {_worded(value)}, not an object", _example(kind)))
    try:
        return converter.structure(value, kind)
    except ClassValidationError as error:
        raise Refused(_first_problem(error, kind)) from error


def write(converter: Converter, value: object) -> Any:
    """The answer as a JSON value."""
    return converter.unstructure(value)


def _first_problem(error: ClassValidationError, kind: type) -> Problem:
    noted, bare = error.group_exceptions()
    for each in bare:
        if isinstance(each, ForbiddenExtraKeysError):
            wrong = sorted(each.extra_fields)[0]
            known = [field.name for field in attrs.fields(kind)]
            text = f"the key {wrong!r} is unknown{did_you_mean(wrong, known)}"
            return Problem(400, "bad_body", text, _example(kind), field=wrong)
    for cause, note in noted:
        place, why = _innermost(note.name, cause)
        text = f"the key {place!r} is missing" if isinstance(why, KeyError) else f"{place!r} {_told(why)}"
        return Problem(400, "bad_body", text, _example(kind), field=place)
    return Problem(400, "bad_body", "the body is not of the expected form", _example(kind))


def _innermost(place: str, cause: Exception) -> tuple[str, Exception]:
    """Where in a list it is, and what is wrong there."""
    while isinstance(cause, IterableValidationError | ClassValidationError):
        noted, bare = cause.group_exceptions()
        if not noted:
            return place, bare[0]
        cause, note = noted[0]
        place += f"[{note.index}]" if isinstance(note, IterableValidationNote) else f".{note.name}"
    return place, cause


def _told(why: Exception) -> str:
    match why:
        case ForbiddenExtraKeysError(extra_fields=extra):
            return f"has the unknown key {sorted(extra)[0]!r}"
        case _:
            return str(why)


def _example(kind: type) -> str:
    if kind is ChatRequest:
        return 'send {"message": "..."}'
    return "the keys are " + ", ".join(field.name for field in attrs.fields(kind))

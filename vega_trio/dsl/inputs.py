"""The inputs of a workflow: from what was given, in whatever form, to values of the declared types.

The rules are the same for the command line, HTTP and `with`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec

from vega_trio.dsl.data_texts import parse_json
from vega_trio.dsl.operators import equal
from vega_trio.dsl.values import (
    ExpressionError,
    check_number,
    check_text,
    decimal,
    is_number,
    kind,
    measure,
    print_value,
)
from vega_trio.dsl.workflow import InputDefinition, WorkflowDefinition
from vega_trio.errors import InputError
from vega_trio.suggest import remedy

_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def bind(
    workflow: WorkflowDefinition, given: Mapping[str, object], *, primary_text: str | None = None
) -> dict[str, object]:
    """Every input of the workflow by name, coerced; omitted optional ones are null.

    `primary_text` is text for the primary input, used unless that is given by name. An undeclared `task` or
    `input` is it, too.

    Raises: InputError V040 (missing), V041 (unknown), V042 (of the wrong type, or not allowed).
    """
    named = _named(workflow, given, primary_text)
    bound: dict[str, object] = {}
    for name, definition in workflow.inputs.items():
        if name in named and not (named[name] is None and not definition.required):
            bound[name] = _checked(workflow, definition, named[name])
        elif definition.has_default:
            bound[name] = definition.default
        elif definition.required:
            raise InputError(f"the input '{name}' is missing", "V040", name, usage=usage(workflow))
        else:
            bound[name] = None
    return bound


def _named(workflow: WorkflowDefinition, given: Mapping[str, object], primary_text: str | None) -> dict[str, object]:
    """What was given, by the names of inputs."""
    named: dict[str, object] = {}
    if primary_text is not None:
        if workflow.primary is None:
            raise InputError("no input takes this text", "V041", usage=usage(workflow))
        named[workflow.primary] = primary_text
    for name, value in given.items():
        if name in workflow.inputs:
            named[name] = value
        elif name in ("task", "input") and workflow.primary is not None:
            named.setdefault(workflow.primary, value)
        else:
            hint = remedy(name, workflow.inputs, "the inputs are")
            message = f"unknown input '{name}'{'; ' + hint if hint else ''}"
            raise InputError(message, "V041", name, usage=usage(workflow))
    return named


def _checked(workflow: WorkflowDefinition, definition: InputDefinition, value: object) -> object:
    try:
        return check(definition, value)
    except ValueError as error:
        message = f"the input '{definition.name}' {error}"
        raise InputError(message, "V042", definition.name, usage=usage(workflow)) from None


def usage(workflow: WorkflowDefinition) -> str:
    """What the workflow takes, and how to give it on the command line."""
    if not workflow.inputs:
        return f"the workflow '{workflow.name}' takes no inputs\nusage: vega run FILE --workflow {workflow.name}"
    lines = [f"inputs of '{workflow.name}':"]
    for each in workflow.inputs.values():
        state = "required" if each.required else f"default {print_value(each.default) or 'empty'}"
        about = f"  {each.description}" if each.description else ""
        lines.append(f"  {each.name} ({each.type}, {state}){about}")
    wanted = [f"--{each.name} {each.name.upper()}" for each in workflow.inputs.values() if each.required]
    return "\n".join([*lines, " ".join(["usage: vega run FILE --workflow", workflow.name, *wanted])])


# -- coercion


def check(definition: InputDefinition, value: object) -> object:
    """The value as the input's type, within its `enum`, `min` and `max`. Raises: ValueError saying what is wrong."""
    found = coerce(definition.type, value)
    if definition.enum is not None and not _among(found, definition.enum):
        choices = ", ".join(print_value(each) for each in definition.enum)
        raise ValueError(f"must be one of {choices}; it is {_excerpt(found)}")
    size, what = _size(found)
    if size is not None and definition.min is not None and size < definition.min:
        raise ValueError(f"must {what} at least {definition.min:g}; it is {_excerpt(found)}")
    if size is not None and definition.max is not None and size > definition.max:
        raise ValueError(f"must {what} at most {definition.max:g}; it is {_excerpt(found)}")
    return found


def _among(value: object, choices: tuple[object, ...]) -> bool:
    return any(kind(value) == kind(each) and equal(value, each) for each in choices)


def _size(value: object) -> tuple[float | None, str]:
    if isinstance(value, str):
        return len(value), "have a length of"
    if isinstance(value, list):
        return len(value), "have a length of"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value, "be"
    return None, ""


def coerce(type_: str, value: object) -> object:
    """Raises: ValueError saying what the type needs."""
    value = _json(value)
    found = _COERCE[type_](value)
    if found is None and type_ != "any":
        article = "an" if type_[0] in "aeio" else "a"
        raise ValueError(f"must be {article} {type_}; it is {_excerpt(value)}")
    return found


def _json(value: object) -> object:
    """The value, if it is one of JSON's. Raises: ValueError."""
    try:
        if isinstance(value, str):
            return check_text(value)
        measure(value)
        if isinstance(value, int):
            check_number(value)
        if isinstance(value, tuple):
            value = list(value)
        _check_kinds(value)
    except (TypeError, ExpressionError) as error:
        raise ValueError(f"cannot be used: {error}") from None
    return value


def _check_kinds(value: object) -> None:
    """Raises: TypeError for what is no value of the language."""
    kind(value)
    if isinstance(value, list):
        for each in value:
            _check_kinds(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is no text")
            _check_kinds(each)
    elif isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"{value} is no finite number")


def _string(value: object) -> object:
    return print_value(value) if isinstance(value, str | bool | int | float) else None


def _number(value: object) -> object:
    if isinstance(value, str):
        return decimal(value)
    return value if is_number(value) else None


def _integer(value: object) -> object:
    number = _number(value)
    return int(number) if isinstance(number, int | float) and number == int(number) else None


def _boolean(value: object) -> object:
    if isinstance(value, str):
        return _BOOLEANS.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _array(value: object) -> object:
    if not isinstance(value, str):
        return value if isinstance(value, list) else None
    if value.lstrip().startswith("["):
        found = _parsed(value)
        return found if isinstance(found, list) else None
    return [part.strip() for part in value.split(",")] if value.strip() else []


def _object(value: object) -> object:
    found = _parsed(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else None


def _parsed(text: str) -> object:
    try:
        return parse_json(text)
    except ExpressionError:
        return None


_COERCE: Mapping[str, Callable[[object], object]] = {
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "array": _array,
    "object": _object,
    "any": lambda value: value,
}


def _excerpt(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else text[:57] + "..."

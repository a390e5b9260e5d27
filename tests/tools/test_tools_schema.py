"""The schema a model is given is what the function's author wrote in hints, defaults and docstring."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, NotRequired, Optional, TypedDict

import attrs
import jsonschema_rs
import pytest

from vega_trio.context import ToolContext
from vega_trio.tools.schema import read_signature, type_schema

UserId = NewType("UserId", int)


class Unit(Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


@attrs.frozen
class City:
    """A place.

    Args:
        name: In English.
    """

    name: str
    population: int = 0


@dataclass
class Point:
    x: float
    y: float = 0.0


class Filter(TypedDict):
    field: str
    value: NotRequired[str]


@attrs.frozen
class Tree:
    label: str
    children: list[Tree] = attrs.field(factory=list)


def weather(city: str, days: int = 3, unit: Unit = Unit.CELSIUS, note: str | None = None) -> str:
    """Tells the weather
    of a city.

    Args:
        city: Its name.
        days: How far ahead.
    """
    return ""


def test_hints_defaults_and_docstring_become_the_schema() -> None:
    signature = read_signature(weather)
    assert signature.name == "weather"
    assert signature.description == "Tells the weather of a city."
    assert signature.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Its name."},
            "days": {"type": "integer", "description": "How far ahead.", "default": 3},
            "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
            "note": {"type": ["string", "null"]},
        },
        "additionalProperties": False,
        "required": ["city"],
    }


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (bool, {"type": "boolean"}),
        (Any, {}),
        (list, {"type": "array"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict, {"type": "object"}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (dict[str, Any], {"type": "object", "additionalProperties": True}),
        (set[str], {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (
            tuple[int, str],
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "items": False,
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Unit, {"type": "string", "enum": ["c", "f"]}),
        (Optional[int], {"type": ["integer", "null"]}),  # noqa: UP045
        (int | Any, {}),
        (Literal["a"] | None, {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]}),
        (UserId, {"type": "integer"}),
        (Annotated[str, "A city"], {"type": "string", "description": "A city"}),
        (date, {"type": "string", "format": "date"}),
        (Path, {"type": "string"}),
    ],
)
def test_each_hint_has_its_schema(hint: Any, schema: dict[str, Any]) -> None:
    assert type_schema(hint) == schema


def test_classes_become_objects_with_their_required_fields() -> None:
    assert type_schema(City) == {
        "type": "object",
        "description": "A place.",
        "properties": {
            "name": {"type": "string", "description": "In English."},
            "population": {"type": "integer"},
        },
        "additionalProperties": False,
        "required": ["name"],
    }
    assert type_schema(Point)["required"] == ["x"]
    assert "description" not in type_schema(Point)
    assert type_schema(Filter)["required"] == ["field"]


def test_a_class_that_holds_itself_is_described_by_reference() -> None:
    def plant(tree: Tree) -> None: ...

    validator = jsonschema_rs.validator_for(dict(read_signature(plant).parameters))
    assert validator.is_valid({"tree": {"label": "a", "children": [{"label": "b", "children": []}]}})
    assert not validator.is_valid({"tree": {"label": "a", "children": [{"label": 1}]}})


def test_a_first_parameter_annotated_tool_context_is_left_out() -> None:
    def whoami(context: ToolContext, loud: bool = False) -> str: ...

    signature = read_signature(whoami)
    assert signature.context == "context"
    assert list(signature.parameters["properties"]) == ["loud"]


def test_partials_methods_and_callable_objects_have_signatures_too() -> None:
    class Greeter:
        def greet(self, name: str) -> str:
            """Greets."""
            return name

        def __call__(self, name: str) -> str:
            """Calls."""
            return name

    assert read_signature(Greeter().greet).description == "Greets."
    assert read_signature(Greeter()).name == "Greeter"
    assert read_signature(Greeter()).description == "Calls."
    bound = read_signature(functools.partial(weather, days=5))
    assert bound.name == "weather"
    assert bound.parameters["properties"]["days"]["default"] == 5


def test_what_a_function_returns_need_not_be_importable() -> None:
    def load(path: str) -> Nowhere: ...  # noqa: F821

    assert read_signature(load).hints == {"path": str}


def test_a_default_without_json_form_is_left_out() -> None:
    def wait(until: Any = Opaque) -> None: ...

    assert read_signature(wait).parameters["properties"] == {"until": {}}


class Opaque:
    pass


def test_a_type_without_schema_is_refused_with_its_place() -> None:
    def use(thing: list[Opaque]) -> None: ...

    with pytest.raises(TypeError, match="parameter 'thing' of tool 'use' has the type Opaque"):
        read_signature(use)


def test_parameters_no_model_could_name_are_refused() -> None:
    def many(*things: str) -> None: ...
    def only(thing: str, /) -> None: ...

    with pytest.raises(TypeError, match=r"\*things: 'str' cannot be given by a model"):
        read_signature(many)
    with pytest.raises(TypeError, match="thing: 'str' cannot be given by a model"):
        read_signature(only)


def test_keys_other_than_text_and_hints_that_cannot_be_read_are_refused() -> None:
    def lost(thing: Nowhere) -> None: ...  # noqa: F821

    with pytest.raises(TypeError, match="keys of type <class 'int'>"):
        type_schema(dict[int, str])
    with pytest.raises(TypeError, match="tool 'lost': name 'Nowhere' is not defined"):
        read_signature(lost)
    with pytest.raises(TypeError, match=r"the choice b'x' is no JSON scalar"):
        type_schema(Literal[b"x"])

from typing import Any

import jsonschema_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.llm.arguments import synthesise


def props(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    names = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": names}


def test_quotations_fill_text_parameters_in_order() -> None:
    schema = props(old={"type": "string"}, new={"type": "string"})
    assert synthesise(schema, "replace \"a b\" by 'c'") == {"old": "a b", "new": "c"}


def test_numbers_fill_number_parameters_within_their_limits() -> None:
    schema = props(count={"type": "integer", "maximum": 10}, scale={"type": "number"})
    assert synthesise(schema, "take 25 at 1.5") == {"count": 10, "scale": 1.5}


def test_a_value_given_by_name_wins_and_brings_in_an_optional_parameter() -> None:
    schema = props(["a"], a={"type": "string"}, b={"type": "integer"}, c={"type": "boolean"})
    assert synthesise(schema, "a='x y' b=3 c: no") == {"a": "x y", "b": 3, "c": False}


def test_a_choice_is_the_one_that_is_mentioned_or_the_first() -> None:
    schema = props(unit={"enum": ["celsius", "kelvin"]})
    assert synthesise(schema, "in Kelvin, please") == {"unit": "kelvin"}
    assert synthesise(schema, "as you like") == {"unit": "celsius"}


def test_a_default_comes_before_a_guess_and_the_rest_of_the_text_last() -> None:
    schema = props(city={"type": "string"}, days={"type": "integer", "default": 7})
    assert synthesise(schema, "for Paris") == {"city": "Paris", "days": 7}


def test_addresses_and_paths_are_found_by_their_look() -> None:
    schema = props(url={"type": "string"}, path={"type": "string"})
    found = synthesise(schema, "fetch https://example.com/a. into notes/a.txt, please")
    assert found == {"url": "https://example.com/a", "path": "notes/a.txt"}


def test_references_and_unions_are_followed() -> None:
    schema = {
        **props(point={"$ref": "#/$defs/Point"}, tag={"anyOf": [{"type": "null"}, {"type": "string"}]}),
        "$defs": {"Point": props(x={"type": "integer"})},
    }
    assert synthesise(schema, '4 "red"') == {"point": {"x": 4}, "tag": "red"}


def test_lists_take_all_that_is_there() -> None:
    schema = props(numbers={"type": "array", "items": {"type": "number"}})
    assert synthesise(schema, "add 1, 2 and 3") == {"numbers": [1, 2, 3]}


def test_a_number_too_large_for_a_float_is_passed_over() -> None:
    assert synthesise(props(n={"type": "integer"}), "9" * 400) == {"n": 1}


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {**props(next={"$ref": "#"}), "type": "object"}
    assert "next" in synthesise(schema, "go")


KINDS = st.sampled_from(["string", "integer", "number", "boolean"])
LEAVES = st.builds(lambda kind: {"type": kind}, KINDS)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda item: {"type": "array", "items": item}, inner),
        st.builds(lambda parts: props(**parts), st.dictionaries(st.sampled_from(["a", "b", "url"]), inner, max_size=3)),
    ),
    max_leaves=6,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["text", "n", "path"]), SCHEMAS, max_size=3), st.text(max_size=60))
def test_what_it_makes_up_always_fits_the_schema(properties: dict[str, Any], text: str) -> None:
    schema = props(**properties)
    assert jsonschema_rs.is_valid(schema, synthesise(schema, text))


KEYWORDS = st.sampled_from(["type", "properties", "required", "$ref", "anyOf", "enum", "items"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=60)
@given(st.dictionaries(KEYWORDS, JSON), st.text(max_size=40))
def test_no_schema_however_wrong_makes_it_raise(schema: dict[str, Any], text: str) -> None:
    assert isinstance(synthesise(schema, text), dict)

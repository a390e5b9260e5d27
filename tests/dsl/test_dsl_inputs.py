"""Binding inputs: every form people give them in, and what they are told when it does not fit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.dsl.inputs import bind, coerce, usage
from vega_trio.dsl.policy import Place
from vega_trio.dsl.read_workflows import primary_input
from vega_trio.dsl.values import ValueType, kind
from vega_trio.dsl.workflow import InputDefinition, WorkflowDefinition
from vega_trio.errors import InputError

TYPES: list[ValueType] = ["string", "number", "integer", "boolean", "array", "object", "any"]


def flow(*inputs: InputDefinition) -> WorkflowDefinition:
    named = {each.name: each for each in inputs}
    place = Place("t", 1, 1)
    return WorkflowDefinition(name="review", steps=(), place=place, inputs=named, primary=primary_input(named))


TASK = InputDefinition(name="task", description="What to do")
COUNT = InputDefinition(name="count", type="integer", required=False, default=3, has_default=True, min=1, max=9)
STYLE = InputDefinition(name="style", required=False, enum=("short", "long"))


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("string", "x", "x"),
        ("string", 5, "5"),
        ("string", 2.0, "2"),
        ("string", True, "true"),
        ("number", "2.5", 2.5),
        ("number", " 1e3 ", 1000.0),
        ("number", 2, 2),
        ("integer", "5.0", 5),
        ("integer", 5.0, 5),
        ("integer", "-7", -7),
        ("boolean", "Yes", True),
        ("boolean", "off", False),
        ("boolean", "1", True),
        ("boolean", False, False),
        ("array", "a, b ,c", ["a", "b", "c"]),
        ("array", '["a", 1]', ["a", 1]),
        ("array", "", []),
        ("array", [1], [1]),
        ("object", '{"a": 1}', {"a": 1}),
        ("object", {"a": 1}, {"a": 1}),
        ("any", "5", "5"),
        ("any", [None], [None]),
    ],
)
def test_a_value_becomes_the_declared_type(type_: str, value: object, expected: object) -> None:
    found = coerce(type_, value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        ("string", [1], "must be a string; it is [1]"),
        ("number", "ten", 'must be a number; it is "ten"'),
        ("number", True, "must be a number; it is true"),
        ("integer", 1.5, "must be an integer; it is 1.5"),
        ("integer", "1e400", 'must be an integer; it is "1e400"'),
        ("boolean", "perhaps", 'must be a boolean; it is "perhaps"'),
        ("boolean", 1, "must be a boolean; it is 1"),
        ("array", "[1", 'must be an array; it is "[1"'),
        ("array", {"a": 1}, 'must be an array; it is {"a":1}'),
        ("object", "[1]", 'must be an object; it is "[1]"'),
        ("any", object, "cannot be used: type is no value of the language"),
        ("any", {1: 2}, "cannot be used: the key 1 is no text"),
        ("any", [float("inf")], "cannot be used: inf is no finite number"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(type_: str, value: object, message: str) -> None:
    with pytest.raises(ValueError) as error:
        coerce(type_, value)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("given_", "primary_text", "expected"),
    [
        ({"task": "x"}, None, {"task": "x", "count": 3, "style": None}),
        ({"task": "x", "count": "5", "style": "long"}, None, {"task": "x", "count": 5, "style": "long"}),
        ({}, "from stdin", {"task": "from stdin", "count": 3, "style": None}),
        ({"task": "named"}, "from stdin", {"task": "named", "count": 3, "style": None}),
        ({"input": "x"}, None, {"task": "x", "count": 3, "style": None}),
        ({"task": "x", "count": None}, None, {"task": "x", "count": 3, "style": None}),
    ],
)
def test_inputs_are_bound(given_: dict[str, Any], primary_text: str | None, expected: dict[str, object]) -> None:
    assert bind(flow(TASK, COUNT, STYLE), given_, primary_text=primary_text) == expected


@pytest.mark.parametrize(
    ("given_", "code", "field", "message"),
    [
        ({}, "V040", "task", "the input 'task' is missing"),
        ({"task": "x", "cuont": 5}, "V041", "cuont", "unknown input 'cuont'; did you mean 'count'?"),
        ({"task": "x", "zzz": 5}, "V041", "zzz", "unknown input 'zzz'; the inputs are: count, style, task"),
        ({"task": "x", "count": "many"}, "V042", "count", "the input 'count' must be an integer; it is \"many\""),
        ({"task": "x", "count": 10**400}, "V042", "count", "the input 'count' cannot be used: a number is too large"),
        ({"task": "x", "count": 10}, "V042", "count", "the input 'count' must be at most 9; it is 10"),
        ({"task": "x", "style": "odd"}, "V042", "style", "the input 'style' must be one of short, long; it is \"odd\""),
        ({"task": None}, "V042", "task", "the input 'task' must be a string; it is null"),
    ],
)
def test_a_wrong_input_is_told_with_what_there_is(given_: dict[str, Any], code: str, field: str, message: str) -> None:
    definition = flow(TASK, COUNT, STYLE)
    with pytest.raises(InputError) as error:
        bind(definition, given_)
    assert (error.value.code, error.value.field) == (code, field)
    assert (str(error.value), error.value.usage) == (message, usage(definition))


def test_the_usage_lists_the_inputs_and_a_line_to_copy() -> None:
    assert usage(flow(TASK, COUNT, STYLE)) == (
        "inputs of 'review':\n"
        "  task (string, required)  What to do\n"
        "  count (integer, default 3)\n"
        "  style (string, default empty)\n"
        "usage: vega run FILE --workflow review --task TASK"
    )
    assert usage(flow()) == "the workflow 'review' takes no inputs\nusage: vega run FILE --workflow review"


def test_a_length_is_bounded_like_a_number() -> None:
    text = InputDefinition(name="t", min=2, max=3)
    items = InputDefinition(name="l", type="array", required=False, max=1)
    assert bind(flow(text, items), {"t": "ab", "l": "x"}) == {"t": "ab", "l": ["x"]}
    with pytest.raises(InputError, match="must have a length of at least 2"):
        bind(flow(text), {"t": "a"})
    with pytest.raises(InputError, match="must have a length of at most 1"):
        bind(flow(items), {"l": "x,y"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(type_=st.sampled_from(TYPES), value=JSON)
def test_whatever_is_given_becomes_the_type_or_is_refused(type_: ValueType, value: object) -> None:
    words = {"string": "text", "array": "list", "object": "mapping", "integer": "number"}
    try:
        found = coerce(type_, value)
    except ValueError:
        return
    assert type_ == "any" or kind(found) == words.get(type_, type_)
    assert coerce(type_, found) == found

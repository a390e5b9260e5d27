"""What a server says of its tools, before a model sees it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.mcp.definitions import (
    MAX_DEPTH,
    MAX_TOOL_NAME,
    Unfit,
    checkable,
    define,
    define_all,
    digest_of,
    model_name,
    visible,
)
from vega_trio.tools.arguments import compile_check


def raw(name: str = "read", description: str = "Reads.", **schema: Any) -> dict[str, Any]:
    return {"name": name, "description": description, "inputSchema": {"type": "object", **schema}}


def test_a_definition_keeps_the_servers_name_and_gets_one_with_the_servers_prefix() -> None:
    made = define("fs", raw())
    assert (made.name, made.tool_name) == ("read", "fs__read")


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u200d", "\u202e", "\u2060", "\ufeff", "\U000e0041", "\x1b", "\x00", "\u00ad", "\ud800"]
)
def test_what_nobody_sees_is_written_out(hidden: str) -> None:
    assert visible(f"a{hidden}b") == f"a<U+{ord(hidden):04X}>b"
    inner = {"properties": {"x": {"type": "string", "description": f"do{hidden}this", "enum": [f"q{hidden}"]}}}
    made = define("s", raw(description=f"x{hidden}", **inner))
    assert hidden not in made.description
    assert hidden not in repr(made.schema)


def test_ordinary_text_in_any_script_stays_as_it_is() -> None:
    text = "Zürich, 東京, القاهرة\n\tline two"
    assert visible(text) == text


@settings(max_examples=50)
@given(st.text())
def test_visible_text_has_nothing_more_to_write_out(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_a_models_name_is_one_that_providers_take(server: str, tool: str) -> None:
    name = model_name(server, tool)
    assert 0 < len(name) <= MAX_TOOL_NAME
    assert all(char.isascii() and (char.isalnum() or char in "_-") for char in name)


def test_two_long_names_stay_two() -> None:
    assert model_name("s", "x" * 100 + "a") != model_name("s", "x" * 100 + "b")


def test_a_tool_cannot_take_the_name_of_another() -> None:
    made, wrong = define_all("s", [raw("a.b"), raw("a/b"), raw("c")])
    assert [each.tool_name for each in made] == ["s__a_b", "s__c"]
    assert "another of the name 's__a_b'" in wrong[0]


def test_any_change_of_name_description_or_schema_changes_the_pin() -> None:
    one = digest_of("a", "b", {"x": 1, "y": [1, 2]})
    assert one == digest_of("a", "b", {"y": [1, 2], "x": 1})
    others = [("a2", "b", {"x": 1, "y": [1, 2]}), ("a", "b\u200b", {"x": 1, "y": [1, 2]}), ("a", "b", {"x": 1})]
    assert one not in {digest_of(*each) for each in others}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        ({"inputSchema": {}}, "without a usable name"),
        ({"name": 7, "inputSchema": {}}, "without a usable name"),
        ({"name": "x" * 200, "inputSchema": {}}, "without a usable name"),
        ({"name": "x"}, "no input schema"),
        ({"name": "x", "inputSchema": {"type": "string"}}, "not an object"),
        (raw(description="x" * 100_000), "longer than"),
        (raw(title="x" * 100_000), "more than"),
        (raw(properties={"x": nested(MAX_DEPTH + 1)}), "deeper than"),
    ],
)
def test_what_cannot_be_shown_is_not_offered_and_says_why(definition: dict[str, Any], why: str) -> None:
    with pytest.raises(Unfit, match=why):
        define("s", definition)


def test_what_providers_refuse_at_the_top_of_a_schema_is_left_to_the_server() -> None:
    made = define("s", raw(anyOf=[{"required": ["a"]}], properties={"a": {"anyOf": [{"type": "string"}]}}))
    assert "anyOf" not in made.schema
    assert made.schema["properties"]["a"] == {"anyOf": [{"type": "string"}]}


def test_a_schema_of_another_dialect_is_checked_without_what_only_its_server_understands() -> None:
    schema = raw(
        properties={
            "pattern": {"type": "string", "pattern": "^(?!x)"},
            "other": {"$ref": "http://127.0.0.1:9/"},
            "$ref": {"type": "integer"},
        },
        required=["pattern"],
    )["inputSchema"]
    with pytest.raises(ValueError, match=r".*"):
        compile_check(schema)
    check = compile_check(checkable(schema))
    check({"pattern": "x", "other": [1], "$ref": 3})
    for bad in ({}, {"pattern": 1}, {"pattern": "x", "$ref": "x"}):
        with pytest.raises(Exception, match="argument"):
            check(bad)

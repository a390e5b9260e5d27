"""Properties of the parser, the expressions and the small parts under them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from dsl_cases import AGENTS, ENV, MemoryFiles, load
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.dsl.operators import equal
from vega_trio.dsl.parse import parse_text
from vega_trio.dsl.source import Report, Source
from vega_trio.dsl.template import compile_condition, compile_template
from vega_trio.dsl.units import parse_duration, parse_money, show_duration, show_money
from vega_trio.dsl.values import ExpressionError, kind, measure, plain, print_value, truth
from vega_trio.dsl.yaml_nodes import YamlError, data
from vega_trio.dsl.yaml_text import load as load_yaml
from vega_trio.errors import DocumentError
from vega_trio.suggest import closest, distance

# -- the parser takes anything


def parsed_or_refused(data_: bytes) -> None:
    try:
        parse_text(data_, "x.vega.yaml", MemoryFiles(), env=ENV)
    except DocumentError as error:
        check_diagnostics(error)


def check_diagnostics(error: DocumentError) -> None:
    assert 1 <= len(error.diagnostics) <= 50
    for each in error.diagnostics:
        assert each.code[0] == "V"
        assert each.line >= 1
        assert each.column >= 1
        assert str(each).startswith(f"error[{each.code}]: ")


def check_code(code: str, letter: str) -> None:
    assert code[0] == letter


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_document_or_a_document_error(data_: bytes) -> None:
    parsed_or_refused(data_)


SIGNS = st.text(alphabet="agents:{}[]&*!|>-'\"#%@`,? \n\t\\<~x1.é\u2028\x85\ufeff", max_size=60)


@settings(max_examples=150)
@given(SIGNS)
def test_any_punctuation_is_a_document_or_a_document_error(text: str) -> None:
    parsed_or_refused(text.encode())


LAYOUT = ["- ", ": ", "{", "}", "[", "]", ", ", "\n", "\n  ", "\n    ", "\n      ", "{{", "}}", "| ", "> "]
LAYOUT += ["'", '"', "#"]
WORDS = """
Writer if then else for in repeat steps until max parallel limit agent inputs try catch workflow with set return
remember recall key value default save id timeout on_timeout continue_on_error format schema json send main output
5s 1 true null loop.index steps.x upper truncate:3 result
"""
PIECES = st.sampled_from([*LAYOUT, *WORDS.split()])


@settings(max_examples=150)
@given(st.lists(PIECES, max_size=25))
def test_any_words_in_a_workflow_are_read_or_refused(pieces: list[str]) -> None:
    text = AGENTS + "workflows:\n  main:\n    inputs: {}\n    steps:\n      - " + "".join(pieces)
    parsed_or_refused(text.encode())


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["x", "{{x}}", "5s", "", "Writer"])
KEYS = st.sampled_from(
    ["agents", "workflows", "tools", "settings", "steps", "inputs", "Writer", "main", "system", "send", "for", "if"]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(["agents", "workflows", "tools", "settings"]), TREES, max_size=4))
def test_any_shape_of_values_is_read_or_refused(tree: dict[str, Any]) -> None:
    parsed_or_refused(print_value(_finite(tree)).encode())


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return ".inf"
        case dict():
            return {key: _finite(each) for key, each in value.items()}
        case list():
            return [_finite(each) for each in value]
        case _:
            return value


# -- expressions

OPERANDS = "a b.c d[0] 1 2.5 'x' null true [1,2] {'k':1} ( ) not and or in == < + - * / // % | upper"
MORE = ["default:x", "join:, ", "truncate:2", "if:>0:a:b", " if ", " else ", "{{", "}}", "__class__", ".__init__", "()"]
ATOMS = st.sampled_from([*OPERANDS.split(), *MORE])
SCOPE: dict[str, object] = {"a": [1, "two", None], "b": {"c": "5"}, "d": "text", "x": 1.5}


@settings(max_examples=300)
@given(st.lists(ATOMS, max_size=14).map(" ".join))
def test_any_expression_gives_a_value_or_an_expression_error(text: str) -> None:
    for compiled in (_template("{{" + text + "}}"), _condition(text)):
        if compiled is not None:
            try:
                value = compiled(SCOPE)
            except ExpressionError as error:
                check_code(error.code, "R")
            else:
                assert kind(value)  # raises for what is no value of the language
                assert measure(value) >= 1


def _template(text: str) -> Any:
    try:
        return compile_template(text).render
    except ExpressionError as error:
        check_code(error.code, "V")
        check_span(error)
        return None


def check_span(error: ExpressionError) -> None:
    assert 0 <= error.start < error.end


def _condition(text: str) -> Any:
    try:
        return compile_condition(text).test
    except ExpressionError as error:
        check_code(error.code, "V")
        return None


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_a_text_without_holes_is_itself(text: str) -> None:
    if "{{" not in text:
        assert compile_template(text).render({}) == text


# The scanner folds NEL, LS and PS in quoted text, as YAML 1.1 has it; JSON and YAML 1.2 keep them.
TEXTS = st.characters(exclude_categories=("Cs",), exclude_characters="\x85\u2028\u2029")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(TEXTS, max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(TEXTS, max_size=4), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=100)
@given(VALUES)
def test_one_hole_keeps_the_value_and_its_print_is_its_json(value: object) -> None:
    assert compile_template("{{v}}").render({"v": value}) == value
    if isinstance(value, list | dict):
        assert equal(compile_template("{{ t | json }}").render({"t": print_value(value)}), plain(value))
    assert equal(value, value)
    assert truth(value) is compile_condition("v").test({"v": value})


@settings(max_examples=100)
@given(VALUES)
def test_json_is_yaml_and_keeps_its_values(value: object) -> None:
    text = print_value({"v": value})
    report = Report()
    try:
        node = load_yaml(Source("", text), report)
    except YamlError as error:
        check_code(error.finding.code, "V")  # a control character, which JSON allows
        return
    assert node is not None
    assert equal(data(node), plain({"v": value}))


# -- places


@settings(max_examples=150)
@given(
    before=st.text(alphabet="ab é'\\\"\n", max_size=20),
    style=st.sampled_from(["|", "|-", ">", '"', "'"]),
)
def test_the_caret_stands_under_the_word_in_any_text(before: str, style: str) -> None:
    text = AGENTS + "workflows:\n  main:\n    inputs: {}\n    steps:\n      - Writer: " + _written(before, style)
    try:
        load(text)
    except DocumentError as error:
        found = error.diagnostics[0]
        if found.code == "V030":
            assert found.source[found.column - 1 : found.end_column - 1] == "zz"
            return
        assert found.code in ("V002", "V032")
        return
    pytest.fail(f"zz is not defined: {text}")


def _written(before: str, style: str) -> str:
    content = before + " {{zz}}"  # a backslash before it would make it literal
    if style in ("|", "|-", ">"):
        return f"{style}\n" + "".join(f"          {line}\n" for line in content.lstrip().split("\n"))
    if style == "'":
        return "'" + content.replace("'", "''").replace("\n", "\n\n          ") + "'"
    return '"' + content.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


# -- units and suggestions


@given(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_duration_is_its_number_of_units(amount: int, unit: str) -> None:
    seconds = amount * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    if seconds <= 3650 * 86400:
        assert parse_duration(f"{amount}{unit}") == pytest.approx(seconds)


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    for parse in (parse_duration, parse_money):
        try:
            assert parse(text) >= 0
        except ValueError as error:
            check_message(error)


def check_message(error: ValueError) -> None:
    assert "write for example" in str(error) or "longer than" in str(error)


@pytest.mark.parametrize(
    ("text", "seconds"), [("300ms", 0.3), ("30s", 30), ("1h30m", 5400), ("2d", 172800), ("90", 90), ("1.5", 1.5)]
)
def test_durations_are_written_in_these_ways(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(("text", "amount"), [("$0.50", 500_000), ("0.5", 500_000), ("$100", 10**8), ("0.000001", 1)])
def test_money_is_written_in_these_ways(text: str, amount: int) -> None:
    assert parse_money(text) == amount


@given(st.integers(0, 10**12))
def test_what_is_shown_is_read_back(number: int) -> None:
    assert parse_money(show_money(number)) == number
    seconds = number % (3650 * 86_400_000) / 1000
    assert parse_duration(show_duration(seconds)) == pytest.approx(seconds)


@given(st.text(alphabet="abc", max_size=6), st.text(alphabet="abc", max_size=6))
def test_a_distance_is_symmetric_and_zero_only_for_the_same(one: str, other: str) -> None:
    assert distance(one, other, 9) == distance(other, one, 9)
    assert (distance(one, other, 9) == 0) == (one == other)


@pytest.mark.parametrize(
    ("wrong", "names", "expected"),
    [
        ("Reveiwer", ["Reviewer", "Writer"], "Reviewer"),
        ("reviewer", ["Reviewer"], "Reviewer"),
        ("ab", ["ac"], None),
        ("abc", ["abd"], "abd"),
        ("truncat", ["truncate"], "truncate"),
        ("unrelated", ["Reviewer"], None),
    ],
)
def test_a_suggestion_is_near_or_not_made(wrong: str, names: list[str], expected: str | None) -> None:
    assert closest(wrong, names) == expected

"""Templates and conditions: what they give, and exactly how they fail."""

from __future__ import annotations

from typing import Any

import pytest

from vega_trio.dsl.template import compile_condition, compile_expression, compile_template
from vega_trio.dsl.values import ExpressionError, FailureValue, print_value

ITEMS = ["b", "a", "c"]
FAILURE = FailureValue("it broke", "timeout", "main/0")


@pytest.mark.parametrize(
    ("text", "scope", "expected"),
    [
        # one hole keeps its type, all else prints
        ("{{x}}", {"x": [1, 2.0]}, [1, 2.0]),
        (" {{x}}", {"x": [1, 2.0]}, " [1,2]"),
        ("{{x}}", {"x": 2.0}, 2.0),
        ("{{x}}!", {"x": 2.0}, "2!"),
        ("{{x}} {{y}} {{z}}", {"x": True, "y": None, "z": 0.1}, "true  0.1"),
        ("{{x}}|", {"x": {"a": [None, False]}}, '{"a":[null,false]}|'),
        ("plain", {}, "plain"),
        ("", {}, ""),
        (r"\{{x}} and {{x}}", {"x": 1}, "{{x}} and 1"),
        ("{{ x }}{{x}}", {"x": "a"}, "aa"),
        ("a } b {", {}, "a } b {"),
        # operators, loosest to tightest
        ("{{ 1 if false else 2 }}", {}, 2),
        ("{{ 'a' if x else 'b' if y else 'c' }}", {"x": 0, "y": 1}, "b"),
        ("{{ 1 + 2 * 3 - 4 / 2 }}", {}, 5.0),
        ("{{ 7 // 2 }}", {}, 3),
        ("{{ -7 % 3 }}", {}, 2),
        ("{{ (1 + 2) * 3 }}", {}, 9),
        ("{{ - -2 }}", {}, 2),
        ("{{ not a and b }}", {"a": False, "b": 1}, 1),
        ("{{ a or b and c }}", {"a": 0, "b": 1, "c": 2}, 2),
        ("{{ 1 < 2 and 'a' < 'b' }}", {}, True),
        ("{{ items | length > 2 }}", {"items": ITEMS}, True),
        ("{{ a + b | upper }}", {"a": "x", "b": "y"}, "xY"),
        ("{{ -n | int }}", {"n": "3.9"}, -3),
        ("{{ 2 in [1, 2] }}", {}, True),
        ("{{ 4 not in [1, 2] }}", {}, True),
        ("{{ 'k' in m }}", {"m": {"k": 1}}, True),
        ("{{ 'ell' in 'hello' }}", {}, True),
        ("{{ x in 'hello' }}", {"x": None}, False),
        ("{{ 'broke' in f }}", {"f": FAILURE}, True),
        ("{{ a + b }}", {"a": [1], "b": [2]}, [1, 2]),
        # literals and members
        ("{{ [1, 'a', null, None, true,] }}", {}, [1, "a", None, None, True]),
        ("{{ {'a': {'b': 1}}.a.b }}", {}, 1),
        (r"{{ 'a\n\'\\' }}", {}, "a\n'\\"),
        ('{{ "it\'s" }}', {}, "it's"),
        ("{{ m.a.0.b }}", {"m": {"a": [{"b": 7}]}}, 7),
        ("{{ x[-1] }}{{ x.0 }}", {"x": ITEMS}, "cb"),
        ("{{ m['a-b'] }}", {"m": {"a-b": 1}}, 1),
        ("{{ m[k] }}", {"m": {"a": 1}, "k": "a"}, 1),
        ("{{ f.message }} {{ f.class }} {{ f.step }}", {"f": FAILURE}, "it broke timeout main/0"),
        # decimal text beside a number
        ("{{ score + 1 }}", {"score": " 9\n"}, 10),
        ("{{ score >= 8 }}", {"score": "9"}, True),
        ("{{ score == 9 }}", {"score": "9.0"}, True),
        ("{{ '9' == 'nine' }}", {}, False),
        ("{{ 'x' == 1 }}", {}, False),
        ("{{ true == 1 }}", {}, False),
        ("{{ [1, 2.0] == [1.0, 2] }}", {}, True),
        # filters
        ("{{ name | upper | lower | trim }}", {"name": " Ab "}, "ab"),
        ("{{name | default:anon}}", {}, "anon"),
        ("{{name | default:http://x/y}}", {}, "http://x/y"),
        ("{{name | default:}}", {}, ""),
        ("{{name | default: 5 }}", {}, 5),
        ("{{name | default:'5'}}", {}, "5"),
        ("{{name | default:(other)}}", {"other": 3}, 3),
        ("{{name | default:it's}}", {}, "it's"),
        ("{{name | default:{}}}", {}, {}),
        ('{"n": {{name | default:0}}}', {}, '{"n": 0}'),
        ("{{a.b.c | default:x}}", {}, "x"),
        ("{{a | upper | default:x}}", {}, "x"),
        ("{{f | default:x}}", {"f": FAILURE}, "x"),
        ("{{x | default:y}}", {"x": 0}, 0),
        ("{{x | default:y}}", {"x": False}, False),
        ("{{text | truncate:3}}", {"text": "banana"}, "ban..."),
        ("{{text | truncate:6}}", {"text": "banana"}, "banana"),
        ("{{text | replace:a:o}}", {"text": "banana"}, "bonono"),
        (r"{{text | replace:,:\n}}", {"text": "a,b"}, "a\nb"),
        ("{{items | join:, }}", {"items": ["a", "b"]}, "a, b"),
        ("{{ items | join:, }}", {"items": ["a", "b"]}, "a,b"),
        ("{{ items | join:,  }}", {"items": ["a", "b"]}, "a, b"),
        ("{{items | join:- | upper}}", {"items": ["a", 1]}, "A-1"),
        ("{{items | join}}", {"items": ["a", {"b": 1}]}, 'a, {"b":1}'),
        ("{{ items | join: ' + ' }}", {"items": ["a", "b"]}, "a + b"),
        ("{{x | join:-}}", {"x": 5}, "5"),
        ("{{text | split:,}}", {"text": "a,b"}, ["a", "b"]),
        ("{{text | split:,}}", {"text": ""}, []),
        (r"{{text | split:\n | length}}", {"text": "a\nb\nc"}, 3),
        ("{{text | lines}}", {"text": "a\n"}, 1),
        ("{{text | lines}}", {"text": ""}, 0),
        ("{{text | lines}}", {"text": "a\nb"}, 2),
        ("{{text | words}} {{text | chars}}", {"text": "two words"}, "2 9"),
        ("{{m | length}}", {"m": {"a": 1}}, 1),
        ("{{x | first}}{{x | last}}", {"x": ITEMS}, "bc"),
        ("{{x | first}}", {"x": []}, None),
        ("{{x | first}}", {"x": "hey"}, "h"),
        ("{{x | slice:1:3}}", {"x": "hello"}, "el"),
        ("{{x | slice:-2}}", {"x": ITEMS}, ["a", "c"]),
        ("{{x | slice::2}}", {"x": ITEMS}, ["b", "a"]),
        ("{{x | sort | reverse}}", {"x": ITEMS}, ["c", "b", "a"]),
        ("{{x | unique}}", {"x": [1, "1", 1, "a", "a"]}, [1, "1", "a"]),
        ("{{n | if:>0:some:none}}", {"n": 3}, "some"),
        ("{{n | if:>0:some:none}}", {"n": 0}, "none"),
        ("{{n | if:yes:Y}}", {"n": "yes"}, "Y"),
        ("{{n | if:yes:Y}}", {"n": "no"}, ""),
        ("{{n | if::T:F}}", {"n": "off"}, "F"),
        ("{{n | if:!=x:T:F}}", {"n": "y"}, "T"),
        ("{{x | json}}", {"x": '{"a": [1, 2.5, null]}'}, {"a": [1, 2.5, None]}),
        ("{{x | yaml}}", {"x": "a: [1, yes, 0x10, ~, 1_000]"}, {"a": [1, "yes", 16, None, "1_000"]}),
        ("{{x | int}} {{x | float}}", {"x": "-2.9"}, "-2 -2.9"),
        ("{{x | string}}", {"x": 2.0}, "2"),
        # undefined where only truth is asked
        ("{{ 1 if nothing else 2 }}", {}, 2),
        ("{{ nothing or 'x' }}", {}, "x"),
        ("{{ not nothing.at.all }}", {}, True),
    ],
)
def test_a_template_gives(text: str, scope: dict[str, Any], expected: object) -> None:
    value = compile_template(text).render(scope)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "scope", "expected"),
    [
        ("{{type}} == 'json'", {"type": "json"}, True),
        ("'{{type}}' == 'json'", {"type": "json"}, True),
        ("'a{{type | upper}}' == 'aJSON'", {"type": "json"}, True),
        ("{{approved}}", {"approved": "No "}, False),
        ("approved", {"approved": "nope"}, True),
        ("missing", {}, False),
        ("missing and x", {"x": 1}, False),
        ("not missing", {}, True),
        ("{{ x | default:a b }} == 'a b'", {}, True),
        ("x | default:a == 'a'", {}, True),
        ("x in ['a', y|default:b]", {"x": "b"}, True),
        ("items | join:- == 'a-b'", {"items": ["a", "b"]}, True),
        ("x", {"x": FAILURE}, False),
        ("x", {"x": "0"}, False),
        ("x", {"x": "0.0"}, True),
        ("x", {"x": []}, False),
        ("x", {"x": " "}, False),
        ("(a or b) and not c", {"a": 0, "b": 1, "c": "off"}, True),
    ],
)
def test_a_condition_holds(text: str, scope: dict[str, Any], expected: bool) -> None:
    assert compile_condition(text).test(scope) is expected


@pytest.mark.parametrize(
    ("text", "code", "message", "caught"),
    [
        ("a {{", "V053", "'{{' is not closed; end it with '}}', or write \\{{", "{{"),
        ("a {{ }}", "V053", "'{{}}' is empty; write \\{{ for the characters", "{{ }}"),
        ("{{ x | }}", "V050", "a filter's name must follow '|'", "}"),
        ("{{ x | uper }}", "V051", "unknown filter 'uper'; did you mean 'upper'?", "uper"),
        (
            "{{ x | truncate }}",
            "V052",
            "the filter 'truncate' takes 1 argument, not 0; write: truncate:100",
            "truncate",
        ),
        ("{{ x | upper:1 }}", "V052", "the filter 'upper' takes no argument, not 1; write it without ':'", "upper"),
        ("{{ len(x) }}", "V054", "a function cannot be called here; write a filter: value | length", "len("),
        ("{{ f(x) }}", "V054", "a function cannot be called here; there are filters instead: value | filter", "f("),
        ("{{ x | uppercase }}", "V051", "unknown filter 'uppercase'; did you mean 'upper'?", "uppercase"),
        ("{{ “x” }}", "V050", "'“' means nothing here; write straight quotes: '...'", "“"),
        ("{{ upper(x) }}", "V054", "a function cannot be called here; write a filter: value | upper", "upper("),
        ("{{ x.strip() }}", "V054", "a function cannot be called here; write a filter: value | trim", "x.strip("),
        ("{{ x.y() }}", "V054", "a function cannot be called here; there are filters instead: value | filter", "x.y("),
        ("{{ a b }}", "V050", "'b' is not expected here; join texts with '+', or write each in its own {{ }}", "b"),
        ("{{ a < b < c }}", "V050", "comparisons do not chain; join them with 'and'", "<"),
        ("{{ a && b }}", "V050", "'&' means nothing here; write 'and'", "&"),
        ("{{ a = b }}", "V050", "'=' means nothing here; compare with '=='", "="),
        ("{{ 'a }}", "V050", "a quotation is not closed; end it with '", "'a }}"),
        ("{{ 1 if x }}", "V050", "'if' needs an 'else'; write: a if test else b", "}"),
        ("{{ (1 + 2 }}", "V050", "'(' is not closed", "("),
        ("{{ 1 + }}", "V050", "the expression ends too early", " "),
        ("{{ {'a' 1} }}", "V050", "':' is missing after a key; write: {'key': value}", "1"),
        ("{{ x. }}", "V050", "a name or number must follow '.'", " "),
        ("{{ " + "(" * 70 + " }}", "V006", "an expression is deeper than 64 operators", "("),
        ("{{ " + "1+" * 80 + "1 }}", "V006", "an expression is deeper than 64 operators", "+"),
        ("{{ '" + "a" * 5000 + "' }}", "V006", "an expression is longer than 4,096 characters", "'"),
    ],
)
def test_a_wrong_template_is_refused_at_load(text: str, code: str, message: str, caught: str) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_template(text)
    assert (error.value.code, str(error.value)) == (code, message)
    assert text[error.value.start : error.value.end].startswith(caught)


@pytest.mark.parametrize(
    ("text", "scope", "code", "message"),
    [
        ("{{ nam }}", {"name": 1}, "R001", "'nam' is not defined; did you mean 'name'?"),
        ("{{ zzz }}", {"name": 1}, "R001", "'zzz' is not defined; the variables are: name"),
        (
            "{{ m.key }}",
            {"m": {}},
            "R001",
            "'m.key' is not defined; give it a value with the filter 'default': m.key | default:...",
        ),
        ("{{ x | upper }}", {}, "R001", "'x' is not defined"),
        ("{{ t.score }}", {"t": "9"}, "R002", "a text has no '.score'; parse an agent's reply with 'format: json'"),
        ("{{ t.x }}", {"t": [1]}, "R002", "a list has no '.x'; take an item by its number: list.0"),
        ("{{ t.x }}", {"t": 5}, "R002", "a number has no '.x'"),
        (
            "{{ 'a' + 1 }}",
            {},
            "R002",
            "'+' cannot take text and number; make the other one text with the filter 'string'",
        ),
        (
            "{{ 'a' * 2 }}",
            {},
            "R002",
            "'*' cannot take text and number; make a text a number with the filter 'int' or 'float'",
        ),
        (
            "{{ null + 1 }}",
            {},
            "R002",
            "'+' cannot take null and number; give the empty one a value with the filter 'default:0'",
        ),
        (
            "{{ [1] > 0 }}",
            {},
            "R002",
            "'>' cannot compare list with number; count a list with the filter 'length', or make it text with 'join'",
        ),
        ("{{ 1 / 0 }}", {}, "R002", "'/' divides by zero"),
        ("{{ 1 in 5 }}", {}, "R002", "'in' needs a text, list or mapping on its right, not a number"),
        ("{{ [1, 'a'] | sort }}", {}, "R002", "'sort' needs numbers or texts, not a list of number and text"),
        ("{{ 'x' | int }}", {}, "R002", "'int' cannot read 'x' as a number; give a fallback first: default:0"),
        (
            "{{ 'abc' | reverse }}",
            {},
            "R002",
            "'reverse' needs a list, not a text; split a text with the filter 'split'",
        ),
        ("{{ 'x' | json }}", {}, "R003", "this is not JSON: 'x' (JSON is malformed: invalid character (byte 0))"),
        ("{{ x * x }}", {"x": 2**600}, "R007", "a number is too large"),
        ("{{ x * x }}", {"x": 1e200}, "R007", "a number is too large"),
        ("{{ x | float }}", {"x": 10**400}, "R007", "a number is too large"),
        ("{{ (x | json).0 | float }}", {"x": "[1" + "0" * 400 + "]"}, "R007", "a number is too large"),
        ("{{ x }}{{ x }}", {"x": "a" * 6_000_000}, "R007", "a text of 12,000,000 characters is longer than 10,485,760"),
        ("{{ x + x }}", {"x": [1] * 60_000}, "R007", None),
        ("{{ x | replace:a:bbbbbbbbbbbb }}", {"x": "a" * 1_000_000}, "R007", None),
    ],
)
def test_a_template_fails_when_it_runs(text: str, scope: dict[str, Any], code: str, message: str | None) -> None:
    template = compile_template(text)
    with pytest.raises(ExpressionError) as error:
        template.render(scope)
    assert error.value.code == code
    if message is not None:
        assert str(error.value) == message


def test_a_bomb_of_shared_lists_is_stopped_before_it_is_printed() -> None:
    value: list[object] = ["x"]
    for _ in range(40):
        value = [value, value]
    with pytest.raises(ExpressionError) as error:
        compile_template("all: {{x}}").render({"x": value})
    assert error.value.code == "R007"


def test_no_attribute_of_python_can_be_reached() -> None:
    for value in ("text", 5, [1], {"a": 1}, None, True, FAILURE):
        for name in ("__class__", "__init__", "upper", "format", "keys", "append", "real"):
            with pytest.raises(ExpressionError):
                compile_template("{{ x." + name + " }}").render({"x": value})


def test_references_say_how_a_value_is_used() -> None:
    template = compile_template("{{ a.b.c | default:(d) }} {{ e and not f }} {{ g[h].i }}")
    assert [(each.name, each.path, each.use) for each in template.references] == [
        ("a", ("b", "c"), "default"),
        ("d", (), "value"),
        ("e", (), "truth"),
        ("f", (), "truth"),
        ("h", (), "value"),
        ("g", (), "value"),
    ]


def test_a_tool_may_write_names_with_a_dot_and_choose_text() -> None:
    template = compile_template("{{.a}}{{if .b}} yes{{else if c}} maybe{{else}} no{{end}}!", tool=True)
    assert template.render({"a": 1, "b": True}) == "1 yes!"
    assert template.render({"a": 1, "c": True}) == "1 maybe!"
    assert template.render({"a": 1}) == "1 no!"


@pytest.mark.parametrize(
    "text", ["{{if x}}a", "{{else}}", "{{end}}", "{{if}}x{{end}}", "{{if x}}a{{else}}b{{else}}c{{end}}"]
)
def test_a_broken_choice_of_text_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_template(text, tool=True)
    assert error.value.code == "V053"


def test_an_expression_keeps_its_value_and_a_text_prints() -> None:
    assert compile_expression("{{items}}").evaluate({"items": [1]}) == [1]
    assert compile_expression("[1, 2]").evaluate({}) == [1, 2]
    assert compile_template("{{x}}").render_text({"x": 2.0}) == "2"


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (1e16, "1e+16"),
        (-2.0, "-2"),
        (2**70, str(2**70)),
        (0.1 + 0.2, "0.30000000000000004"),
        ("ä", "ä"),
        (["ä"], '["ä"]'),
    ],
)
def test_numbers_print_shortest(value: object, printed: str) -> None:
    assert print_value(value) == printed


def test_defaults_upon_defaults_cost_no_more_than_their_number() -> None:
    compiled = compile_template("{{ a" + " | default:b" * 40 + " }}")  # each used to double the work of those before it
    assert compiled.render({}) == "b"

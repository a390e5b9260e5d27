"""Tools: what is read, and what of it a value could have abused."""

from __future__ import annotations

from typing import Any

import pytest
from dsl_cases import codes, load
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.dsl.command import split_command
from vega_trio.dsl.read_params import params_schema
from vega_trio.dsl.template import MapTemplate, compile_template
from vega_trio.dsl.tool import BuiltinImpl, ExecImpl, FileReadImpl, FileWriteImpl, HttpImpl, ToolDefinition
from vega_trio.dsl.values import ExpressionError


def tool(text: str) -> ToolDefinition:
    return load(f"agents: {{a: {{system: x}}}}\ntools:\n  t:\n{indent(text)}").document.tools["t"]


def tool_codes(text: str, **options: Any) -> list[str]:
    return codes(f"agents: {{a: {{system: x}}}}\ntools:\n  t:\n{indent(text)}", **options)


def indent(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.strip("\n").splitlines())


def test_an_http_tool_is_read() -> None:
    found = tool("""
description: Weather
params:
  - {name: city, type: string, required: true}
  - {name: days, type: integer, default: 3}
implementation:
  type: http
  method: post
  url: "https://api.example.com/v1/{{.city}}?d={{days}}"
  headers: {Authorization: "Bearer {{.key}}"}
  query: {city: "{{.city}}", n: 5}
  body: {title: "{{.city}}", n: "{{days}}"}
  retry: {attempts: 2, backoff: linear}
  timeout: 10s
effects: [read, network]
idempotent: true
""")
    assert (found.timeout_s, found.effects, found.idempotent) == (10.0, frozenset({"read", "network"}), True)
    assert found.values == frozenset({"key"})
    http = found.implementation
    assert isinstance(http, HttpImpl)
    assert (http.method, http.retry.attempts if http.retry else 0) == ("POST", 2)
    assert http.url.render_text({"city": "Köln/x", "days": 1}, encode=lambda value: f"<{value}>").endswith(
        "/<Köln/x>?d=<1>"
    )
    assert isinstance(http.body, MapTemplate)
    assert http.body.render({"city": "a", "days": 2}) == {"title": "a", "n": 2}


def test_parameters_come_in_two_forms_and_as_a_schema() -> None:
    forms = [
        (
            "params:\n  - {name: a, required: true}\n"
            "  - {name: b, type: int, enum: [1, 2], default: 1, description: B}\nrun: date"
        ),
        "params: {a: {required: true}, b: {type: integer, enum: [1, 2], default: 1, description: B}}\nrun: date",
    ]
    schemas = [params_schema(tool(form).params) for form in forms]
    assert (
        schemas[0]
        == schemas[1]
        == {
            "type": "object",
            "properties": {
                "a": {"type": "string"},
                "b": {"type": "integer", "description": "B", "enum": [1, 2], "default": 1},
            },
            "required": ["a"],
            "additionalProperties": False,
        }
    )
    nested = tool(
        "params: {a: {type: array, items: {type: object, properties: {x: {type: number, required: true}}}}, b: any}\n"
        "run: date"
    )
    assert params_schema(nested.params)["properties"] == {
        "a": {
            "type": "array",
            "items": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
        },
        "b": {},
    }


def test_what_the_properties_of_an_object_are_called_is_free_and_a_parameter_is_a_variable() -> None:
    run = "implementation: {type: builtin, function: read_file}"
    nested = tool(f"params: {{h: {{type: object, properties: {{Content-Type: string, if: string}}}}}}\n{run}")
    assert list(params_schema(nested.params)["properties"]["h"]["properties"]) == ["Content-Type", "if"]  # type: ignore[index]
    assert tool_codes(f"params: {{Content-Type: string}}\n{run}") == ["V022"]


def test_a_tool_has_a_name_that_models_can_call() -> None:
    run = "{run: ls}"
    for name in ("a.b", "a b", "x" * 65, "ü"):
        assert codes(f"agents: {{a: {{system: x}}}}\ntools: {{{name}: {run}}}") == ["V015"]


def test_file_and_builtin_tools_are_read() -> None:
    read = tool(
        "params: {p: string}\nimplementation: {type: file_read, path: 'n/{{p}}', encoding: base64}"
    ).implementation
    assert isinstance(read, FileReadImpl)
    assert (read.path.text, read.encoding) == ("n/{{p}}", "base64")
    write = tool("implementation: {type: file_write, path: x, content: y, mode: 0644, mkdir: true}").implementation
    assert isinstance(write, FileWriteImpl)
    assert (write.mode, write.mkdir) == (0o644, True)
    assert tool("implementation: {type: builtin, function: read_file}").implementation == BuiltinImpl(
        function="read_file"
    )


def test_an_entry_of_an_absent_parameter_can_be_told() -> None:
    http = tool(
        "params: {q: string}\nimplementation: {type: http, url: 'https://x/', query: {q: '{{q}}', all: 'q={{q}}'}}"
    )
    assert isinstance(http.implementation, HttpImpl)
    query = http.implementation.query
    assert [query[name].is_absent({}) for name in ("q", "all")] == [True, False]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("description: x", ["V022"]),
        ("implementation: {type: exec, command: date}\nrun: date", ["V022"]),
        ("implementation: {command: date}", ["V022"]),
        ("implementation: {type: soap}", ["V022"]),
        ("implementation: {type: http}", ["V022"]),
        ("implementation: {type: http, url: 'https://x', methd: GET}", ["V004"]),
        ("implementation: {type: http, url: 'https://x', method: FETCH}", ["V016"]),
        ("implementation: {type: http, url: 'ftp://x'}", ["V022"]),
        ("implementation: {type: http, url: 'x.com/a'}", ["V022"]),
        ("params: {u: string}\nimplementation: {type: http, url: '{{u}}'}", []),
        ("params: {u: string}\nimplementation: {type: http, url: 'https://{{u}}/x'}", ["V023"]),
        ("params: {u: string}\nimplementation: {type: http, url: 'https://a.{{u}}.com/x'}", ["V023"]),
        ("params: {u: string}\nimplementation: {type: http, url: '{{u}}/x'}", ["V023"]),
        ("params: {u: string}\nimplementation: {type: http, url: 'https://x.com{{u}}'}", ["V023"]),
        ("params: {u: string}\nimplementation: {type: http, url: 'https://x.com/{{u}}'}", []),
        ("params: {u: string}\nimplementation: {type: http, url: 'https://x.com?q={{u}}'}", []),
        ("implementation: {type: exec, command: ''}", ["V022"]),
        ('run: "echo \'open"', ["V022"]),
        ("params: {c: string}\nrun: '{{c}} x'", ["V023"]),
        ("params: {c: string}\nrun: date | {{c}}", ["V023"]),
        ("params: {c: string}\nrun: bash -c '{{.c}}'", []),
        ("params: {c: string}\nrun: bash -c 'echo {{.c}}'", ["V023"]),
        ("params: {c: string}\nrun: timeout 5 /bin/sh -ec 'x{{c}}'", ["V023"]),
        ("params: {c: string}\nrun: python3 -c 'print({{c}})'", ["V023"]),
        ("params: {c: string}\nrun: head -c '{{c}}0'", []),
        ("implementation: {type: exec, command: date, timeout: 5s}\ntimeout: 5s", ["V033"]),
        ("run: date\neffects: [think]", ["V016"]),
        ("run: date\napproval: perhaps", ["V016"]),
        ("run: date\nparams: {a: text}", ["V016"]),
        ("run: date\nparams: [{type: string}]", ["V022"]),
        ("run: date\nparams: {1a: string}", ["V022"]),
        ("run: date\nparams: {a: {default: x, type: integer}}", ["V022"]),
        ("run: date\nparams: [{name: a}, {name: a}]", ["V003"]),
        ("params: {city: string}\nrun: echo {{state}}", ["W114"]),
        ("params: {city: string}\nrun: echo {{cty}}", ["V024"]),
        ("params: {city: string}\nrun: echo {{key}}", ["W114"]),
        ("params: {c: string}\nrun: 'echo {{c'", ["V053"]),
        ("implementation: {type: file_write, path: x, content: y, mode: rw}", ["V016"]),
        ("implementation: {type: file_write, path: x}", ["V022"]),
        ("implementation: {type: builtin, function: raed_file}", ["V020"]),
    ],
)
def test_a_tool_gives_the_codes(text: str, expected: list[str]) -> None:
    assert tool_codes(text) == expected


def test_a_value_may_come_from_the_settings_or_the_environment() -> None:
    text = "agents: {a: {system: x}}\ntools: {t: {run: 'echo {{owner}} {{api_key}}'}}\nsettings: {values: {owner: me}}"
    assert codes(text) == ["W114"]
    assert codes(text, env={"VEGA_MODEL": "demo", "VEGA_VALUE_API_KEY": "x"}) == []


def test_a_tool_that_replaces_a_builtin_one_is_told() -> None:
    assert codes("agents: {a: {system: x}}\ntools: {read_file: {run: date}}") == ["W107"]
    assert codes("agents: {a: {system: x}}\ntools: {'read file': {run: date}}") == ["V015"]


# -- commands


def command(text: str) -> ExecImpl:
    return split_command(compile_template(text, tool=True))


def argv(text: str, **scope: object) -> list[str]:
    return [each.render_text(scope) for each in command(text).argv]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("git log --oneline", ["git", "log", "--oneline"]),
        ("echo {{x}} done", ["echo", "a b; rm -rf /", "done"]),
        ("echo 'x={{x}}' \"{{ x | upper }}\"", ["echo", "x=a b; rm -rf /", "A B; RM -RF /"]),
        ("grep -- {{x}}", ["grep", "--", "a b; rm -rf /"]),
        (r"printf '%s\n' a\ b", ["printf", r"%s\n", "a b"]),
        ("echo '' \"\"", ["echo", "", ""]),
        ("echo '|' \\; \"a&b\"", ["echo", "|", ";", "a&b"]),
        ("bash -c '{{.x}}'", ["bash", "-c", "a b; rm -rf /"]),
        ("echo {{if y}}yes{{else}}no {{x}}{{end}}", ["echo", "no a b; rm -rf /"]),
    ],
)
def test_a_command_is_split_once_and_a_value_stays_in_its_argument(text: str, expected: list[str]) -> None:
    assert argv(text, x="a b; rm -rf /") == expected


def test_where_values_may_begin_with_a_dash_is_known() -> None:
    assert command("grep -- {{x}} y").after_dashes == 2
    assert command("grep {{x}}").after_dashes is None
    assert command("bash -c '{{x}}'").whole_command is True
    assert command("grep -c {{x}}").whole_command is False


@pytest.mark.parametrize(
    ("text", "shell", "opens"),
    [
        ("printf %s {{text}} | wc -w", 'printf %s "${1}" | wc -w', [True]),
        ("cat {{a}} > x-{{b}}", 'cat "${1}" > x-"${2}"', [True, False]),
        ("echo \"a {{x}}\" && echo 'b {{y}}'", "echo \"a ${1}\" && echo 'b '\"${2}\"''", [False, False]),
        ("sleep 5; date", "sleep 5; date", []),
    ],
)
def test_a_shell_command_keeps_its_text_and_takes_values_as_parameters(
    text: str, shell: str, opens: list[bool]
) -> None:
    found = command(text)
    assert (found.argv, found.shell) == ((), shell)
    assert [each.opens for each in found.values] == opens


HOSTILE = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@settings(max_examples=80)
@given(value=HOSTILE, other=HOSTILE)
def test_no_value_changes_the_number_of_arguments(value: str, other: str) -> None:
    found = argv("tool --a={{x}} '{{ y }}' -- \"{{x}}{{y}}\" end", x=value, y=other)
    assert found == ["tool", f"--a={value}", other, "--", value + other, "end"]


@settings(max_examples=80)
@given(text=st.text(alphabet="ab '\"\\|;{}x", max_size=25))
def test_any_command_is_split_or_refused(text: str) -> None:
    try:
        found = split_command(compile_template(text, tool=True))
    except ExpressionError:
        return
    assert bool(found.argv) != (found.shell is not None)

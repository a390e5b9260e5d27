"""Tools of a document: whatever a parameter holds, it stays one argument, one part, one value, one line."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from vega_trio.agent import BackoffConfig
from vega_trio.dsl.command import split_command
from vega_trio.dsl.policy import Place
from vega_trio.dsl.template import Constant, ListTemplate, MapTemplate, Template, compile_template
from vega_trio.dsl.tool import (
    BuiltinImpl,
    ExecImpl,
    FileReadImpl,
    FileWriteImpl,
    HttpImpl,
    HttpRetry,
    Implementation,
    Param,
    ToolDefinition,
)
from vega_trio.dsl.values import UNDEFINED, ExpressionError
from vega_trio.errors import ConfigError, ToolError, ToolRetry
from vega_trio.protocols import Tool
from vega_trio.tools.builtins import builtin_tools
from vega_trio.tools.defined import defined_tool
from vega_trio.tools.defined_exec import command_line
from vega_trio.tools.filling import fill_body, fill_query, fill_url
from vega_trio.tools.isolation import NO_BWRAP

Call = Callable[..., Awaitable[str]]


def t(text: str) -> Template:
    return compile_template(text, tool=True)


def define(implementation: Implementation, *params: Param | str, **options: Any) -> ToolDefinition:
    made = tuple(each if isinstance(each, Param) else Param(name=each) for each in params)
    return ToolDefinition(
        name="mine", implementation=implementation, place=Place("team.vega.yaml", 3, 5), params=made, **options
    )


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Tool]:
    def make(implementation: Implementation, *params: Param | str, **options: Any) -> Tool:
        keys = {"values", "env", "tools", "http_allow", "commands_sandbox"}
        given = {key: options.pop(key) for key in keys & set(options)}
        definition = define(implementation, *params, values=frozenset(options.pop("used", ())), **options)
        return defined_tool(definition, sandbox=tmp_path / "workspace", **given)

    return make


# -- commands


def argv(command: str, **scope: object) -> list[str]:
    return command_line(split_command(t(command)), scope)


HOSTILE = st.text(st.sampled_from(list("ab -'\"\\$`;|&<>(){}*?!~#=\n\té😀")), max_size=12)


@given(HOSTILE, HOSTILE)
def test_the_number_of_arguments_never_depends_on_the_values(x: str, y: str) -> None:
    command = """grep -e{{x}} --color='{{ x }}' "a {{y}} b" -- {{y}} {{.x}}"""
    assert argv(command, x=x, y=y) == ["grep", f"-e{x}", f"--color={x}", f"a {y} b", "--", y, x]


@given(HOSTILE, HOSTILE)
def test_the_text_of_a_shell_command_never_depends_on_the_values(x: str, y: str) -> None:
    described = split_command(t("""cat a{{x}} | grep "b{{y}}" 'c{{x}}'"""))
    line = command_line(described, {"x": x, "y": y})
    assert line == ["/bin/sh", "-c", described.shell, "sh", x, y, x]
    assert described.shell == """cat a"${1}" | grep "b${2}" 'c'"${3}"''"""


@given(st.text(max_size=12))
def test_a_value_that_opens_an_argument_never_opens_it_with_a_dash(text: str) -> None:
    for command in ("rm {{x}}", 'rm "{{x}}"', "rm '{{x}}'", 'rm ""{{x}}', "rm {{x}}y", "rm {{x}}{{x}}"):
        try:
            line = argv(command, x=f"-{text}")
        except ToolRetry:
            continue
        raise AssertionError(line)


def test_after_two_dashes_and_behind_other_text_a_dash_is_a_dash() -> None:
    assert argv("rm -- {{x}}", x="-f") == ["rm", "--", "-f"]
    assert argv("rm ./{{x}}", x="-f") == ["rm", "./-f"]
    assert argv("head -n{{x}}", x=-5) == ["head", "-n-5"]
    with pytest.raises(ToolRetry, match="the value of 'x' begins with '-', so the command would take it for an option"):
        argv("head {{x}} -- f", x=-5)


def test_an_absent_optional_argument_is_dropped_and_a_needed_one_is_an_error() -> None:
    assert argv("ls {{where}} -l", where=UNDEFINED) == ["ls", "-l"]
    assert argv("ls '{{where}}' -l", where=UNDEFINED) == ["ls", "-l"]
    assert argv("ls '{{where}}' -l", where="") == ["ls", "", "-l"]
    assert argv("ls {{if where}}in-{{where}}{{else}}.{{end}}") == ["ls", "."]
    for command, scope in (("ls in-{{where}}", {"where": UNDEFINED}), ("ls {{where}}", {})):
        with pytest.raises(ExpressionError, match="where"):
            argv(command, **scope)


async def test_an_argument_that_the_text_cannot_do_without_is_asked_for(made: Callable[..., Tool], call: Call) -> None:
    tool = made(FileReadImpl(path=t("notes/{{name}}.txt")), "name")
    with pytest.raises(ToolRetry, match="argument 'name' is needed here"):
        await call(tool)


def test_a_nul_character_is_refused() -> None:
    with pytest.raises(ToolRetry, match="may not hold a NUL"):
        argv("echo {{x}}", x="a\0b")


@pytest.mark.e2e
async def test_a_command_runs_with_its_values_as_they_are(made: Callable[..., Tool], call: Call) -> None:
    text = """$(id) `id` ; rm -rf / | "quoted" 'too' \\ * é"""
    with trio.fail_after(30):
        for command in ("printf %s {{x}}", "printf %s {{x}} | cat", 'printf %s "{{x}}" | cat -', "printf %s '{{x}}'"):
            assert await call(made(split_command(t(command)), "x"), x=text) == text


@pytest.mark.e2e
async def test_a_whole_script_runs_where_commands_are_isolated(made: Callable[..., Tool], call: Call) -> None:
    tool = made(ExecImpl(argv=(t("bash"), t("-c"), t("{{.script}}")), whole_command=True), "script")
    with trio.fail_after(30):
        assert await call(tool, script="echo $((1 + 2)) | cat") == "3\n"


@pytest.mark.e2e
async def test_the_environment_of_a_command_is_what_the_author_wrote(
    made: Callable[..., Tool], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    described = attrs.evolve(split_command(t("env")), env={"TOKEN": t("{{token}}"), "NONE": t("{{absent}}")})
    with trio.fail_after(10):
        lines = (await call(made(described, "token", "absent"), token="s3cret")).splitlines()
    known = {"PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_", "TOKEN"}
    assert {line.partition("=")[0] for line in lines} <= known
    assert "TOKEN=s3cret" in lines


@pytest.mark.e2e
async def test_a_failing_command_is_an_error_with_its_output(made: Callable[..., Tool], call: Call) -> None:
    with trio.fail_after(30):
        with pytest.raises(ToolError, match=r"failed with exit status 2\n.*No such file"):
            await call(made(split_command(t("ls /nowhere"))))
        with pytest.raises(ToolError, match=r"took longer than 1 s and was stopped\nbefore"):
            await call(made(split_command(t("sh -c 'echo before; sleep 60'")), timeout_s=1.0))


@pytest.mark.e2e
async def test_without_bubblewrap_fixed_text_runs_and_a_script_does_not(
    made: Callable[..., Tool], call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    script = ExecImpl(argv=(t("bash"), t("-c"), t("{{.script}}")), whole_command=True)
    with trio.fail_after(10):
        assert await call(made(split_command(t("printf %s {{x}}")), "x"), x="$(id)") == "$(id)"
        assert await call(made(split_command(t("printf %s {{x}} | cat")), "x"), x="$(id)") == "$(id)"
        with pytest.raises(ToolError) as caught:
            await call(made(script, "script"), script="echo 1")
        assert str(caught.value) == NO_BWRAP
        assert await call(made(script, "script", commands_sandbox="none"), script="echo 1") == "1\n"


# -- addresses


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_value_is_one_part_of_the_path_and_one_value_of_the_query(x: str, y: str) -> None:
    try:
        url = fill_url(t("https://api.example.com/a/{{x}}/b?q={{y}}&r=1"), {"x": x, "y": y})
    except (ToolRetry, UnicodeEncodeError):
        assert x in (".", "..") or any(0xD800 <= ord(char) < 0xE000 for char in x + y)
        return
    parts = urlsplit(url)
    assert parts.netloc == "api.example.com"
    assert [unquote(part) for part in parts.path.split("/")] == ["", "a", x, "b"]
    assert parse_qsl(parts.query, keep_blank_values=True) == [("q", y), ("r", "1")]
    assert not parts.fragment


@pytest.mark.parametrize("x", [".", ".."])
def test_a_value_cannot_climb_in_the_path(x: str) -> None:
    for template in ("https://h/a/{{x}}/b", "https://h/a/{{x}}", "https://h/{{x}}?q=1"):
        with pytest.raises(ToolRetry, match="cannot be a part of the address"):
            fill_url(t(template), {"x": x})
    with pytest.raises(ToolRetry):
        fill_url(t("https://h/a/.{{x}}/b"), {"x": "."})


def test_an_address_that_is_one_hole_is_taken_as_it_is() -> None:
    assert fill_url(t("{{url}}"), {"url": "https://h/a?b=c d"}) == "https://h/a?b=c d"


def test_query_entries_repeat_for_lists_and_are_left_out_when_absent() -> None:
    query = {"a": t("{{a}}"), "b": t("x {{b}}"), "c": t("{{c}}"), "d": Constant(None), "e f": Constant(2.0)}
    assert fill_query(query, {"a": ["1", 2], "b": "&=", "c": UNDEFINED}) == "a=1&a=2&b=x+%26%3D&e+f=2"


async def test_an_http_tool_sends_what_was_filled_in(
    server: Any, reply: Any, made: Callable[..., Tool], call: Call
) -> None:
    server.routes["/repos/a%2Fb/issues"] = reply(b"created")
    tool = made(
        HttpImpl(
            method="POST",
            url=t(server.url("/repos/{{.repo}}/issues?v=1")),
            headers={"Authorization": t("Bearer {{.token}}"), "X-Note": t("{{note}}")},
            query={"q": t("{{title}}")},
            body=MapTemplate({"title": t("{{.title}}"), "note": t("{{note}}"), "n": t("{{n}}"), "s": t("n={{n}}")}),
        ),
        "repo",
        "title",
        Param(name="n", type="integer", default=3, has_default=True),
        Param(name="note"),
        used=["token"],
        values={"token": "abc"},
        http_allow=[f"127.0.0.1:{server.port}"],
    )
    with trio.fail_after(5):
        assert await call(tool, repo="a/b", title='"}, {"x') == "created"
    (asked,) = server.asked
    assert asked.target == "/repos/a%2Fb/issues?v=1&q=%22%7D%2C+%7B%22x"
    assert asked.headers["authorization"] == "Bearer abc"
    assert "x-note" not in asked.headers
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == {"title": '"}, {"x', "n": 3, "s": "n=3"}


@given(st.text(max_size=20), st.sampled_from(["application/json", "", "application/merge-patch+json"]))
def test_a_value_in_a_text_body_is_one_json_value(x: str, kind: str) -> None:
    if any(0xD800 <= ord(char) < 0xE000 for char in x):
        return
    body = fill_body(t('{"a": {{x}}, "b": "<{{x}}>", "c": "\\"{{x}}", "d": {{n}}}'), {"x": x, "n": [1]}, kind)
    assert json.loads(body or b"") == {"a": x, "b": f"<{x}>", "c": f'"{x}', "d": [1]}


def test_bodies_of_other_types_hold_values_in_their_way() -> None:
    scope: Mapping[str, object] = {"x": "a&b=c d", "y": UNDEFINED}
    assert fill_body(t("x={{x}}&y=1"), scope, "application/x-www-form-urlencoded") == b"x=a%26b%3Dc+d&y=1"
    assert fill_body(t("<{{x}}>"), scope, "text/plain; charset=utf-8") == b"<a&b=c d>"
    assert fill_body(t("{{x}}"), scope, "") == b'"a&b=c d"'
    assert fill_body(t("{{y}}"), scope, "") is None
    assert fill_body(ListTemplate((t("{{x}}"), t("{{y}}"), Constant(None))), scope, "") == b'["a&b=c d",null]'


async def test_a_header_stays_one_line(server: Any, made: Callable[..., Tool], call: Call) -> None:
    tool = made(
        HttpImpl(url=t(server.url("/")), headers={"X-Note": t("note: {{x}}")}),
        "x",
        http_allow=[f"127.0.0.1:{server.port}"],
    )
    for value in ("a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b"):
        with trio.fail_after(5), pytest.raises(ToolRetry, match="may not hold a line break"):
            await call(tool, x=value)
    assert server.asked == []


async def test_private_addresses_are_refused_for_defined_tools_too(
    server: Any, made: Callable[..., Tool], call: Call
) -> None:
    for url, arguments in ((t(server.url("/")), {}), (t("{{url}}"), {"url": server.url("/")})):
        with trio.fail_after(5), pytest.raises(ToolError, match="is not public"):
            await call(made(HttpImpl(url=url), *arguments), **arguments)
    assert server.asked == []


async def test_a_secret_in_the_address_is_not_told_to_the_model(
    server: Any, reply: Any, made: Callable[..., Tool], call: Call
) -> None:
    server.routes["/bad"] = reply(b"sorry", status="500 Oops")
    tool = made(
        HttpImpl(url=t(server.url("/bad?key={{key}}").replace("http://", "http://me:pw@"))),
        used=["key"],
        values={"key": "s3cret"},
        http_allow=["127.0.0.1"],
    )
    with trio.fail_after(5), pytest.raises(ToolError) as caught:
        await call(tool)
    assert str(caught.value) == f"HTTP 500 Oops from http://127.0.0.1:{server.port}\nsorry"
    assert server.asked[0].target == "/bad?key=s3cret"


async def test_a_failed_exchange_is_tried_again_as_often_as_said(
    server: Any, reply: Any, made: Callable[..., Tool], call: Call
) -> None:
    answers = [reply(status="503 Busy"), b"", reply(b"ok")]
    server.routes["/"] = lambda _: answers.pop(0)
    retry = HttpRetry(attempts=3, backoff=BackoffConfig(initial=0.0))
    tool = made(HttpImpl(url=t(server.url("/")), retry=retry), http_allow=["127.0.0.1"])
    with trio.fail_after(5):
        assert await call(tool) == "ok"
        answers[:] = [reply(status="404 Not Found"), reply(b"never")]
        with pytest.raises(ToolError, match="HTTP 404"):
            await call(tool)
        answers[:] = [reply(status="503 Busy")] * 3
        with pytest.raises(ToolError, match="HTTP 503"):
            await call(tool)
    assert answers == []


# -- files


async def test_file_tools_stay_in_the_sandbox(made: Callable[..., Tool], call: Call, tmp_path: Path) -> None:
    described = FileWriteImpl(path=t("notes/{{name}}.md"), content=t("# {{text}}"), mkdir=True, mode=0o640)
    write = made(described, "name", "text")
    read = made(FileReadImpl(path=t("notes/{{name}}.md")), "name")
    coded = made(FileReadImpl(path=t("notes/{{name}}.md"), encoding="base64"), "name")
    with trio.fail_after(5):
        assert await call(write, name="a", text="é") == "wrote 4 bytes to notes/a.md"
        assert await call(read, name="a") == "# é"
        assert base64.b64decode(await call(coded, name="a")).decode() == "# é"
        for tool in (write, read):
            with pytest.raises(ToolError, match="path escapes sandbox"):
                await call(tool, name="../../x", **({"text": ""} if tool is write else {}))


async def test_binary_files_are_shown_with_escapes(made: Callable[..., Tool], call: Call, tmp_path: Path) -> None:
    await trio.Path(tmp_path / "workspace").mkdir()
    await trio.Path(tmp_path / "workspace" / "f").write_bytes(b"a\xffb")
    with trio.fail_after(5):
        assert await call(made(FileReadImpl(path=t("f"), encoding="binary"))) == "a\\xffb"


# -- other names


async def test_a_definition_may_be_another_name_for_a_built_in(
    made: Callable[..., Tool], call: Call, tmp_path: Path
) -> None:
    tools = builtin_tools(sandbox=tmp_path / "workspace")
    same = made(BuiltinImpl(function="list_files"), tools=tools)
    fixed = Param(name="path", default="sub", has_default=True)
    narrow = made(BuiltinImpl(function="list_files"), fixed, tools=tools, description="Lists sub.")
    assert same.spec.parameters == tools["list_files"].spec.parameters
    assert (same.spec.name, same.spec.description) == ("mine", tools["list_files"].spec.description)
    assert same.spec.effects == {"read"}
    assert narrow.spec.description == "Lists sub."
    with trio.fail_after(5):
        await call(tools["write_file"], path="sub/f", content="")
        assert await call(same) == '["sub/"]'
        assert await call(narrow) == '["f"]'
        with pytest.raises(ToolRetry, match="unknown argument 'recursive'"):
            await call(narrow, recursive=True)


def test_another_name_for_nothing_is_refused(made: Callable[..., Tool]) -> None:
    with pytest.raises(ConfigError, match=r"stands for 'reed_file', .* did you mean 'read_file'.*team\.vega\.yaml:3:5"):
        made(BuiltinImpl(function="reed_file"), tools={"read_file": made(FileReadImpl(path=t("x")))})


# -- arguments, values, effects


@pytest.mark.e2e
async def test_arguments_are_checked_and_defaults_filled(made: Callable[..., Tool], call: Call) -> None:
    tool = made(
        split_command(t("echo {{n}} {{mode}}")),
        Param(name="n", type="integer", required=True),
        Param(name="mode", default="fast", has_default=True, enum=("fast", "slow")),
    )
    with trio.fail_after(5):
        assert await call(tool, n=2) == "2 fast\n"
        for arguments, complaint in (
            ({}, "argument 'n' is missing"),
            ({"n": "2"}, "argument 'n': "),
            ({"n": 2, "mode": "x"}, "argument 'mode': "),
            ({"n": 2, "token": "x"}, "unknown argument 'token'"),
        ):
            with pytest.raises(ToolRetry, match=complaint):
                await call(tool, **arguments)


@pytest.mark.e2e
async def test_tool_values_come_from_the_settings_then_from_the_environment(
    made: Callable[..., Tool], call: Call
) -> None:
    command = split_command(t("echo {{a}} {{b}}"))
    env = {"VEGA_VALUE_A": "env a", "VEGA_VALUE_B": "env b"}
    full = made(command, used=["a", "b"], values={"a": "own a"}, env=env)
    short = made(command, used=["a", "b"], values={"a": "own a"}, env={"VEGA_VALUE_B": ""})
    with trio.fail_after(5):
        assert await call(full) == "own a env b\n"
        with pytest.raises(ToolError, match=r"set settings\.values\.b or VEGA_VALUE_B \(team\.vega\.yaml:3:5\)"):
            await call(short)
    assert "own a" not in repr(full)


async def test_a_disabled_tool_says_why(made: Callable[..., Tool], call: Call) -> None:
    tool = made(split_command(t("pwd")), disabled="the environment variable X is not set")
    with trio.fail_after(30), pytest.raises(ToolError, match="the tool 'mine' is disabled: the environment variable X"):
        await call(tool)


def test_each_type_has_its_effect_and_declared_ones_add_to_it(made: Callable[..., Tool]) -> None:
    effects = [
        made(implementation, effects=frozenset({"read"})).spec.effects
        for implementation in (
            HttpImpl(url=t("https://example.com")),
            split_command(t("pwd")),
            FileReadImpl(path=t("x")),
            FileWriteImpl(path=t("x"), content=t("")),
        )
    ]
    assert effects == [{"network", "read"}, {"exec", "read"}, {"read"}, {"write", "read"}]

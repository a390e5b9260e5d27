"""Documents in several files, and what they take from the environment."""

from __future__ import annotations

import pytest
from dsl_cases import AGENTS, ENV, MemoryFiles, codes, load, load_files

from vega_trio.dsl.parse import parse_document
from vega_trio.dsl.project import MAX_TOTAL, Project
from vega_trio.dsl.source import Report
from vega_trio.errors import DocumentError

TOOL = "description: A tool.\nimplementation: {type: exec, command: date}\n"


def failure(files: dict[str, str | bytes], path: str) -> DocumentError:
    with pytest.raises(DocumentError) as error:
        load_files(files, path)
    return error.value


def test_a_missing_file_is_told_with_the_one_that_was_meant() -> None:
    error = failure({"dir/team.vega.yaml": "x"}, "dir/taem.vega.yaml")
    assert str(error) == (
        "error[V001]: cannot read 'dir/taem.vega.yaml': No such file or directory\n"
        "  --> dir/taem.vega.yaml:1:1\n"
        "   = did you mean 'dir/team.vega.yaml'?"
    )


@pytest.mark.parametrize(
    ("files", "path", "hint"),
    [
        ({"d/t.vega.yaml": "", "d/b.txt": ""}, "d/x.yaml", "check the path; the documents there are: d/t.vega.yaml"),
        ({"team.vega.yaml": ""}, "nofile.yaml", "check the path; the documents there are: team.vega.yaml"),
        ({"b.txt": ""}, "nofile.yaml", "check the path"),
        ({}, "nowhere/team.vega.yaml", "check the path: there is no directory 'nowhere'"),
        ({"d/x.txt": ""}, "d", "name a .vega.yaml file, or a directory that holds some"),
    ],
)
def test_a_file_that_is_not_there_comes_with_a_remedy(files: dict[str, str | bytes], path: str, hint: str) -> None:
    (found,) = failure(files, path).diagnostics
    assert (found.code, found.hint) == ("V001", hint)


def test_a_directory_is_one_document() -> None:
    files: dict[str, str | bytes] = {
        "d/a.vega.yaml": "name: Both\nagents: {a: {system: x, tools: [clock]}}\nsettings: {sandbox: ./a}",
        "d/b.vega.yaml": (
            "agents: {b: {system: y}}\nworkflows: {w: {steps: [{a: hi}, {b: ho}]}}\nsettings: {idle_stop: 5m}"
        ),
        "d/notes.yaml": "[not read",
        "d/tools/clock.yaml": "name: clock\n" + TOOL,
    }
    document = load_files(files, "d").document
    assert (document.file, document.name, list(document.agents), list(document.tools)) == (
        "d",
        "Both",
        ["a", "b"],
        ["clock"],
    )
    assert (document.settings.sandbox, document.settings.idle_stop_s) == ("./a", 300.0)


def test_a_name_in_two_files_is_told_with_both_places() -> None:
    files: dict[str, str | bytes] = {
        "d/a.vega.yaml": "agents: {a: {system: x}}",
        "d/b.vega.yaml": "agents: {a: {system: y}}",
    }
    found = failure(files, "d").diagnostics
    assert [(each.code, each.file, each.hint) for each in found] == [
        ("V003", "d/b.vega.yaml", "it is there already: d/a.vega.yaml:1:10")
    ]


def test_an_empty_directory_is_no_document() -> None:
    assert [each.code for each in failure({"d/x.txt": ""}, "d").diagnostics] == ["V001"]


@pytest.mark.parametrize(
    "include",
    ["tools/one.yaml", "[tools/one.yaml, tools/two.yaml]", "tools", "'tools/*.yaml'", "'*/*.yaml'", "./tools"],
)
def test_tools_are_included(include: str) -> None:
    files: dict[str, str | bytes] = {
        "p/team.vega.yaml": (
            f"agents: {{a: {{system: x, tools: [one]}}}}\ntools:\n  include: {include}\n  own: {{run: date}}\n"
        ),
        "p/tools/one.yaml": "name: one\n" + TOOL,
        "p/tools/two.yaml": "two: {run: date}\nthree: {run: date}\n",
    }
    tools = load_files(files, "p/team.vega.yaml").document.tools
    assert {"own", "one"} <= set(tools)
    assert set(tools) <= {"own", "one", "two", "three"}


def test_a_list_of_tools_is_included_too() -> None:
    files: dict[str, str | bytes] = {
        "team.vega.yaml": "agents: {a: {system: x}}\ntools: {include: [t.yaml]}",
        "t.yaml": "- {name: one, run: date}\n- {name: two, run: date}\n",
    }
    assert list(load_files(files, "team.vega.yaml").document.tools) == ["one", "two"]


@pytest.mark.parametrize(
    ("include", "message"),
    [
        ("../x.yaml", "'../x.yaml' lies outside the project"),
        ("/etc/passwd", "'/etc/passwd' lies outside the project"),
        ("a/../../x.yaml", "'a/../../x.yaml' lies outside the project"),
        ("none.yaml", "cannot read 'p/none.yaml': No such file or directory"),
        ("'n*.yaml'", "no file matches 'n*.yaml'"),
    ],
)
def test_an_include_stays_inside_and_exists(include: str, message: str) -> None:
    text = f"agents: {{a: {{system: x}}}}\ntools: {{include: [{include}]}}"
    found = failure({"p/team.vega.yaml": text, "x.yaml": ""}, "p/team.vega.yaml").diagnostics[0]
    assert (found.code, found.message, found.file) == ("V008", message, "p/team.vega.yaml")


def test_an_error_in_an_included_file_names_that_file() -> None:
    files: dict[str, str | bytes] = {
        "team.vega.yaml": "agents: {a: {system: x}}\ntools: {include: [t.yaml]}",
        "t.yaml": "one:\n  run: date\n  tiemout: 5s\n",
    }
    found = failure(files, "team.vega.yaml").diagnostics[0]
    assert (found.code, found.file, found.line, found.hint) == ("V004", "t.yaml", 3, "did you mean 'timeout'?")


def test_all_files_together_have_a_size() -> None:
    report = Report()
    project = Project(MemoryFiles({"a.yaml": "a: 1"}), report, "", total=MAX_TOTAL - 3)
    assert project.load("a.yaml") is None
    assert [each.code for each in report.errors] == ["V006"]


# -- the environment


def test_variables_are_replaced_in_values_and_cannot_inject_structure() -> None:
    text = "agents: {a: {system: 'Hi ${NAME}, ${NONE:-you} $${NAME} ${not a name}', max_tokens: '${N}'}}"
    agent = load(text, env={**ENV, "NAME": "x}\n  b: {y", "N": "7"}).document.agents["a"]
    assert (agent.system, agent.max_tokens) == ("Hi x}\n  b: {y, you ${NAME} ${not a name}", 7)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("temperature", "0.5", 0.5),
        ("max_iterations", "3", 3),
        ("max_tokens", "many", None),
    ],
)
def test_numbers_may_come_from_the_environment(field: str, value: str, expected: object) -> None:
    text = f"agents: {{a: {{system: x, {field}: '${{V}}'}}}}"
    if expected is None:
        assert codes(text, env={**ENV, "V": value}) == ["V005"]
    else:
        assert getattr(load(text, env={**ENV, "V": value}).document.agents["a"], field) == expected


def test_an_unset_variable_warns_and_stops_whoever_needs_it() -> None:
    text = """
agents: {a: {system: "Ask ${WHO}", model: "${MODEL}", max_tokens: "${N}"}}
tools: {t: {run: "echo ${TOOL}"}}
settings: {mcp: {servers: [{name: s, command: x, env: {A: "${MCP}"}}]}}
"""
    parsed = load(text, env={"WHO": ""})
    assert [each.code for each in parsed.warnings] == ["W109"] * 5
    names = [each.message.split("'")[1] for each in parsed.missing_env]
    assert (names, {each.code for each in parsed.missing_env}) == (["WHO", "MODEL", "N"], {"V009"})
    assert parsed.document.tools["t"].disabled == "the environment variable TOOL is not set"
    assert parsed.document.settings.mcp_servers[0].disabled == "the environment variable MCP is not set"


def test_a_server_of_mcp_lacks_a_variable_in_either_form() -> None:
    server = "settings: {{mcp: {{servers: [{{name: s, {}}}]}}}}"
    for each in ("command: x, env: {A: $TOKEN}", "url: 'http://h/', headers: {Authorization: Bearer $TOKEN}"):
        text = AGENTS + server.format(each)
        found = load(text, env={**ENV, "TOKEN": ""})
        assert [(one.code, one.message) for one in found.warnings] == [
            ("W109", "the environment variable 'TOKEN' is not set")
        ]
        assert found.missing_env == ()
        assert found.document.settings.mcp_servers[0].disabled == "the environment variable TOKEN is not set"
        given = load(text, env={**ENV, "TOKEN": "t"})
        assert given.warnings == ()
        assert given.document.settings.mcp_servers[0].disabled == ""
    text = AGENTS + server.format("command: x, env: {A: '$A ${B} $${A}', B: $HOME/b}, args: [$A]")
    fs = load(text, env={**ENV, "A": "a", "B": "pa$A", "HOME": "/h"}).document.settings.mcp_servers[0]
    assert (fs.env, fs.args) == ({"A": "a pa$A ${A}", "B": "/h/b"}, ("$A",))


def test_the_parser_reads_only_through_the_files_it_is_given() -> None:
    with pytest.raises(DocumentError) as error:
        parse_document("/etc/hostname", MemoryFiles(), env={})
    assert error.value.diagnostics[0].code == "V001"

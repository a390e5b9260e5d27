"""The commands that look at a document without running it: list, show, graph, schema, run --dry-run."""

from __future__ import annotations

import json

import pytest
from cli_shell import DOCUMENT, Call, Done, Program, call, make_calls

pytestmark = pytest.mark.e2e

WRONG = DOCUMENT.split("  echo")[0].replace("{{task}}", "{{task - 1}}")
CALLS = {
    "list": call("list"),
    "list json": call("list", "--json", "team.vega.yaml"),
    "list workflows": call("list", "workflows"),
    "list too much": call("list", "agents", "tools"),
    "show agent": call("show", "agent", "writer"),
    "show workflow": call("show", "workflow", "echo", "--file", "team.vega.yaml"),
    "show json": call("show", "workflow", "echo", "--json"),
    "show nobody": call("show", "agent", "wirter"),
    "show nothing": call("show", "workflow", "ecko"),
    "show what": call("show", "agnet", "writer"),
    "graph": call("graph", "team.vega.yaml", "--workflow", "write"),
    "graph json": call("graph", "team.vega.yaml", "--workflow", "write", "--json"),
    "explain json": call("explain", "v012", "--json"),
    "schema": call("schema"),
    "dry run": call("run", "--workflow", "write", "--task", "hi\nyou", "--dry-run"),
    "dry run json": call("run", "--workflow", "write", "--task", "hi", "--dry-run", "--json", "--rounds", "3"),
    "dry run without input": call("run", "--workflow", "write", "--dry-run"),
    "dry run that fails": call("run", "--task", "x", "--dry-run", files={"t.vega.yaml": WRONG}),
    "a value that is an option": call("run", "--rounds", "--workflow", "write"),
    "a slip of an option": call("run", "--hepl"),
    "no such input file": call(
        "run", "--workflow", "write", "--input", "teem.json", files={"team.vega.yaml": DOCUMENT, "team.json": "{}"}
    ),
    "resume without a database": call("run", "--resume", "abc"),
    "resume nothing": call("run", "--resume", "abc", "--db", "r.db"),
    "bare": call(),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, program: Program) -> dict[str, Done]:
    calls: dict[str, Call] = CALLS
    return make_calls(calls, tmp_path_factory.mktemp("calls"), program)


def test_list_names_what_is_there(done: dict[str, Done]) -> None:
    assert done["list"].code == 0
    assert done["list"].out.startswith("Agents:\n  writer (demo)\nWorkflows:\n  write (1 step): Writes\n    --task (")
    found = json.loads(done["list json"].out)
    assert found["agents"] == [{"name": "writer", "model": "demo", "description": "", "tools": [], "team": []}]
    assert [each["name"] for each in found["workflows"]] == ["write", "echo"]
    assert done["list workflows"].out.startswith("Workflows:\n  write")
    assert "Agents" not in done["list workflows"].out
    assert done["list too much"].code == 2


def test_show_tells_all_of_one(done: dict[str, Done]) -> None:
    assert done["show agent"].out.startswith("agent writer (team.vega.yaml:3:3)\n")
    assert "  system:\n    You write.\n" in done["show agent"].out
    assert "usage: vega run FILE --workflow echo --value VALUE" in done["show workflow"].out
    found = json.loads(done["show json"].out)
    assert found["inputs"]["times"]["default"] == 2
    assert found["steps"][0]["kind"] == "set"
    for name, hint in {"show nobody": "did you mean 'writer'?", "show nothing": "did you mean 'echo'?"}.items():
        assert (done[name].code, done[name].out) == (2, "")
        assert hint in done[name].err
    assert done["show what"].code == 2


def test_graph_and_schema_print_what_other_programs_read(done: dict[str, Done]) -> None:
    assert done["graph"].out.startswith('flowchart TB\n  subgraph n1["workflow write"]\n')
    assert json.loads(done["graph json"].out)["mermaid"] == done["graph"].out
    assert json.loads(done["explain json"].out)["meaning"] == "No agent of that name is declared."
    assert json.loads(done["schema"].out)["properties"]["agents"]


def test_a_dry_run_shows_inputs_steps_and_messages(done: dict[str, Done]) -> None:
    found = done["dry run"]
    assert (found.code, found.err) == (0, "")
    assert "  task:\n    hi\n    you\n  rounds: 1\n" in found.out
    assert "  [write/0] writer -> draft\n      Say hi\n      you, 1 times\n" in found.out
    assert found.out.endswith("output: <draft>\n")
    steps = json.loads(done["dry run json"].out)["steps"]
    assert [(step["agent"], step["text"]) for step in steps] == [("writer", "Say hi, 3 times")]
    assert done["dry run without input"].code == 2
    assert "the input 'task' is missing" in done["dry run without input"].err
    assert done["dry run that fails"].code == 1
    assert "step write/0: " in done["dry run that fails"].err


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("a value that is an option", 2, "error: --rounds needs a value\nhint: write --rounds VALUE"),
        ("a slip of an option", 2, "did you mean --help?"),
        ("no such input file", 2, "there is no such file\nhint: did you mean 'team.json'?"),
        ("resume without a database", 2, "error: --resume needs the database"),
        ("resume nothing", 1, "error: there is no run 'abc'"),
    ],
)
def test_a_wrong_word_is_refused_with_what_to_write(done: dict[str, Done], name: str, code: int, said: str) -> None:
    assert done[name].code == code
    assert said in done[name].err
    assert done[name].out == ""


def test_bare_vega_says_what_to_do_next(done: dict[str, Done]) -> None:
    assert done["bare"].code == 0
    assert "vega serve --demo" in done["bare"].out

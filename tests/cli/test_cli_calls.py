"""Calls of vega that come to an end by themselves: what works, and every kind of bad input with its one clear error."""

from __future__ import annotations

import json

import pytest
from cli_shell import ANTHROPIC, DOCUMENT, Call, Done, Program, Shell, call, make_calls

pytestmark = pytest.mark.e2e

WRITE = ("run", "--workflow", "write")
ECHO = ("run", "--workflow", "echo")
MISTAKE = DOCUMENT.replace('- writer: "Say', '- wirter: "Say')
UNSET = DOCUMENT.replace("system: You write.", "system: You write for ${NOBODY_SET_THIS}.")
TWO_AGENTS = DOCUMENT.replace("agents:\n", "agents:\n  b: {system: B, model: demo}\n")
SETTINGS = """\
settings:
  api_key: ${TEAM_PASS}
  logging: {level: info, file: vega.log, format: json}
"""
KEYED = {"team.vega.yaml": ANTHROPIC}

GOOD = {
    "a run": call(*WRITE, "--task", "yes or no", "team.vega.yaml"),
    "a quiet run": call("-q", *WRITE, "--task", "yes or no"),
    "a run with typed inputs": call(*ECHO, "--value", "[1, 2]", "--times=3", "--json"),
    "a run with piped input": call(*ECHO, "--output", "yaml", stdin="from a pipe\n"),
    "a run into a file": call(*ECHO, "--value", "x", "--output", "out.json"),
    "a run on the real SDK": call(
        *WRITE,
        *("--task", "x"),
        files={**KEYED, "home/env": "ANTHROPIC_API_KEY='sk-test'\nexport ANTHROPIC_BASE_URL=FAKE\n"},
    ),
    "key and log of the document": call(
        *WRITE,
        *("--task", "x"),
        files={"team.vega.yaml": ANTHROPIC + SETTINGS, "home/env": "TEAM_PASS=sk-test\nANTHROPIC_BASE_URL=FAKE\n"},
    ),
    "one reply": call("chat", "writer", "-p", "yes or no"),
    "replies as json": call("chat", "--json", stdin="yes or no\nyes or no\n"),
    "one reply from a named file": call(
        "chat", "-p", "yes or no", "sub/other.yaml", files={"sub/other.yaml": DOCUMENT}
    ),
    "one reply of the built-in assistant": call("chat", "-p", "search for Go releases", files={}),
    "piped lines": call("chat", stdin="yes or no\n\n/quit is a message\nyes or no\n/quit\nunheard"),
    "a failed turn in a script": call("chat", stdin="fail\nyes or no\n"),
    "a model from config.yaml": call(
        *WRITE,
        *("--task", "yes or no"),
        files={"team.vega.yaml": DOCUMENT.replace("    model: demo\n", ""), "home/config.yaml": "model: demo\n"},
    ),
    "a valid document": call("validate"),
    "a valid document in detail": call("validate", "team.vega.yaml", "--verbose"),
    "a valid document as json": call("validate", "--json"),
    "an invalid document as json": call("validate", "--json", files={"team.vega.yaml": MISTAKE}),
    "warnings": call("validate", files={"team.vega.yaml": UNSET}),
    "warnings when strict": call("validate", "--strict", files={"team.vega.yaml": UNSET}),
    "no models yet": call("models", "list", "--json"),
}

BAD: dict[str, tuple[Call, int, tuple[str, ...]]] = {
    "a missing file": (
        call("run", "tem.vega.yaml", "--task", "x"),
        2,
        ("error[V001]", "did you mean 'team.vega.yaml'?"),
    ),
    "no document here": (
        call("run", "--task", "x", files={}),
        2,
        (
            "error: there is no *.vega.yaml in this directory\n",
            "hint: name a document: vega run FILE; vega init writes a first one\n",
        ),
    ),
    "several documents here": (
        call("validate", files={"a.vega.yaml": DOCUMENT, "b.vega.yaml": DOCUMENT}),
        2,
        ("error: there are 2 documents here: a.vega.yaml, b.vega.yaml\nhint: ",),
    ),
    "a directory without documents": (call("run", "sub", files={"sub/notes.txt": ""}), 2, ("sub",)),
    "broken YAML": (call("run", files={"team.vega.yaml": "agents:\n  a: [\n"}), 2, ("error[V002]", "team.vega.yaml:")),
    "an unknown agent in a step": (
        call(*WRITE, "--task", "x", files={"team.vega.yaml": MISTAKE}),
        2,
        ("error[V012]", "--> team.vega.yaml:13:9", "did you mean 'writer'"),
    ),
    "a missing input": (call(*WRITE), 2, ("task", "usage: vega run")),
    "an unknown input": (call(*WRITE, "--task", "x", "--ronds", "2"), 2, ("'ronds'", "did you mean 'rounds'")),
    "an input of the wrong type": (call(*WRITE, "--task", "x", "--rounds", "many"), 2, ("'rounds'", "many")),
    "a set without a value": (call("run", "--set", "task"), 2, ("error: --set 'task' is no NAME=VALUE\nhint: ",)),
    "a slip of an option": (
        call(*WRITE, "--task", "x", "--outptu", "json"),
        2,
        ("error: --outptu is neither an option nor an input\nhint: did you mean --output?\n",),
    ),
    "an unknown workflow": (call("run", "--workflow", "wriet"), 2, ("'wriet'", "did you mean 'write'")),
    "no workflow chosen": (call("run", "--task", "x"), 2, ("hint: choose one with --workflow: write, echo\n",)),
    "a timeout that is none": (call("run", "--timeout", "soon"), 2, ("--timeout 'soon' is no duration",)),
    "an unwritable output": (call(*ECHO, "--value", "x", "--output", "no/out.txt"), 2, ("'no/out.txt' cannot",)),
    "an unknown model provider": (
        call(*WRITE, "--task", "x", "--model", "antropic:claude"),
        2,
        ("'antropic'", "did you mean 'anthropic'"),
    ),
    "a document with an unknown provider": (
        call("validate", files={"team.vega.yaml": DOCUMENT.replace("model: demo", "model: dmeo:x")}),
        2,
        ("error[V016]", "--> team.vega.yaml:4:12", "did you mean 'demo'?"),
    ),
    "too long a run": (
        call(*WRITE, "--task", "slow", "--timeout", "200ms"),
        124,
        ("write: failed in ", "did not finish within"),
    ),
    "no key": (
        call(*WRITE, "--task", "x", files=KEYED),
        4,
        ("ANTHROPIC_API_KEY", "hint: ", "--model demo", "--model local"),
    ),
    "a wrong key": (
        call(*WRITE, "--task", "x", files=KEYED, ANTHROPIC_API_KEY="sk-wrong", ANTHROPIC_BASE_URL="FAKE"),
        4,
        ("invalid x-api-key", "hint: "),
    ),
    "a budget that is too small": (
        call(
            *WRITE,
            *("--task", "x"),
            files={"team.vega.yaml": ANTHROPIC.replace("  writer:\n", "  writer:\n    budget: $0.000001\n")},
            ANTHROPIC_API_KEY="k",
            ANTHROPIC_BASE_URL="FAKE",
        ),
        5,
        ("budget exceeded", "hint: raise the budget in the document"),
    ),
    "an unreachable model": (
        call(*WRITE, "--task", "x", files=KEYED, ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL="http://127.0.0.1:9"),
        1,
        ("http://127.0.0.1:9", "ANTHROPIC_BASE_URL"),
    ),
    "a file that is no database": (
        call(*WRITE, "--task", "x", "--db", "bad.db", files={"team.vega.yaml": DOCUMENT, "bad.db": "text " * 999}),
        1,
        ("bad.db",),
    ),
    "a database in no directory": (
        call(*WRITE, "--task", "x", "--db", "no/where.db"),
        2,
        ("error: the database 'no/where.db' cannot be made: there is no directory 'no'\nhint: ", "--db or VEGA_DB"),
    ),
    "a database that is a directory": (
        call("chat", "-p", "x", VEGA_DB="."),
        2,
        ("error: the database '.' is a directory\nhint: name a file in it, with --db or VEGA_DB\n",),
    ),
    "a server's database in no directory": (
        call("serve", "--db", "no/where.db"),
        2,
        ("'no/where.db'", "there is no directory 'no'"),
    ),
    "a bad line in the env file": (
        call(*WRITE, files={"team.vega.yaml": DOCUMENT, "home/env": "sk-wrong"}),
        2,
        ("env:1: this is no KEY=VALUE",),
    ),
    "an unknown key in config.yaml": (
        call("chat", "-p", "x", files={"home/config.yaml": "modle: demo\n"}),
        2,
        ("unknown key 'modle'", "did you mean 'model'"),
    ),
    "an unknown log level": (call(*WRITE, VEGA_LOG="loud"), 2, ("VEGA_LOG is 'loud'", "debug, error, info, warning")),
    "an unknown agent": (call("chat", "wirter", "-p", "x"), 2, ("'wirter'", "did you mean 'writer'")),
    "no agent chosen": (
        call("chat", files={"team.vega.yaml": TWO_AGENTS}),
        2,
        ("hint: choose one, as vega chat b: b, writer\n",),
    ),
    "nothing to continue": (call("chat", "-c", "-p", "x"), 2, ("hint: give it with --db PATH or VEGA_DB\n",)),
    "an address that is none": (call("serve", "--demo", "--addr", "nonsense"), 2, ("'nonsense'",)),
    "an invalid document to serve": (call("serve", files={"team.vega.yaml": "agents: {}\n"}), 2, ("error[V010]",)),
    "an unknown model to pull": (call("models", "pull", "smolm2"), 2, ("'smolm2'", "did you mean 'smollm2'")),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("calls"))


@pytest.fixture(scope="module")
def done(folder: Shell, program: Program) -> dict[str, Done]:
    return make_calls({**GOOD, **{name: each[0] for name, each in BAD.items()}}, folder.cwd, program)


# -- what works


def test_the_result_is_on_stdout_and_the_steps_on_stderr(done: dict[str, Done]) -> None:
    run = done["a run"]
    assert run.code == 0, run.err
    assert run.out.strip()
    assert "[write/0]" not in run.out
    assert "[write/0] writer" in run.err
    assert "write: completed in " in run.err


def test_quiet_leaves_stderr_empty(done: dict[str, Done]) -> None:
    run = done["a quiet run"]
    assert (run.code, run.err, run.out) == (0, "", done["a run"].out)


def test_inputs_keep_their_types_into_json(done: dict[str, Done]) -> None:
    assert json.loads(done["a run with typed inputs"].out) == {"value": [1, 2], "times": 3}


def test_what_is_piped_in_is_the_primary_input(done: dict[str, Done]) -> None:
    assert done["a run with piped input"].out == "value: from a pipe\ntimes: 2\n"


def test_a_path_takes_the_result_instead_of_stdout(done: dict[str, Done], folder: Shell) -> None:
    run = done["a run into a file"]
    assert (run.code, run.out) == (0, ""), run.err
    assert json.loads(folder.read("a-run-into-a-file/out.json")) == {"value": "x", "times": 2}


def test_a_workflow_runs_on_the_real_sdk_with_key_and_address_from_the_env_file(done: dict[str, Done]) -> None:
    run = done["a run on the real SDK"]
    assert (run.code, run.out) == (0, "answer to 1\n"), run.err


def test_a_document_may_have_its_key_and_its_log(done: dict[str, Done], folder: Shell) -> None:
    run = done["key and log of the document"]
    assert (run.code, run.out) == (0, "answer to 1\n"), run.err
    lines = [json.loads(line) for line in folder.read("key-and-log-of-the-document/vega.log").splitlines()]
    assert "vega_trio.model" in {line["logger"] for line in lines}


def test_one_reply_is_printed_and_nothing_else(done: dict[str, Done]) -> None:
    reply = done["one reply"]
    assert (reply.code, reply.err) == (0, "")
    assert reply.out.strip()
    assert done["one reply from a named file"] == reply


def test_replies_are_an_object_a_line_for_programs(done: dict[str, Done]) -> None:
    found = [json.loads(line) for line in done["replies as json"].out.splitlines()]
    assert [(each["agent"], each["cost_usd"]) for each in found] == [("writer", 0.0)] * 2
    assert found[0]["text"].strip() == done["one reply"].out.strip()


def test_without_a_document_and_key_the_built_in_assistant_says_on_what_it_answers(done: dict[str, Done]) -> None:
    reply = done["one reply of the built-in assistant"]
    assert reply.code == 0
    note, tool = reply.err.splitlines()
    assert "ANTHROPIC_API_KEY" in note
    assert tool.startswith("· web_search {")
    assert "3 results" in reply.out


def test_piped_lines_are_answered_one_by_one_in_one_conversation(done: dict[str, Done]) -> None:
    first, *between, last = done["piped lines"].out.splitlines(keepends=True)
    assert (done["piped lines"].code, done["piped lines"].err) == (0, "")
    assert first == last == done["one reply"].out
    assert between


def test_a_failed_turn_ends_a_script_after_what_it_had_said(done: dict[str, Done]) -> None:
    failed = done["a failed turn in a script"]
    assert failed.code == 1
    assert len(failed.out.splitlines()) == 1
    assert failed.err.startswith("error: ")


def test_config_yaml_gives_the_model_that_nothing_else_names(done: dict[str, Done]) -> None:
    assert done["a model from config.yaml"].out == done["a run"].out


def test_a_valid_document_says_so_and_verbose_lists_it(done: dict[str, Done]) -> None:
    assert done["a valid document"] == Done(0, "Valid: team.vega.yaml\n", "")
    listed = done["a valid document in detail"].out
    for words in ("writer (demo)", "write (1 step): Writes", "--task (string, required, primary)", "echo (1 step)"):
        assert words in listed


def test_findings_as_json_are_one_object(done: dict[str, Done]) -> None:
    assert json.loads(done["a valid document as json"].out) == {
        "valid": True,
        "file": "team.vega.yaml",
        "diagnostics": [],
    }
    invalid = done["an invalid document as json"]
    assert invalid.code == 2
    found = json.loads(invalid.out)
    assert (found["valid"], found["file"]) == (False, "team.vega.yaml")
    finding = found["diagnostics"][0]
    fields = {"code", "severity", "message", "file", "line", "column", "end_line", "end_column", "hint", "path"}
    assert set(finding) == fields
    assert (finding["code"], finding["line"], finding["column"]) == ("V012", 13, 9)


def test_warnings_are_shown_and_exit_3_only_when_strict(done: dict[str, Done]) -> None:
    for name, code in (("warnings", 0), ("warnings when strict", 3)):
        assert done[name].code == code
        assert done[name].out == "Valid: team.vega.yaml\n"
        assert "warning[W109]" in done[name].err


def test_models_that_can_be_pulled_are_listed(done: dict[str, Done]) -> None:
    (line,) = done["no models yet"].out.splitlines()
    model = json.loads(line)
    assert (model["name"], model["installed"], model["path"]) == ("smollm2", False, None)


# -- what is wrong


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_clear_error_and_its_exit_code(name: str, done: dict[str, Done]) -> None:
    _, code, words = BAD[name]
    shown = done[name]
    assert shown.code == code, shown.err
    assert shown.out == ""
    for each in words:
        assert each in shown.err
    assert shown.err.count("error") >= 1
    assert "Traceback" not in shown.err
    assert "internal error" not in shown.err
    assert "sk-wrong" not in shown.err


def test_a_wrong_document_is_found_before_a_database_is_made(done: dict[str, Done], folder: Shell) -> None:
    assert done["an invalid document to serve"].code == 2
    assert not list((folder.cwd / "an-invalid-document-to-serve").glob("*.db*"))

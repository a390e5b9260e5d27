"""The REPL in a pipe: plain lines in, plain lines out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_shell import DOCUMENT, Call, Done, Program, call, make_calls

pytestmark = pytest.mark.e2e

TWO = {"team.vega.yaml": DOCUMENT.replace("agents:\n", "agents:\n  other: {model: demo, system: Be other.}\n", 1)}
CALLS = {
    "talk": call("repl", stdin="yes or no\nsave it\nshow it\n/tools\n/cost\n/tree\nnot reached? yes or no"),
    "two": call(
        "repl",
        stdin="hello\n/ask other\nyes or no\n/save a\n"
        'writer <- "yes or no: {{a | upper}} {{b | default:none}}"\n/model demo\n'
        "run echo value='[1, 2]' --times 3\n/show nothing\n/retry\n/end\nnobody\n",
        files=TWO,
    ),
    "built in": call("repl", files={}, stdin="search for Go releases\n/quit\nunheard"),
    "a slip": call("repl", stdin="/hlep\n/ask wirter\n/run wirte x\nrun write\n/model\n"),
    "exporting": call(
        "repl",
        stdin="/export a.md\nyes or no\n/export a.md\n/export a.md\n/export a.json\n/export ../b.md\n"
        "/export a.txt\n/edit\n",
    ),
    "failing": call("repl", stdin="fail\nyes or no\n"),
    "no file": call("repl", "none.vega.yaml"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the calls are made, each in a directory of its name."""
    return tmp_path_factory.mktemp("repl")


@pytest.fixture(scope="module")
def done(folder: Path, program: Program) -> dict[str, Done]:
    calls: dict[str, Call] = CALLS
    return make_calls(calls, folder, program)


def test_a_sole_agent_is_talked_to_and_words_are_obeyed(done: dict[str, Done]) -> None:
    found = done["talk"]
    assert found.code == 0, found.err
    lines = found.out.split("\n")
    assert lines[:4] == ["yes", "saved it", "yes", "  writer: no tools"]
    assert "  total: $0.0000" in lines
    assert "writer (running, " in found.out
    assert lines[-2:] == ["yes", ""]
    assert "\x1b" not in found.out + found.err


def test_agents_are_chosen_variables_filled_in_and_workflows_run(done: dict[str, Done]) -> None:
    found = done["two"]
    assert found.out.startswith("yes\nsaved a\nyes\nother goes on with demo\n{")
    assert '"times":3' in found.out
    assert "hint: choose one with /ask AGENT: mother, hermes, other, writer" in found.err
    assert "there is no variable 'nothing'\nhint: the variables are: a" in found.err
    assert found.err.count("no agent is chosen") == 2
    assert found.code == 2


def test_the_built_in_assistant_calls_a_tool(done: dict[str, Done]) -> None:
    assert done["built in"].code == 0
    assert "· web_search" in done["built in"].err
    assert "unheard" not in done["built in"].out


@pytest.mark.parametrize("hint", ["mean 'help'?", "mean 'writer'?", "mean 'write'?", "--task TASK"])
def test_a_slip_is_answered_with_what_was_meant(done: dict[str, Done], hint: str) -> None:
    assert hint in done["a slip"].err
    assert done["a slip"].code == 2


def test_a_conversation_is_written_to_a_file_of_this_directory_over_no_other(
    done: dict[str, Done], folder: Path
) -> None:
    found = done["exporting"]
    assert found.out == "yes\nwritten to a.md\nwritten to a.json\n"
    for told in ("no conversation yet", "a.md is there already", "'../b.md' lies outside", "'a.txt' is neither"):
        assert told in found.err
    assert "/edit needs a terminal" in found.err
    written = (folder / "exporting" / "a.md").read_text()
    assert "\nyes or no\n\n## writer, " in written
    assert written.endswith("\n\nyes\n")
    whole = json.loads((folder / "exporting" / "a.json").read_text())
    assert whole["agent"] == "writer"
    assert [each["content"] for each in whole["messages"]] == ["yes or no", "yes"]
    assert whole["messages"][1]["parts"] == [{"type": "text", "text": "yes"}]


def test_a_failed_turn_is_the_exit_code_and_the_rest_goes_on(done: dict[str, Done]) -> None:
    assert done["failing"].code == 1
    assert done["failing"].out.endswith("yes\n")
    assert done["no file"].code == 2

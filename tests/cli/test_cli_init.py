"""`vega init` writes a document that can be used, and overwrites nothing."""

from __future__ import annotations

import json

import pytest
from cli_shell import DOCUMENT, Call, Done, Program, Shell, call, make_calls

from vega_trio.cli.init import write_template

pytestmark = pytest.mark.e2e

CALLS: dict[str, Call] = {
    "here": call("init", files={}),
    "new directory": call("init", "a/b", "--json", files={}),
    "taken": call("init", files={"team.vega.yaml": DOCUMENT}),
    "another": call("init", files={"other.vega.yaml": DOCUMENT}),
    "a blank": call("init", "my team", files={}),
    "a file": call("init", "file", files={"file": "x"}),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, program: Program) -> tuple[dict[str, Done], Shell]:
    folder = tmp_path_factory.mktemp("calls")
    return make_calls(CALLS, folder, program), Shell(folder)


def test_the_document_is_written_where_it_was_asked_for(made: tuple[dict[str, Done], Shell]) -> None:
    done, shell = made
    assert (done["here"].code, done["here"].out) == (0, "Written: team.vega.yaml\n")
    assert "vega validate team.vega.yaml" in done["here"].err
    assert shell.read("here/team.vega.yaml").startswith("# ")
    assert "vega validate 'my team/team.vega.yaml'\n" in done["a blank"].err
    assert json.loads(done["new directory"].out) == {"file": "a/b/team.vega.yaml"}
    assert (shell.cwd / "new-directory/a/b/team.vega.yaml").is_file()


@pytest.mark.parametrize(("name", "file"), [("taken", "team.vega.yaml"), ("another", "other.vega.yaml")])
def test_nothing_is_overwritten(made: tuple[dict[str, Done], Shell], name: str, file: str) -> None:
    done, shell = made
    assert (done[name].code, done[name].out) == (1, "")
    assert done[name].err.startswith(f"error: {file} is there already; nothing was written\nhint: ")
    assert [each.name for each in (shell.cwd / name).glob("*.vega.yaml")] == [file]
    assert shell.read(f"{name}/{file}") == DOCUMENT


def test_a_file_cannot_be_the_directory(made: tuple[dict[str, Done], Shell]) -> None:
    assert (made[0]["a file"].code, made[0]["a file"].err.count("file/team.vega.yaml cannot be written")) == (1, 1)


def test_the_document_is_valid_without_a_warning_and_runs_dry(vega: Shell) -> None:
    write_template(vega.cwd / "new")
    process = vega.start("validate", "new/team.vega.yaml", "--strict")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, b"Valid: new/team.vega.yaml\n", b"")
    process = vega.start("run", "new/team.vega.yaml", "--task", "x", "--dry-run")
    assert b"at most 200 words about: x" in process.communicate(timeout=60)[0]
    assert process.returncode == 0

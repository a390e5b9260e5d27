"""What `vega completion` lets a shell offer behind Tab."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_shell import DOCUMENT, Shell
from click.shell_completion import CompletionItem

from vega_trio.cli.main import root
from vega_trio.cli.shells import completion
from vega_trio.dsl.explain import EXPLANATIONS


def offered(*words: str, shell: str = "bash") -> list[CompletionItem[str]]:
    """What is offered for the last word."""
    return completion(shell, root()).get_completions(list(words[:-1]), words[-1])


def values(*words: str) -> list[str]:
    return [each.value for each in offered(*words)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "team.vega.yaml").write_text(DOCUMENT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["vali"], ["validate"]),
        (["-q", "--home", "x", "vers"], ["version"]),
        (["run", "--dry"], ["--dry-run"]),
        (["run", "--workflow", ""], ["write", "echo"]),
        (["run", "team.vega.yaml", "--workflow=wr"], ["write"]),
        (["watch", "--task", "x", "--workflow", "e"], ["echo"]),
        (["run", "--ro"], ["--rounds"]),
        (["run", "--workflow", "echo", "--ti"], ["--timeout", "--times"]),
        (["run", "--rounds", "2", "--val"], ["--value"]),
        (["run", "--task"], ["--task"]),
        (["run", "--output", "j"], ["json"]),
        (["chat", ""], ["writer"]),
        (["chat", "--file", "team.vega.yaml", "w"], ["writer"]),
        (["show", "agent", ""], ["writer"]),
        (["show", "workflow", ""], ["write", "echo"]),
        (["list", "w"], ["workflows"]),
        (["serve", "--model", "de"], ["demo"]),
        (["--log-format", "j"], ["json"]),
        (["explain", "v00"], [code for code in EXPLANATIONS if code.startswith("V00")]),
        (["keys", "set", "an"], ["anthropic"]),
        (["models", "pull", ""], ["smollm2"]),
        (["mcp", "test", "sq"], ["sqlite"]),
        (["help", "keys", ""], ["list", "set"]),
        (["help", "nonsense", ""], []),
    ],
    ids=lambda each: " ".join(each),
)
def test_a_value_is_completed_with_what_it_may_be(words: list[str], expected: list[str], folder: Path) -> None:
    assert values(*words) == expected


def test_a_shell_is_never_told_of_a_mistake(folder: Path) -> None:
    assert offered("nonsense", "x", "y") == []
    assert values("run", "--workflow", "nobody", "--no-such", "x", "--ta") == ["--task"]
    assert offered("show", "nobody", "") == []
    (folder / "team.vega.yaml").write_text("agents: 1\n")
    assert offered("run", "--workflow", "") == []
    assert [each.type for each in offered("chat", "")] == ["file"]
    (folder / "team.vega.yaml").unlink()
    assert offered("run", "--workflow", "") == []


def test_whatever_takes_a_path_is_completed_with_paths(folder: Path) -> None:
    for words in (["run"], ["serve"], ["validate"], ["mcp", "import"], ["skills", "check"], ["serve", "--db"]):
        assert [(each.type, each.value) for each in offered(*words, "te")] == [("file", "te")], words
    assert [each.type for each in offered("list", "agents", "")] == ["file"]
    assert [each.type for each in offered("--home", "")] == ["dir"]
    assert [each.type for each in offered("init", "")] == ["dir"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_that_has_an_option_and_its_value_as_one_word_gets_both(shell: str, folder: Path) -> None:
    assert [each.value for each in offered("run", "--workflow=wr", shell=shell)] == ["--workflow=write"]
    assert [each.value for each in offered("run", "--workflow", "wr", shell=shell)] == ["write"]


def test_bash_gets_the_value_alone_where_it_has_split_at_the_sign(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for typed, at in (("vega run --workflow = wr", 4), ("vega run --workflow =", 3), ("vega run --workflow wr", 3)):
        monkeypatch.setenv("COMP_WORDS", typed)
        monkeypatch.setenv("COMP_CWORD", str(at))
        assert completion("bash", root()).complete().splitlines()[0] == "plain,write", typed


@pytest.mark.e2e
def test_bash_takes_the_script_and_completes_by_it(vega: Shell) -> None:
    script = f"""
        printf '#!/bin/sh\\nexec "{sys.executable}" -m vega_trio "$@"\\n' > vega && chmod +x vega && PATH="$PWD:$PATH"
        eval "$(vega completion bash)"
        COMP_WORDS=(vega run --workflow wr) COMP_CWORD=3
        _vega_completion vega && echo "${{COMPREPLY[@]}}"
        complete -p vega
    """
    done = subprocess.run(["bash", "-c", script], cwd=vega.cwd, env=vega.env(), capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("write\ncomplete -o nosort -F _vega_completion vega\n", "")

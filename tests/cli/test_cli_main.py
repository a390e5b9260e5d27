from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vega_trio._version import __version__
from vega_trio.cli.main import COMMANDS, invoke

NO_JSON = frozenset({"serve", "repl", "help", "completion", "schema"})
"""They serve or talk, or print a script, or JSON and nothing else."""
PACKAGE_ROOT = Path(__file__).parents[2]


def test_bare_vega_says_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke([]) == 0
    assert "vega serve --demo" in capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(name in text and about in text for name, about in COMMANDS.items())


@pytest.mark.parametrize("args", [["help"], ["-h"], ["-q", "help"]])
def test_help_has_several_names(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(args) == 0
    assert capsys.readouterr().out.startswith("Usage: vega ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: vega {name} ")
    assert invoke(["help", name]) == 0
    assert capsys.readouterr().out.strip() == shown.strip()


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - NO_JSON))
def test_every_command_that_prints_data_prints_it_as_json_too(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke([name, "--help"]) == 0
    shown = capsys.readouterr().out
    if "\nCommands:\n" in shown:
        listing = next(word for word in ("list", "set", "config") if f"\n  {word} " in shown)
        assert invoke([name, listing, "--help"]) == 0
        shown = capsys.readouterr().out
    assert " --json " in shown


def test_version_is_text_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["version"]) == invoke(["--version"]) == 0
    assert capsys.readouterr().out == f"vega {__version__}\n" * 2
    assert invoke(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == __version__


@pytest.mark.parametrize(
    ("args", "error", "hint"),
    [
        (["rnu"], "no such command 'rnu'", "did you mean 'run'?"),
        (["validaet", "x"], "no such command 'validaet'", "did you mean 'validate'?"),
        (["zzz"], "no such command 'zzz'", "see vega --help"),
        (["help", "chta"], "no such command 'chta'", "did you mean 'chat'?"),
        (["models", "lst"], "no such command 'lst'", "did you mean 'list'?"),
        (["models"], "vega models needs a command", "see vega models --help"),
        (["version", "--jsn"], "no such option '--jsn'", "did you mean '--json'?"),
        (["--hom", "x", "version"], "no such option '--hom'", "did you mean '--home'?"),
        (["serve", "--adr", ":0"], "no such option '--adr'", "did you mean '--addr'?"),
        (["version", "more"], "got unexpected extra argument (more)", "see vega version --help"),
        (["-q", "-v", "version"], "-q and -v exclude each other", "see vega --help"),
        (["-q", "version", "-v"], "-q and -v exclude each other", "see vega version --help"),
        (["serve", "--demo", "--model", "x"], "--demo and --model x exclude each other", "see vega serve --help"),
        (["run", "--hepl"], "--hepl is neither an option nor an input", "did you mean --help?"),
        (["run", "a.yaml", "--task"], "--task needs a value", "write --task VALUE"),
        (["serve", "--addr"], "option '--addr' requires an argument", "see vega serve --help"),
        (["models", "pull", "--home"], "option '--home' requires an argument", "see vega models pull --help"),
        (["--home"], "option '--home' requires an argument", "see vega --help"),
        (["run", "a.yaml", "--language"], "--language needs a value", "write --language VALUE"),
    ],
)
def test_a_wrong_command_line_is_exit_2_with_a_remedy(
    args: list[str], error: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["--no-color", *args]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"error: {error}\nhint: {hint}\n"
    assert captured.out == ""


@pytest.mark.e2e
def test_nothing_but_click_is_loaded_before_a_command_is_chosen() -> None:
    code = (
        "import sys, vega_trio.cli.main as m; m.invoke(['--help']); "
        "print(sorted({'trio', 'attrs', 'attr', 'ruamel', 'msgspec', 'rich', 'cattrs'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=PACKAGE_ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.e2e
def test_help_answers_within_150_ms_of_processor_time() -> None:
    def seconds() -> float:
        child = subprocess.Popen(
            [sys.executable, "-m", "vega_trio", "--help"], cwd=PACKAGE_ROOT, stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0
        return usage.ru_utime + usage.ru_stime

    assert min(seconds() for _ in range(3)) <= 0.15


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("stdout", "code", "error"), [("/dev/full", 1, "error: stdout: No space left on device\n"), ("-", 0, "")]
)
def test_a_stdout_that_takes_nothing_is_told_in_one_line(stdout: str, code: int, error: str) -> None:
    shell = f"{sys.executable} -m vega_trio version >{'&-' if stdout == '-' else stdout}"
    done = subprocess.run(["sh", "-c", shell], cwd=PACKAGE_ROOT, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (code, error)


@pytest.mark.e2e
def test_a_reader_that_has_gone_is_no_reason_to_complain() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "vega_trio", "version"]
    done = subprocess.run(command, cwd=PACKAGE_ROOT, stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (1, "")

"""Every snippet of the README and the documentation runs as it stands, and what they link to is there.

A snippet that cannot be run has `<!-- not run: REASON -->` above it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from deadline import deadline
from doc_snippets import ROOT, RUN, SHOWN, Snippet, pages, runnable, snippets
from ruamel.yaml import YAML

from vega_trio.app.disk import Disk
from vega_trio.cli.main import root
from vega_trio.dsl.parse import parse_text

LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
LASTING = ("vega serve", "vega repl", "vega top", "vega watch", "vega mcp serve")
"""Commands that go on until somebody ends them: their words are parsed, and other tests run them."""
LONGEST_S = 60.0
"""For one snippet; on an idle machine each takes a second or two."""

by_place = pytest.mark.parametrize


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory to be in, with a home of its own and without keys."""
    path, modules = list(sys.path), set(sys.modules)
    for name in list(os.environ):
        if name.startswith(("ANTHROPIC_", "OPENAI_", "VEGA_", "TELEGRAM_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.e2e
@by_place("snippet", runnable("python"), ids=lambda each: each.place)
def test_the_program_runs_and_prints_what_it_says(
    snippet: Snippet, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = compile(snippet.text, snippet.place, "exec")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with deadline(LONGEST_S):
            exec(code, {"__name__": "__main__"})
    printed = capfd.readouterr().out
    for expected in re.findall(r"print\(.*?\)  # (.+)", snippet.text):
        assert expected.partition("... ")[2] in printed if "..." in expected else expected in printed


@by_place("snippet", runnable("yaml"), ids=lambda each: each.place)
def test_the_document_is_valid_without_a_warning(snippet: Snippet) -> None:
    document = YAML(typ="safe", pure=True).load(snippet.text)
    document.setdefault("agents", {"helper": {"system": "You help."}})  # where only settings are shown
    document.setdefault("settings", {}).setdefault("default_model", "demo")
    parsed = parse_text(json.dumps(document).encode(), snippet.place, Disk(), env={"DOCS_TOKEN": "x"})
    assert parsed.warnings == ()


@by_place("snippet", runnable("json"), ids=lambda each: each.place)
def test_the_json_can_be_read(snippet: Snippet) -> None:
    for line in snippet.text.splitlines() if snippet.text.count("\n{") else [snippet.text]:
        json.loads(line)


@by_place("snippet", runnable("toml"), ids=lambda each: each.place)
def test_the_toml_can_be_read(snippet: Snippet) -> None:
    assert tomllib.loads(snippet.text)


@pytest.mark.e2e
@by_place("snippet", runnable("sh"), ids=lambda each: each.place)
def test_the_commands_succeed(snippet: Snippet, folder: Path) -> None:
    (folder / "examples").symlink_to(ROOT / "examples")
    readme = next(each.text for each in snippets() if (each.page, each.language) == ("README.md", "yaml"))
    (folder / "team.vega.yaml").write_text(readme)
    lines = snippet.text.replace("\\\n", "").splitlines()
    for line in lines:
        if line.startswith(LASTING):
            _parse(line.partition("#")[0].split()[1:])
    script = "\n".join(line for line in lines if not line.startswith(LASTING))
    bin_folder = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
    assert done.returncode == 0, done.stderr


def _parse(words: list[str]) -> None:
    """Raises: click.ClickException, for a command or an option that is not there."""
    with root().make_context("vega", list(words)) as context:
        name, command, rest = root().resolve_command(context, words)
        assert command is not None
        command.make_context(name, rest, parent=context)


def test_a_snippet_that_does_not_end_is_interrupted() -> None:
    with pytest.raises(TimeoutError, match=r"not done after 0\.05 s"), deadline(0.05):
        trio.run(trio.sleep_forever)


def test_every_snippet_has_a_language_and_is_run_or_says_why_not() -> None:
    for each in snippets():
        assert each.language in RUN | SHOWN, f"{each.place}: name the language, or say text"
        assert not each.reason or each.language in RUN, f"{each.place}: text is never run"


def test_every_link_within_the_project_leads_somewhere() -> None:
    for page in pages():
        assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == [], page


def test_every_page_is_linked_from_another() -> None:
    entries = {ROOT / "README.md", ROOT / "docs" / "index.md"}
    linked = {
        (page.parent / link).resolve()
        for page in pages()
        for link in LINK.findall(page.read_text())
        if (page.parent / link).resolve() != page
    }
    assert sorted(str(page) for page in {*pages()} - entries - linked) == []


def test_every_test_that_is_named_is_there() -> None:
    for page in pages():
        for file, name in re.findall(r"`([\w/]+\.py)::(\w+)`", page.read_text()):
            assert f"def {name}(" in (ROOT / "tests" / file).read_text(), f"{page}: {file}::{name}"


def test_every_variable_of_the_environment_is_documented() -> None:
    """Those that only tests read have no name in the package but in `testing`."""
    named = re.compile(r'"((?:VEGA|ANTHROPIC|OPENAI|BRAVE|TELEGRAM|OTEL)_[A-Z_]*[A-Z])_?"')
    used = {name for file in (ROOT / "vega_trio").rglob("*.py") for name in named.findall(file.read_text())}
    said = (ROOT / "docs" / "configuration.md").read_text()
    assert sorted(name for name in used - {"VEGA_SEEDS"} if name not in said) == []

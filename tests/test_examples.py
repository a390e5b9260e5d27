"""Every example runs as its first lines say, on the demo model, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from vega_trio.dsl.editor_schema import json_schema
from vega_trio.dsl.filters import FILTERS
from vega_trio.dsl.words import BUILTIN_VARIABLES, STEP_WORDS

EXAMPLES = Path(__file__).parent.parent / "examples"
ALL = EXAMPLES / "all-constructs.vega.yaml"
VEGA = Path(sys.executable).with_name("vega")

pytestmark = pytest.mark.e2e


def run(home: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("VEGA_", "ANTHROPIC_"))}
    return subprocess.run(
        [str(word) for word in command],
        env={**env, "VEGA_HOME": str(home), "NO_COLOR": "1"},
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.vega.yaml")), ids=lambda path: path.name)
def test_every_document_is_valid_without_a_warning(path: Path, tmp_path: Path) -> None:
    done = run(tmp_path, VEGA, "validate", path, "--strict")
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "Valid"), done.stderr


def test_code_review_writes_reviews_and_improves(tmp_path: Path) -> None:
    path = EXAMPLES / "code-review.vega.yaml"
    task = "Write a binary search function"
    done = run(tmp_path, VEGA, "run", path, "--workflow", "review", "--task", task, "--model", "demo")
    assert done.returncode == 0, done.stderr
    assert "def binary_search(items, target):" in done.stdout
    assert "review/2" in done.stderr
    assert "review/2" not in done.stdout


def test_tools_demo_calls_its_tools_and_survives_the_one_that_fails(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    path = folder / "tools-demo.vega.yaml"
    path.write_text((EXAMPLES / path.name).read_text())
    done = run(tmp_path, VEGA, "run", path, "--text", "one two three", "--model", "demo")
    assert done.returncode == 0, done.stderr
    assert "`word_count` answered: 3" in done.stdout
    assert "3 words were counted" in (folder / "workspace" / "notes" / "words.md").read_text()
    assert "`fetch_status` did not work: Error: " in done.stdout


def test_simple_agent_answers(tmp_path: Path) -> None:
    path = EXAMPLES / "simple-agent.vega.yaml"
    done = run(tmp_path, VEGA, "chat", "--file", path, "-p", "hello", "--model", "demo")
    assert done.returncode == 0, done.stderr
    assert "demo model" in done.stdout


def test_library_shows_an_answer_a_tool_and_a_recovery(tmp_path: Path) -> None:
    done = run(tmp_path, sys.executable, EXAMPLES / "library.py", "--model", "demo")
    assert (done.returncode, done.stderr) == (0, "")
    for said in ("Hello, {name}!", "[= 6 in ", "[crashed: DemoCrash: asked to crash]", "[restarted as incarnation 2"):
        assert said in done.stdout


def test_skills_demo_reads_a_skill_and_lists_what_each_agent_has(tmp_path: Path) -> None:
    path = EXAMPLES / "skills-demo.vega.yaml"
    done = run(tmp_path, VEGA, "run", path, "--workflow", "look", "--model", "demo")
    assert done.returncode == 0, done.stderr
    assert "`load_skill` answered: Group the changes under Added, Changed and Fixed." in done.stdout
    listed = run(tmp_path, VEGA, "skills", "list", "-f", path)
    assert [line.split("\t")[0] for line in listed.stdout.splitlines()] == [
        "code-review",
        "house-style",
        "release-notes",
    ]
    checked = run(tmp_path, VEGA, "skills", "check", "-f", path)
    assert (checked.returncode, checked.stdout) == (0, "3 skills, 0 that cannot be used\n")


def test_dev_team_hands_both_sides_to_its_developers_and_reports(tmp_path: Path) -> None:
    done = run(tmp_path, VEGA, "run", EXAMPLES / "dev-team.vega.yaml", "--task", "yes or no", "--model", "demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "yes\n"
    for step in ("build/0", "build/1", "build/2"):
        assert step in done.stderr


def test_dev_team_shows_its_delegates_below_the_architect(tmp_path: Path) -> None:
    document, database = EXAMPLES / "dev-team.vega.yaml", tmp_path / "team.db"
    task = ("--task", "A page that shows the weather", "--db", database)
    done = run(tmp_path, VEGA, "run", document, *task, "--model", "demo")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT id, agent, parent_id, spawn_reason, status FROM process").fetchall()
    architect = next(row[0] for row in rows if row[1] == "Architect")
    delegates = {(agent, reason, status) for _, agent, parent, reason, status in rows if parent == architect}
    assert delegates == {
        ("Frontend", "delegated by Architect", "completed"),
        ("Backend", "delegated by Architect", "completed"),
    }


def test_supervision_demo_recovers_and_catches(tmp_path: Path) -> None:
    done = run(tmp_path, VEGA, "run", EXAMPLES / "supervision-demo.vega.yaml", "--model", "demo", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert "the same turn went on" in result.pop("recovered")
    assert result == {"caught": "invalid_request", "replaced": "yes", "ignored": "failed"}


def test_control_flow_goes_through_every_block(tmp_path: Path) -> None:
    path = EXAMPLES / "control-flow.vega.yaml"
    topics = ("--topics", "yes or no, yes or no")
    done = run(tmp_path, VEGA, "run", path, "--workflow", "report", *topics, "--model", "demo", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result.pop("summary").startswith("For “Write a summary of yes”")
    assert result == {"title": "yes", "enough": "yes", "texts": ["yes", "yes"]}


def test_all_constructs_gives_every_value(tmp_path: Path) -> None:
    path = EXAMPLES / "all-constructs.vega.yaml"
    words = ("run", path, "--workflow", "everything", "--task", "hello")
    done = run(tmp_path, VEGA, *words, "--model", "demo", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    result.pop("language")
    assert result == {
        "draft": "yes",
        "first": "completed in everything",
        "note": "short",
        "answers": "yes;yes;yes",
        "edges": '3-1, ["a"," b "], 1',
        "last": "bob is 7 (bob)",
        "counts": "5 1 1 3 7 1.5",
        "parsed": '[1] {"a":1}',
        "chosen": "many",
        "round": 2,
        "both": ["yes", "yes"],
        "why": "invalid_request",
        "failed": "it failed",
        "part": "yes21!",
        "known": True,
        "result": "yes21!, no item",
        "parts": "first + second + third when ready",
    }
    assert (tmp_path / "memory.db").exists()
    rehearsed = run(tmp_path, VEGA, *words, "--dry-run")
    assert rehearsed.returncode == 0, rehearsed.stderr


def test_all_constructs_has_every_word_filter_and_variable_and_fits_the_schema() -> None:
    text = ALL.read_text()
    assert [word for word in STEP_WORDS if not re.search(rf"\b{word}\b", text)] == []
    assert [name for name in FILTERS if not re.search(rf"\| ?{name}\b", text)] == []
    assert [name for name in BUILTIN_VARIABLES if not re.search(rf"\{{\{{[^}}]*\b{name}\b", text)] == []
    errors = jsonschema_rs.validator_for(json_schema()).iter_errors(YAML(typ="safe", pure=True).load(text))
    assert [f"{error.instance_path}: {error.message}" for error in errors] == []


def test_all_constructs_has_every_key_of_the_schema() -> None:
    schema = json_schema()
    keys, used = set(all_keys(schema)), set(used_keys(schema, YAML(typ="safe", pure=True).load(ALL.read_text())))
    assert keys - used == {("", "channels"), ("", "company")}  # which are ignored


def all_keys(part: Any, kind: str = "") -> Iterator[tuple[str, str]]:
    """(the definition of the schema it belongs to, key) of every key that a mapping may have."""
    if isinstance(part, list):
        for each in part:
            yield from all_keys(each, kind)
    elif isinstance(part, dict):
        yield from ((kind, key) for key in part.get("properties", ()))
        for word, each in part.items():
            if word == "$defs":
                for name, definition in each.items():
                    yield from all_keys(definition, name)
            else:
                yield from all_keys(list(each.values()) if word == "properties" else each, kind)


def used_keys(schema: Any, value: Any) -> Iterator[tuple[str, str]]:
    """Those of the keys that a document has, read as the schema reads it."""
    return _used(schema["$defs"], schema, value, "")


def _used(defs: Any, part: Any, value: Any, kind: str) -> Iterator[tuple[str, str]]:
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        yield from _used(defs, defs[name], value, name)
    for each in part.get("anyOf", ()):
        if jsonschema_rs.validator_for({**each, "$defs": defs}).is_valid(value):
            yield from _used(defs, each, value, kind)
    if isinstance(value, list) and "items" in part:
        for each in value:
            yield from _used(defs, part["items"], each, kind)
    if isinstance(value, dict):
        for key, each in value.items():
            if key in part.get("properties", {}):
                yield kind, key
            for inner in _parts_for(part, key):
                yield from _used(defs, inner, each, kind)


def _parts_for(part: Any, key: str) -> list[Any]:
    """What a schema says of the value of a key."""
    if key in part.get("properties", {}):
        return [part["properties"][key]]
    by_pattern = [each for pattern, each in part.get("patternProperties", {}).items() if re.search(pattern, key)]
    others = part.get("additionalProperties")
    return by_pattern or ([others] if isinstance(others, dict) else [])

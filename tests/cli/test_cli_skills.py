"""`vega skills`: what is there, what is wrong, and what somebody has looked at."""

from __future__ import annotations

import json

import pytest
from cli_shell import Done, Shell

pytestmark = pytest.mark.e2e


def run(vega: Shell, *args: str) -> Done:
    process = vega.start(*args)
    out, err = process.communicate(timeout=60)
    return Done(process.returncode, out.decode(), err.decode())


def test_skills_of_the_home_are_checked_and_trusted(vega: Shell) -> None:
    vega.write("home/skills/fetched.skill.md", "---\nname: fetched\ndescription: From afar.\n---\nDo it.\n")
    vega.write(".claude/skills/bad/SKILL.md", "nothing")
    listed = run(vega, "skills", "list")
    assert listed.out.startswith("fetched\tFrom afar.\t")
    assert "vega skills check --trust" in listed.out
    checked = run(vega, "skills", "check")
    assert (checked.code, "not trusted: fetched" in checked.out, "no front matter" in checked.err) == (1, True, True)
    trusted = json.loads(run(vega, "skills", "check", "--trust", "--json").out)
    assert (trusted["trusted"], trusted["untrusted"], len(trusted["problems"])) == (1, [], 1)
    assert json.loads(run(vega, "skills", "list", "--json").out)["trusted"] is True


def test_a_directory_of_skills_is_checked_without_a_document(vega: Shell) -> None:
    vega.write("fetched/one/SKILL.md", "---\nname: one\ndescription: d\n---\nDo it.\n")
    listed = run(vega, "skills", "list", "fetched")
    assert listed.out.startswith("one\td\tfetched/one/SKILL.md\tnot trusted")
    checked = run(vega, "skills", "check", "fetched", "--trust")
    assert (checked.code, checked.out.splitlines()[0]) == (0, "trusted now: one (fetched/one/SKILL.md)")
    assert "not trusted" not in run(vega, "skills", "list", "fetched").out

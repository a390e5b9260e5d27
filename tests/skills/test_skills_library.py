"""Skill files: what is one, where they are found, and what is left out."""

from __future__ import annotations

import contextlib
import os
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vega_trio as vega
from vega_trio.skills.library import load_library
from vega_trio.skills.parse import MAX_BYTES, BadSkill, parse_skill

REVIEW = """---
name: code-review
description: Expert code review guidance
tags: [code, review]
tools: [read_file]
mcp: [github]
license: MIT
triggers:
  - type: keyword
    keywords: [review, PR, pull request, code review]
  - type: pattern
    pattern: "review (this|my) (code|changes)"
---

# Code Review Expert

When reviewing code, focus on security.
"""


def write(path: Path, text: str = "---\ndescription: d\n---\nbody\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_as_the_readme_shows_it_is_read_whole() -> None:
    skill = parse_skill(REVIEW.encode(), Path("skills/code-review.skill.md"))
    assert (skill.name, skill.description) == ("code-review", "Expert code review guidance")
    assert (skill.tags, skill.tools, skill.mcp) == (("code", "review"), ("read_file",), ("github",))
    assert skill.body.startswith("# Code Review Expert\n\nWhen")
    assert skill.score("review this code, a PR") == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# no front matter", "no front matter"),
        ("---\nname: x\n", "no front matter"),
        ("---\n- a\n---\n", "no mapping"),
        ("---\na: [\n---\n", "front matter"),
        ("---\nname: x\n---\n", "no 'description'"),
        ("---\nname: " + "x" * 65 + "\ndescription: d\n---\n", "must be 1 to 64"),
        ("---\nname: ../../etc\ndescription: d\n---\n", "must be 1 to 64"),
        ("---\nname: x\ndescription: " + "d" * 1025 + "\n---\n", "1,024 is the most"),
        ("---\ndescription: d\ntriggers: always\n---\n", "must be a list"),
        ("---\ndescription: d\ntriggers: [{type: magic}]\n---\n", "not 'magic'"),
        ("---\ndescription: d\ntriggers: [{type: keyword}]\n---\n", "needs 'keywords'"),
        ("---\ndescription: d\ntriggers: [{type: pattern}]\n---\n", "needs a 'pattern'"),
        ("---\ndescription: d\ntags: {a: b}\n---\n", "list of texts"),
        ("---\ndescription: !!python/object:os.system d\n---\n", "front matter"),
        ("---\na: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [" + "*b," * 200 + "*b]\n---\n", "alias"),
    ],
)
def test_what_is_no_skill_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(BadSkill, match=message):
        parse_skill(text.encode(), Path("x.skill.md"))


def test_a_file_that_is_too_large_or_no_text_is_refused() -> None:
    with pytest.raises(BadSkill, match="is the most"):
        parse_skill(b"-" * (MAX_BYTES + 1), Path("x.skill.md"))
    with pytest.raises(BadSkill, match="UTF-8"):
        parse_skill(b"---\n\xff", Path("x.skill.md"))


@given(st.binary(max_size=400))
def test_no_bytes_do_anything_but_parse_or_be_refused(data: bytes) -> None:
    with contextlib.suppress(BadSkill):
        parse_skill(b"---\n" + data, Path("x.skill.md"))


def test_the_three_kinds_of_files_are_found_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "one.skill.md")
    write(tmp_path / "skill.md")
    write(tmp_path / "deep" / "SKILL.md")
    write(tmp_path / "README.md")
    write(tmp_path / "deep" / "deeper" / "SKILL.md")
    os.mkfifo(tmp_path / "pipe.skill.md")
    library = load_library([tmp_path, tmp_path / "nosuch"])
    assert [each.name for each in library.skills] == ["one", tmp_path.name, "deep"]
    assert library.problems == ()


def test_a_bad_file_is_reported_and_the_others_count(tmp_path: Path) -> None:
    write(tmp_path / "good.skill.md")
    bad = write(tmp_path / "bad.skill.md", "nothing")
    library = load_library([tmp_path])
    assert [each.name for each in library.skills] == ["good"]
    assert [(each.path, "front matter" in each.message) for each in library.problems] == [(bad, True)]


def test_of_two_skills_of_a_name_the_first_directorys_counts(tmp_path: Path) -> None:
    first = write(tmp_path / "a" / "x.skill.md")
    second = write(tmp_path / "b" / "x.skill.md")
    library = load_library([tmp_path / "a", tmp_path / "b", tmp_path / "a"])
    assert [each.path for each in library.skills] == [first]
    assert [each.path for each in library.problems] == [second]


def test_what_is_excluded_is_out_even_where_it_is_included(tmp_path: Path) -> None:
    for name in ("security-a", "security-b", "old-c", "other"):
        write(tmp_path / f"{name}.skill.md")
    library = load_library([tmp_path])
    names = [each.name for each in library.chosen(["security-*", "old-*"], ["old-*", "*-b"])]
    assert names == ["security-a"]
    assert len(library.chosen()) == 4


def test_an_untrusted_skill_is_never_chosen(tmp_path: Path) -> None:
    write(tmp_path / "x.skill.md")
    library = load_library([tmp_path], trust=lambda skill: False)
    assert len(library.skills) == 1
    assert library.chosen() == ()


async def test_a_skill_without_triggers_is_listed_and_read_with_a_tool(tmp_path: Path) -> None:
    write(tmp_path / "pdf" / "SKILL.md", "---\nname: pdf\ndescription: Fills forms.\n---\nUse the form tool.\n")
    prompt = vega.SkillsPrompt("base", directories=[tmp_path], max_active=3)
    assert prompt.prompt("hello") == (
        "base\n\n# Skills\n\nRead one with load_skill before you do what it is for:\n- pdf: Fills forms."
    )
    (tool,) = prompt.tools
    assert tool.spec.name == "load_skill"
    assert await tool.call({"name": "pdf"}, None) == "Use the form tool."  # type: ignore[arg-type]
    with pytest.raises(vega.ToolRetry, match="did you mean 'pdf'"):
        await tool.call({"name": "pdff"}, None)  # type: ignore[arg-type]


async def test_the_files_of_a_skills_folder_are_listed_and_read_one_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "all" / "pdf"
    write(folder / "SKILL.md", "---\ndescription: Reads PDFs.\n---\nSee references/forms.md.\n")
    write(folder / "references" / "forms.md", "# Forms")
    write(folder / "scripts" / "fill.py", "print(1)")
    write(folder / ".git" / "config", "hidden")
    (folder / "logo.png").write_bytes(b"\x89PNG\xff")
    write(tmp_path / "secret.txt", "secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up").symlink_to(tmp_path)
    (tool,) = vega.SkillsPrompt("base", directories=[tmp_path / "all"]).tools
    read = partial(tool.call, context=None)  # type: ignore[arg-type]
    assert await read({"name": "pdf"}) == (
        "See references/forms.md.\n\nIts files, to be read with load_skill:\n- references/forms.md\n- scripts/fill.py"
    )
    assert await read({"name": "pdf", "file": "references/forms.md"}) == "# Forms"
    for name in ("link.txt", "up/secret.txt", "../../secret.txt", "/etc/passwd", "SKILL.md", "logo.png", ".git/config"):
        with pytest.raises(vega.ToolRetry, match="has no file"):
            await read({"name": "pdf", "file": name})


async def test_an_active_skill_names_its_files_and_they_can_be_read(tmp_path: Path) -> None:
    write(tmp_path / "a" / "SKILL.md", "---\ndescription: d\ntriggers: [always]\n---\nbody\n")
    write(tmp_path / "a" / "more.md", "more")
    prompt = vega.SkillsPrompt("base", directories=[tmp_path])
    assert "- more.md" in prompt.prompt("hi")
    assert await prompt.tools[0].call({"name": "a", "file": "more.md"}, None) == "more"  # type: ignore[arg-type]


def test_any_change_of_a_file_is_a_change_of_the_skill(tmp_path: Path) -> None:
    write(tmp_path / "a" / "SKILL.md")
    (bare,) = load_library([tmp_path]).skills
    write(tmp_path / "a" / "x.md", "1")
    (first,) = load_library([tmp_path]).skills
    write(tmp_path / "a" / "x.md", "2")
    (second,) = load_library([tmp_path]).skills
    assert len({bare.digest, first.digest, second.digest}) == 3


def test_what_is_too_much_of_a_folder_is_left_out_and_said(tmp_path: Path) -> None:
    write(tmp_path / "a" / "SKILL.md")
    write(tmp_path / "a" / "large.md", "x" * (64 * 1024 + 1))
    for number in range(101):
        write(tmp_path / "a" / f"n{number:03}.md", "x")
    library = load_library([tmp_path])
    assert len(library.skills[0].files) == 100
    assert [each.message.partition(" is left out")[0] for each in library.problems] == [
        "its file 'large.md'",
        "its file 'n100.md' and those after it are left out: more than 100 or 1 MiB",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"include": "pdf-*"}, "lists of names, not the text 'pdf-*'"),
        ({"exclude": "pdf-*"}, "lists of names, not the text 'pdf-*'"),
        ({"directories": "skills"}, "directories must be a list, not 'skills'; write ['skills']"),
    ],
)
def test_a_text_in_the_place_of_a_list_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        vega.SkillsPrompt("base", **options)


def test_of_a_large_tree_no_more_than_two_thousand_files_are_looked_at(tmp_path: Path) -> None:
    write(tmp_path / "a" / "SKILL.md")
    write(tmp_path / "a" / "last.md", "x")
    for number in range(2000):
        (tmp_path / "a" / f".{number}").touch()
    (skill,) = load_library([tmp_path]).skills
    assert skill.files == {}
    (tmp_path / "a" / ".0").unlink()
    (tmp_path / "a" / ".1").unlink()
    (skill,) = load_library([tmp_path]).skills
    assert list(skill.files) == ["last.md"]


def test_a_large_file_counts_in_bytes_and_is_never_cut(tmp_path: Path) -> None:
    write(tmp_path / "a" / "SKILL.md")
    write(tmp_path / "a" / "long.md", "ß" * 40_000)  # 80,000 bytes
    write(tmp_path / "a" / "fits.md", "ß" * 32_768)
    library = load_library([tmp_path])
    assert {name: len(text) for name, text in library.skills[0].files.items()} == {"fits.md": 32_768}
    assert [each.message for each in library.problems] == ["its file 'long.md' is left out: more than 65,536 bytes"]


def _read_as_nobody(directory: Path) -> str:
    """What a user who is not root finds there; empty where that user does not reach it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setuid(65534)
        found = load_library([directory]) if os.access(directory, os.R_OK | os.X_OK) else None
        said = (
            "" if found is None else f"{[each.name for each in found.skills]} {[str(each) for each in found.problems]}"
        )
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        return answer.read()


def test_a_folder_that_we_may_not_enter_is_told_and_hides_no_other(tmp_path: Path) -> None:
    closed = write(tmp_path / "closed" / "SKILL.md")
    write(tmp_path / "open.skill.md")
    load_library([tmp_path])  # what is imported at the first use is, before the user is another
    for each in (tmp_path, *tmp_path.parents):
        if each == tmp_path or each.name.startswith(("pytest-", "popen-")):  # pytest's own, closed to others
            each.chmod(0o755)
    closed.parent.chmod(0)
    said = _read_as_nobody(tmp_path)
    closed.parent.chmod(0o755)
    if not said:
        pytest.skip("the temporary directory is closed to all but root")
    assert said == f"['open'] ['{closed}: it cannot be read: Permission denied']"

"""The file tools as a model calls them."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from vega_trio.errors import ToolError, ToolRetry
from vega_trio.protocols import Tool
from vega_trio.tools.files import file_tools, matches
from vega_trio.tools.sandbox import Sandbox

Call = Callable[..., Awaitable[str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


@pytest.fixture
def tools(root: Path) -> dict[str, Tool]:
    return {tool.spec.name: tool for tool in file_tools(Sandbox(root))}


def put(root: Path, **files: str | bytes) -> None:
    root.mkdir()
    for name, content in files.items():
        (root / name).write_bytes(content.encode() if isinstance(content, str) else content)


def test_the_tools_have_the_products_names_and_parameters(tools: dict[str, Tool]) -> None:
    shapes = {
        name: {each: each in tool.spec.parameters.get("required", ()) for each in tool.spec.parameters["properties"]}
        for name, tool in tools.items()
    }
    assert shapes == {
        "read_file": {"path": True, "offset": False, "limit": False},
        "write_file": {"path": True, "content": True},
        "append_file": {"path": True, "content": True},
        "edit_file": {"path": True, "old": True, "new": True},
        "list_files": {"path": False, "pattern": False, "recursive": False},
    }
    assert all(tool.spec.description for tool in tools.values())


async def test_what_is_written_appended_and_edited_is_read_back(tools: dict[str, Tool], call: Call) -> None:
    with trio.fail_after(30):
        assert await call(tools["write_file"], path="a/b.txt", content="grüß\n") == "wrote 7 bytes to a/b.txt"
        assert await call(tools["append_file"], path="a/b.txt", content="two\n") == (
            "appended 4 bytes to a/b.txt, which now has 11"
        )
        assert await call(tools["append_file"], path="new", content="x") == "appended 1 bytes to new, which now has 1"
        assert await call(tools["edit_file"], path="a/b.txt", old="two", new="2") == "edited a/b.txt"
        assert await call(tools["read_file"], path="a/b.txt") == "grüß\n2\n"


async def test_a_missing_file_and_an_escape_are_told_to_the_model(tools: dict[str, Tool], call: Call) -> None:
    with trio.fail_after(30):
        with pytest.raises(ToolError, match="'none': there is no such file or directory"):
            await call(tools["read_file"], path="none")
        for name, more in (
            ("read_file", {}),
            ("write_file", {"content": ""}),
            ("append_file", {"content": ""}),
            ("edit_file", {"old": "a", "new": "b"}),
            ("list_files", {}),
        ):
            with pytest.raises(ToolError, match=r"path escapes sandbox: '\.\./x'"):
                await call(tools[name], path="../x", **more)


async def test_an_edit_needs_exactly_one_match(tools: dict[str, Tool], call: Call) -> None:
    with trio.fail_after(30):
        await call(tools["write_file"], path="f", content="one two two")
        for old, message in (("two", "occurs 2 times"), ("three", "does not occur"), ("", "does not occur")):
            with pytest.raises(ToolRetry, match=message):
                await call(tools["edit_file"], path="f", old=old, new="x")
        assert await call(tools["read_file"], path="f") == "one two two"


async def test_appends_side_by_side_are_all_in_the_file(tools: dict[str, Tool], call: Call) -> None:
    async def append(number: int) -> None:
        await call(tools["append_file"], path="log", content=f"{number}\n")

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(append, number)
        text = await call(tools["read_file"], path="log")
    assert sorted(text.split()) == [str(number) for number in range(8)]


async def test_lines_are_read_from_an_offset_up_to_a_limit(tools: dict[str, Tool], call: Call) -> None:
    with trio.fail_after(30):
        await call(tools["write_file"], path="f", content="0\n1\n2\n3")
        assert await call(tools["read_file"], path="f", offset=1, limit=2) == "1\n2\n"
        assert await call(tools["read_file"], path="f", offset=3) == "3"
        assert await call(tools["read_file"], path="f", offset=9) == ""
        with pytest.raises(ToolRetry, match="'offset' must be at least 0"):
            await call(tools["read_file"], path="f", offset=-1)


async def test_a_long_file_is_cut_with_the_offset_to_go_on_from(root: Path, tools: dict[str, Tool], call: Call) -> None:
    lines = [f"line {number} é\n" for number in range(10_000)]
    put(root, long="".join(lines), wide="x" * 70_000)
    with trio.fail_after(5):
        text, _, note = (await call(tools["read_file"], path="long")).rpartition("\n")
        assert note.startswith("[output truncated: cut after 65,024 bytes of a file of ")
        offset = int(note.rpartition(" ")[2].rstrip("]"))
        assert "".join(lines).startswith(text)
        assert (await call(tools["read_file"], path="long", offset=offset)).startswith(lines[offset])
        assert (await call(tools["read_file"], path="wide")).endswith("its line is longer than can be shown]")


async def test_what_is_not_text_is_not_shown(root: Path, tools: dict[str, Tool], call: Call) -> None:
    put(root, binary=b"ok\xff")
    with trio.fail_after(5), pytest.raises(ToolError, match=r"'binary' is not UTF-8 text \(byte 2\)"):
        await call(tools["read_file"], path="binary")


async def test_a_listing_is_json_and_marks_directories(root: Path, tools: dict[str, Tool], call: Call) -> None:
    (root / "src" / "deep").mkdir(parents=True)
    for name in ("b.txt", "src/a.py", "src/deep/c.py"):
        (root / name).write_text("")
    with trio.fail_after(5):
        assert json.loads(await call(tools["list_files"])) == ["b.txt", "src/"]
        assert json.loads(await call(tools["list_files"], path="src")) == ["a.py", "deep/"]
        everything = json.loads(await call(tools["list_files"], recursive=True))
        assert everything == ["b.txt", "src/", "src/a.py", "src/deep/", "src/deep/c.py"]
        found = await call(tools["list_files"], recursive=True, pattern="*.py")
        assert json.loads(found) == ["src/a.py", "src/deep/c.py"]


async def test_a_name_that_is_not_unicode_is_listed(root: Path, tools: dict[str, Tool], call: Call) -> None:
    put(root, **{"\udcff.txt": ""})
    with trio.fail_after(5):
        assert json.loads(await call(tools["list_files"])) == ["?.txt"]


async def test_a_directory_of_very_many_entries_is_listed_in_part(tmp_path: Path, call: Call) -> None:
    for number in range(7):
        os.mkdir(tmp_path / str(number))
    tools = {tool.spec.name: tool for tool in file_tools(Sandbox(tmp_path, max_entries=5))}
    with trio.fail_after(5):
        names, _, note = (await call(tools["list_files"], recursive=True)).partition("\n")
    assert len(json.loads(names)) == 5
    assert note == "[there are more than 5 entries; list a directory below]"


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("src/a.py", "*.py", True),
        ("src/a.py", "src/*.py", True),
        ("src/b/a.py", "src/*.py", False),
        ("src/b/c/a.py", "src/**/*.py", True),
        ("src/a.py", "src/**/*.py", True),
        ("a.py", "**/*.py", True),
        ("a.py", "src/**", False),
        ("src", "src/**", True),
    ],
)
def test_patterns_with_a_slash_are_for_paths(path: str, pattern: str, expected: bool) -> None:
    assert matches(path, pattern) is expected


@given(st.lists(st.sampled_from(["a", "b", "*", "**", "a*"]), min_size=2, max_size=12), st.lists(st.sampled_from("ab")))
def test_matching_a_path_is_what_the_recursive_definition_says(globs: list[str], parts: list[str]) -> None:
    from fnmatch import fnmatchcase

    def slow(globs: list[str], parts: list[str]) -> Any:
        if not globs:
            return not parts
        if globs[0] == "**":
            return slow(globs[1:], parts) or bool(parts and slow(globs, parts[1:]))
        return bool(parts) and fnmatchcase(parts[0], globs[0]) and slow(globs[1:], parts[1:])

    parts = parts[:6] or ["a"]
    assert matches("/".join(parts), "/".join(globs)) == slow(globs, parts)

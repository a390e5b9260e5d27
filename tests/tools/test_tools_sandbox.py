"""Nothing leads out of a sandbox: not a path, not a link, not a race; and a write is whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.errors import ToolError
from vega_trio.tools.sandbox import MAX_FILE, Sandbox


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    directory = tmp_path / "outside"
    directory.mkdir()
    (directory / "secret").write_text("secret")
    return directory


@pytest.fixture(params=[True, False], ids=["openat2", "descent"])
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    made = Sandbox(tmp_path / "workspace", openat2=request.param)
    made.root.mkdir()
    return made


def test_the_directory_is_made_at_the_first_use(tmp_path: Path) -> None:
    made = Sandbox(tmp_path / "a" / "b")
    assert not made.root.exists()
    assert made.entries().entries == ()
    assert made.root.is_dir()


RACES = int(os.environ.get("VEGA_RACES", "150"))


# -- escapes


def _link(sandbox: Sandbox, target: object, name: str = "link") -> None:
    os.symlink(target, sandbox.root / name)


ESCAPES: dict[str, Callable[[Sandbox, Path], str]] = {
    "parent": lambda s, o: "../outside/secret",
    "parent from below": lambda s, o: "sub/../../outside/secret",
    "many parents": lambda s, o: "../" * 60 + str(o / "secret").lstrip("/"),
    "absolute": lambda s, o: str(o / "secret"),
    "absolute through the root": lambda s, o: f"{s.root}/../outside/secret",
    "absolute beside the root": lambda s, o: f"{s.root}x/secret",
    "link to a file": lambda s, o: _link(s, o / "secret") or "link",
    "relative link": lambda s, o: _link(s, "../outside/secret") or "link",
    "link to a directory": lambda s, o: _link(s, o) or "link/secret",
    "dangling link": lambda s, o: _link(s, o / "new") or "link",
    "link to the parent": lambda s, o: _link(s, "..") or "link/outside/secret",
    "link of a link": lambda s, o: _link(s, o / "secret", "a") or _link(s, "a") or "link",
    "link to itself": lambda s, o: _link(s, "link") or "link",
    "magic link": lambda s, o: _link(s, "/proc/self/root") or f"link{o}/secret",
    "magic link to a descriptor": lambda s, o: _link(s, "/proc/self/cwd") or "link/secret",
}


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES.keys())
def test_every_escape_is_refused_for_reading_and_for_writing(
    sandbox: Sandbox, outside: Path, escape: Callable[[Sandbox, Path], str]
) -> None:
    (sandbox.root / "sub").mkdir()
    path = escape(sandbox, outside)
    before = sorted(os.listdir(sandbox.root))
    attempts: list[Callable[[], Any]] = [
        lambda: sandbox.read(path),
        lambda: sandbox.write(path, b"evil"),
        lambda: sandbox.write(path, b"evil", mkdir=False),
    ]
    for attempt in attempts:
        with pytest.raises(ToolError, match="path escapes sandbox"):
            attempt()
    assert sorted(os.listdir(outside)) == ["secret"]
    assert (outside / "secret").read_text() == "secret"
    assert sorted(os.listdir(sandbox.root)) == before


@pytest.mark.parametrize("path", ["..", "../", "/", "/etc", "sub/../.."])
def test_a_listing_does_not_escape_either(sandbox: Sandbox, path: str) -> None:
    (sandbox.root / "sub").mkdir()
    with pytest.raises(ToolError, match="path escapes sandbox"):
        sandbox.entries(path)


def test_a_link_to_a_directory_is_listed_but_not_entered(sandbox: Sandbox, outside: Path) -> None:
    _link(sandbox, outside)
    listing = sandbox.entries(recursive=True)
    assert [(entry.path, entry.is_directory) for entry in listing.entries] == [("link", False)]
    with pytest.raises(ToolError, match="path escapes sandbox"):
        sandbox.entries("link")


PIECES = st.sampled_from(["..", ".", "a", "b", "in", "out", "up", "", "/", "proc", "x" * 300])


@given(st.lists(PIECES, max_size=8), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_path_of_any_pieces_reads_or_writes_outside(pieces: list[str], absolute: bool, openat2: bool) -> None:
    with tempfile.TemporaryDirectory() as base:
        outside, root = Path(base, "o"), Path(base, "w")
        (root / "a" / "b").mkdir(parents=True)
        outside.mkdir()
        for where in (outside, Path(base)):
            for name in ("a", "b", "in"):
                if not (where / name).exists():
                    (where / name).write_text("secret")
        (root / "out").symlink_to(outside)
        (root / "a" / "up").symlink_to("../..")
        (root / "a" / "in").symlink_to("b")
        sandbox = Sandbox(root, openat2=openat2)
        path = ("/" if absolute else "") + "/".join(pieces)
        for attempt in (lambda: sandbox.read(path), lambda: sandbox.write(path, b"evil")):
            try:
                assert attempt() != b"secret"
            except ToolError:
                continue
        assert {each.read_text() for each in outside.iterdir()} == {"secret"}
        assert {each.read_text() for each in Path(base).iterdir() if each.is_file()} == {"secret"}


def test_a_rename_race_never_reads_or_writes_outside(sandbox: Sandbox, outside: Path) -> None:
    """Two threads swap a directory for a link to the outside while another reads and writes through it."""
    inner, spare = sandbox.root / "d", sandbox.root / "spare"
    inner.mkdir()
    (inner / "secret").write_text("mine")
    _link(sandbox, outside, "spare")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(inner, sandbox.root / "t")
            os.rename(spare, inner)
            os.rename(inner, spare)
            os.rename(sandbox.root / "t", inner)

    thread = threading.Thread(target=swap)
    thread.start()
    outcomes: set[str] = set()
    try:
        for _ in range(RACES):
            try:
                outcomes.add(sandbox.read("d/secret").decode())
                sandbox.write("d/secret", b"mine", mkdir=False)
            except ToolError as error:
                outcomes.add(str(error).partition(":")[0])
    finally:
        stop.set()
        thread.join()
    assert "secret" not in outcomes
    assert (outside / "secret").read_text() == "secret"
    assert os.listdir(outside) == ["secret"]


# -- what is no regular file


def test_a_fifo_a_socket_and_a_directory_are_no_files(sandbox: Sandbox) -> None:
    os.mkfifo(sandbox.root / "fifo")
    os.mkdir(sandbox.root / "dir")
    os.mknod(sandbox.root / "socket", stat.S_IFSOCK | 0o600)
    for name in ("fifo", "socket"):
        with pytest.raises(ToolError, match="is not a regular file"):
            sandbox.read(name)
        with pytest.raises(ToolError, match="is not a regular file"):
            sandbox.write(name, b"x")
    for name in ("dir", "dir/", "."):
        with pytest.raises(ToolError, match="is a directory"):
            sandbox.read(name)
        with pytest.raises(ToolError, match="is a directory"):
            sandbox.write(name, b"x")


def test_a_write_never_reaches_through_a_hard_link(sandbox: Sandbox, outside: Path) -> None:
    os.link(outside / "secret", sandbox.root / "hard")
    sandbox.write("hard", b"mine")
    assert (outside / "secret").read_text() == "secret"
    assert sandbox.read("hard") == b"mine"


# -- plain use


def test_paths_beneath_the_root_work_in_every_form(sandbox: Sandbox) -> None:
    sandbox.write("a/b/file.txt", b"text")
    for path in ("a/b/file.txt", "./a//b/./file.txt", "a/../a/b/file.txt", str(sandbox.root / "a/b/file.txt")):
        assert sandbox.read(path) == b"text"
    sandbox.write("new/../sibling", b"x")
    assert sandbox.read("sibling") == b"x"


def test_a_root_that_is_reached_through_a_link_works(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    sandbox = Sandbox(tmp_path / "alias")
    sandbox.write("f", b"1")
    assert sandbox.read(str(tmp_path / "real" / "f")) == sandbox.read(str(tmp_path / "alias" / "f")) == b"1"


def test_a_link_that_stays_inside_is_read_by_openat2_and_never_written_through(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "w")
    sandbox.write("target", b"text")
    _link(sandbox, "target")
    assert sandbox.read("link") == b"text"
    with pytest.raises(ToolError, match="is a symbolic link"):
        sandbox.write("link", b"other")
    assert sandbox.read("target") == b"text"


def test_a_rewritten_file_keeps_its_permissions_and_a_new_one_follows_the_wish(sandbox: Sandbox) -> None:
    sandbox.write("script", b"1", mode=0o750)
    sandbox.write("script", b"2")
    assert stat.S_IMODE((sandbox.root / "script").stat().st_mode) == 0o750


def test_a_failed_write_leaves_no_trace(sandbox: Sandbox) -> None:
    with pytest.raises(ToolError, match="no such file or directory"):
        sandbox.write("missing/file", b"x", mkdir=False)
    sandbox.write("file", b"x")
    with pytest.raises(ToolError, match="is not a directory"):
        sandbox.write("file/below", b"x")
    with pytest.raises(ToolError, match="File name too long"):
        sandbox.write("x" * 300, b"x")
    assert [entry.path for entry in sandbox.entries().entries] == ["file"]


@pytest.mark.parametrize("path", ["", "a\0b", "\ud800"])
def test_what_is_no_path_is_said_to_be_none(sandbox: Sandbox, path: str) -> None:
    with pytest.raises(ToolError, match="is no path"):
        sandbox.read(path)


def test_a_file_too_large_to_hold_is_refused(sandbox: Sandbox) -> None:
    with open(sandbox.root / "big", "wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(ToolError, match="is larger than 10,485,760 bytes"):
        sandbox.read("big")


def test_no_descriptor_is_left_whatever_happens(sandbox: Sandbox, outside: Path, resources: Callable[[], Any]) -> None:
    os.mkfifo(sandbox.root / "fifo")
    _link(sandbox, outside)
    sandbox.write("a/b", b"x")
    before = resources()
    for path in ("a/b", "a", "fifo", "link/secret", "..", "none/x", "a/b/c", "x" * 300):
        for attempt in (sandbox.read, sandbox.entries, lambda path: sandbox.write(path, b"x")):
            try:
                attempt(path)
            except ToolError:
                continue
    assert resources() == before

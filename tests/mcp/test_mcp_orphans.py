"""Nothing is left behind: not when a connection is cancelled anywhere, not when we are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

import vega_trio as vega

pytestmark = pytest.mark.e2e

HOSTILE = Path(__file__).with_name("hostile.py")
CANCELS = int(os.environ.get("VEGA_CANCELS", "20"))  # `make torture` sets 200
KILLS = int(os.environ.get("VEGA_KILLS", "1"))


def children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> set[int]:
    found = set(children(pid))
    return found.union(*(descendants(each) for each in found))


def baseline() -> tuple[set[int], int, set[str]]:
    """Our children, our open descriptors, our threads but those that idle in Trio's cache."""
    threads = {each.name for each in threading.enumerate() if "Trio" not in each.name}
    return set(children(os.getpid())), len(os.listdir("/proc/self/fd")), threads


def commands_holding(mark: str) -> Iterator[int]:
    """Living processes whose command line holds the text."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "cmdline").read_bytes():
                    yield int(entry.name)
            except (FileNotFoundError, ProcessLookupError):
                continue


async def session(mark: str) -> None:
    command = [sys.executable, "-I", "-S", str(HOSTILE), "family", mark]
    async with vega.open_mcp(name="s", command=command) as source:
        await source.call_tool("echo")
        await source.call_tool("read", {"text": "x"})


async def test_cancelled_anywhere_it_leaves_no_process_thread_or_descriptor(tmp_path: Path) -> None:
    mark = str(tmp_path / "starts")
    chance = random.Random(int(os.environ.get("VEGA_SEED", "7")))
    with trio.fail_after(30 + CANCELS):
        await session(mark)  # what is loaded and opened once is
        before, start = baseline(), trio.current_time()
        await session(mark)
        length = trio.current_time() - start
        cut = 0
        for _ in range(CANCELS):
            with trio.move_on_after(chance.uniform(0, length * 1.1)) as scope:
                await session(mark)
            cut += scope.cancelled_caught
    assert baseline() == before
    assert list(commands_holding(mark)) == []
    assert cut > CANCELS / 3


def test_killed_with_signal_9_it_leaves_no_descendant() -> None:
    for _ in range(KILLS):
        program = str(Path(__file__).with_name("orphan_host.py"))
        with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as host:
            assert host.stdout is not None
            named = set(json.loads(host.stdout.readline()))
            family = descendants(host.pid)
            assert len(family) >= 1 + 1 + 3, "the guardian, the server and its children"
            host.send_signal(signal.SIGKILL)
            host.wait()
        trio.run(_until_gone, named | family)


async def _until_gone(pids: set[int]) -> None:
    with trio.fail_after(3):
        for pid in pids:
            try:
                pidfd = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            try:
                await trio.lowlevel.wait_readable(pidfd)
            finally:
                os.close(pidfd)

"""What the tests of tools share: a context for calls, and the resources of this process before and after."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from vega_trio.context import ToolContext
from vega_trio.exits import ExitReason, Shutdown
from vega_trio.protocols import Tool


@attrs.frozen
class Caller:
    """A process as far as a tool sees it, of a program that has none."""

    id: str = "p1"
    name: str | None = None
    agent_name: str | None = "tester"
    incarnation: int = 1

    async def send(self, message: Any, *, timeout: float | None = None) -> Any:
        raise NotImplementedError

    async def post(self, message: Any) -> bool:
        raise NotImplementedError

    def exit(self, reason: ExitReason = Shutdown()) -> None:  # noqa: B008
        raise NotImplementedError


async def _ask(name: str, message: str) -> str:
    return f"{name}: {message}"


@pytest.fixture
def context() -> ToolContext:
    return ToolContext(process=Caller(), turn_id="t1", tool_call_id="c1", spawn=lambda *_, **__: None, ask=_ask)


@pytest.fixture
def call(context: ToolContext) -> Callable[..., Awaitable[str]]:
    """`await call(tool, argument=...)`."""

    async def run(tool: Tool, /, **arguments: Any) -> str:
        return await tool.call(arguments, context)

    return run


@attrs.frozen
class Resources:
    """What a call must leave as it found it. Threads that idle in Trio's cache do not count, those of tools do."""

    descriptors: int
    children: frozenset[int]


@pytest.fixture
def resources() -> Callable[[], Resources]:
    return lambda: Resources(len(os.listdir("/proc/self/fd")), frozenset(_descendants()))


def _descendants() -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    while more := {pid for pid, parent in parents.items() if parent in found | {os.getpid()}} - found:
        found |= more
    return found

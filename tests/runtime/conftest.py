"""Kernels, and a clock that jumps when everybody waits."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
from kernels import OpenKernel, kernel
from trio.testing import MockClock

from vega_trio.runtime import Orchestrator


@pytest.fixture
def kernels() -> OpenKernel:
    return kernel


@pytest.fixture
def clock(autojump_clock: MockClock) -> MockClock:
    """A test must name it itself: pytest-trio looks for clocks among a test's own arguments only."""
    return autojump_clock


@pytest.fixture
async def orch() -> AsyncIterator[Orchestrator]:
    with trio.fail_after(10_000):
        async with kernel() as orch:
            yield orch

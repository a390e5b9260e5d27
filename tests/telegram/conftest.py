"""A clock for the tests of the bot."""

from __future__ import annotations

import pytest
from trio.testing import MockClock


@pytest.fixture
def clock() -> MockClock:
    """Jumps when nothing has happened for 20 ms: the bot starts by a thread, which a bolder clock leaps over."""
    return MockClock(autojump_threshold=0.02)

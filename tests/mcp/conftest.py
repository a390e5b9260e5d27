"""Servers that nobody here wrote, for the tests that need them."""

from __future__ import annotations

import peers
import pytest


@pytest.fixture(scope="session")
def strangers() -> None:
    """`make test` installs them; without that a test is skipped, saying so."""
    if not peers.installed():
        pytest.skip(f"there are no MCP servers of others in {peers.folder()}: run python tests/mcp/peers.py")

"""Servers that nobody here wrote, for the tests that need them."""

from __future__ import annotations

import os

import peers
import pytest


@pytest.fixture(scope="session")
def strangers() -> None:
    """`make test` installs them; without that a test is skipped, saying so, but never in CI."""
    if peers.installed():
        return
    if os.environ.get("CI"):
        raise RuntimeError(f"there are no MCP servers in {peers.folder()}: run python tests/mcp/peers.py")
    pytest.skip("needs MCP servers of others: python tests/mcp/peers.py")

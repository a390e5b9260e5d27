"""What the fronts need to know of other packages' tools and of well-known MCP servers: their names."""

from __future__ import annotations

from vega_trio.mcp.registry import REGISTRY
from vega_trio.tools.plugins import plugins

__all__ = ["REGISTRY", "plugins"]

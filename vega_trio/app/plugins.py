"""What the fronts need to know of other packages' tools: their names."""

from __future__ import annotations

from vega_trio.tools.plugins import plugins

__all__ = ["plugins"]

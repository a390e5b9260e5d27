"""Models that can be fetched and run on this machine, for the fronts."""

from __future__ import annotations

from vega_trio.llm.pull import SOURCES, InstalledModel, ModelSource, installed, pull

__all__ = ["SOURCES", "InstalledModel", "ModelSource", "installed", "pull"]

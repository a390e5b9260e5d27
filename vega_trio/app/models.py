"""What the fronts need to know of models: the providers, and what can be fetched and run on this machine."""

from __future__ import annotations

from vega_trio.llm.names import providers
from vega_trio.llm.pull import SOURCES, InstalledModel, ModelSource, installed, pull

__all__ = ["SOURCES", "InstalledModel", "ModelSource", "installed", "providers", "pull"]

"""What the fronts need to know of models: the providers, and what can be fetched and run on this machine."""

from __future__ import annotations

from collections.abc import Mapping

from vega_trio.dsl.document import Settings
from vega_trio.llm.names import DEFAULT_MODEL, parse_model_name, providers
from vega_trio.llm.pull import SOURCES, InstalledModel, ModelSource, installed, pull

__all__ = [
    "DEFAULT_MODEL",
    "SOURCES",
    "InstalledModel",
    "ModelSource",
    "installed",
    "parse_model_name",
    "providers",
    "pull",
    "with_key",
]


def with_key(env: Mapping[str, str], settings: Settings) -> Mapping[str, str]:
    """The environment that models are opened with: the document's key stands where the environment has none."""
    if settings.api_key is None or env.get("ANTHROPIC_API_KEY"):
        return env
    return {**env, "ANTHROPIC_API_KEY": settings.api_key}

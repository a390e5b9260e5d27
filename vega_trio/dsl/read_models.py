"""Reads the name of a model: `provider:name`, or a bare name."""

from __future__ import annotations

from collections.abc import Collection

from vega_trio.dsl.fields import Fields
from vega_trio.dsl.yaml_nodes import YamlScalar
from vega_trio.suggest import remedy


def read_model(fields: Fields, key: str) -> str | None:
    """As it is written. Reports V016 for a provider that the application does not have, where it says which it has."""
    found = fields.maybe_text(key)
    node = fields.take(key)
    providers = fields.reading.providers
    if found is None or (isinstance(node, YamlScalar) and node.unset):
        return found
    problem = model_problem(providers, found)
    if problem is not None:
        fields.wrong("V016", key, *problem)
    return found


def model_problem(providers: Collection[str], name: str) -> tuple[str, str] | None:
    """What is wrong with a model's name, and a hint, where it is known which providers there are."""
    provider, colon, model = name.strip().partition(":")
    if not colon or not providers:
        return None
    if provider not in providers:
        return f"unknown model provider '{provider}'", remedy(provider, providers, "the providers are")
    return None if model.strip() else (f"'{name}' names no model", f"write for example: {provider}:NAME")

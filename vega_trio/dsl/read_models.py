"""Reads the name of a model: `provider:name`, or a bare name."""

from __future__ import annotations

from vega_trio.dsl.fields import Fields
from vega_trio.dsl.yaml_text import YamlScalar
from vega_trio.suggest import remedy


def read_model(fields: Fields, key: str) -> str | None:
    """As it is written. Reports V016 for a provider that the application does not have, where it says which it has."""
    found = fields.maybe_text(key)
    node = fields.take(key)
    providers = fields.reading.providers
    if found is None or not providers or (isinstance(node, YamlScalar) and node.unset):
        return found
    provider, colon, model = found.strip().partition(":")
    if colon and provider not in providers:
        hint = remedy(provider, providers, "the providers are")
        fields.wrong("V016", key, f"unknown model provider '{provider}'", hint)
    elif colon and not model.strip():
        fields.wrong("V016", key, f"'{found}' names no model", f"write for example: {provider}:NAME")
    return found

"""Reads the name of a model: `provider:name`, or a bare name."""

from __future__ import annotations

import re
from collections.abc import Collection

from vega_trio.dsl.fields import Fields
from vega_trio.dsl.yaml_nodes import YamlScalar
from vega_trio.suggest import closest, remedy

_WITHOUT_NAME = ("demo", "local")
_KNOWN_BY = ("claude-", "gpt-")
_WORDS = ("claude", "opus", "sonnet", "haiku")
_FAMILIES = ("gpt",)
_WORD = re.compile(r"[A-Za-z]+")


def read_model(fields: Fields, key: str) -> str | None:
    """As it is written. Where the application says which providers it has, reports V016 for another, and W117."""
    found = fields.maybe_text(key)
    node = fields.take(key)
    providers = fields.reading.providers
    if found is None or (isinstance(node, YamlScalar) and node.unset):
        return found
    problem = model_problem(providers, found)
    doubt = model_doubt(found) if problem is None and providers else None
    if problem is not None:
        fields.wrong("V016", key, *problem)
    elif doubt is not None:
        fields.wrong("W117", key, *doubt)
    return found


def model_problem(providers: Collection[str], name: str) -> tuple[str, str] | None:
    """What is wrong with a model's name, and a hint, where it is known which providers there are."""
    provider, colon, model = name.strip().partition(":")
    if not colon or not providers:
        return None
    if provider not in providers:
        return f"unknown model provider '{provider}'", remedy(provider, providers, "the providers are")
    return None if model.strip() else (f"'{name}' names no model", f"write for example: {provider}:NAME")


def model_doubt(name: str) -> tuple[str, str] | None:
    """What makes one doubt a name that may be right all the same, and a hint: models come without asking us.

    Versions and dates are not looked at, nor names at other providers, whose servers may call a model as they like.
    """
    provider, colon, model = name.strip().rpartition(":")
    if provider not in ("", "anthropic") or model in _WITHOUT_NAME:
        return None
    meant = (not provider and closest(model, _WITHOUT_NAME)) or _WORD.sub(_right, model)
    if meant.lower() != model.lower():
        return f"'{name}' looks like a slip of a model's name", f"did you mean '{provider}{colon}{meant}'?"
    if provider or model.lower().startswith(_KNOWN_BY):
        return None
    message = f"'{name}' names no provider, so it is taken for one of Anthropic's models"
    return message, f"write anthropic:{model} if it is, else for example openai:{model}"


def _right(found: re.Match[str]) -> str:
    short = () if found.start() else _FAMILIES  # further on, three letters may be anything
    return closest(found[0], (*_WORDS, *short)) or found[0]

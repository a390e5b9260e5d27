"""What an agent's `output` asks of a reply: its JSON Schema, and how fitting JSON becomes a value."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from vega_trio.errors import ConfigError
from vega_trio.protocols import OutputSpec
from vega_trio.tools.arguments import compile_check, structured
from vega_trio.tools.schema import type_schema


def output_spec(declared: Any, agent: str) -> OutputSpec:
    """`declared` is a class with fields, or a JSON Schema, whose values stay JSON; `agent` is named in errors.

    Raises: ConfigError for a class that no schema describes, and for a schema that is none.
    """
    where = f"the output of agent {agent!r}"
    if not isinstance(declared, Mapping):
        try:
            return OutputSpec(type_schema(declared, where), partial(structured, declared))
        except TypeError as error:
            raise ConfigError(str(error)) from error
    try:
        compile_check(declared)
    except (ValueError, LookupError) as error:
        raise ConfigError(f"{where} is no usable JSON Schema: {error}") from error
    return OutputSpec(declared, lambda value: value)

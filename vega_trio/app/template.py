"""A composed agent as a document, to be put into a file: what was made in a conversation can be read and shared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from vega_trio.dsl.quoting import UNPRINTABLE, flow

_BLOCK: Final = re.compile(r"[^\s\x00-\x1f].*(\n+[^\n\x00-\x1f]*[^\s\x00-\x1f])+")
"""Text of several lines that a literal block keeps as it is."""


def template(name: str, keys: Mapping[str, Any]) -> str:
    """A document that defines the agent with these keys, which name no variable of the environment."""
    lines = ["agents:", f"  {flow(name)}:"]
    for key, value in keys.items():
        lines.append(f"    {key}: {_value(value)}")
    return "\n".join([*lines, ""])


def _value(value: Any) -> str:
    value = literal(value)
    text = value if isinstance(value, str) else ""
    if _BLOCK.fullmatch(text) and not UNPRINTABLE.search(text):
        return "\n".join(["|-", *(f"      {line}" if line else "" for line in text.split("\n"))])
    return flow(value)


def literal(value: Any) -> Any:
    """Text as it is: what comes over HTTP, or from a model, names no variables of the environment."""
    match value:
        case str():
            return value.replace("${", "$${")
        case list() | tuple():
            return [literal(each) for each in value]
        case dict():
            return {key: literal(each) for key, each in value.items()}
        case _:
            return value

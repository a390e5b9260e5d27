"""Texts that hold data: JSON and YAML as values of the language, within its limits."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from vega_trio.dsl.values import ExpressionError, check_number, measure
from vega_trio.dsl.yaml_nodes import YamlError
from vega_trio.dsl.yaml_text import MAX_DEPTH, MAX_FILE, load_data


def parse_json(text: str) -> object:
    """A JSON text as a value. Raises: ExpressionError R003, R007."""
    if len(text.encode()) > MAX_FILE:
        raise ExpressionError("R007", f"a JSON text longer than {MAX_FILE:,} bytes")
    try:
        return json_value(text)
    except ValueError as error:
        raise ExpressionError("R003", f"this is not JSON: {excerpt(text)} ({error})") from None


def json_value(text: str) -> object:
    """As `parse_json`, of a text of any length. Raises: ValueError when it is none; ExpressionError R007."""
    if text.count("[") + text.count("{") > MAX_DEPTH and any(depth > MAX_DEPTH for _, depth in bracket_depths(text)):
        raise ExpressionError("R007", f"JSON nested deeper than {MAX_DEPTH}")
    value = msgspec.json.decode(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return check_number(value)
    measure(value)
    return value


def bracket_depths(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """Where brackets open and close outside quoted texts, from `start` on, and how many are open then."""
    depth, quoted, escaped = 0, False, False
    for at in range(start, len(text)):
        char = text[at]
        if quoted:
            quoted = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            quoted = True
        elif char in "[{]}":
            depth += 1 if char in "[{" else -1
            yield at, depth


def parse_yaml(text: str) -> object:
    """A YAML text as a value. Raises: ExpressionError R003, R007."""
    if len(text.encode()) > MAX_FILE:
        raise ExpressionError("R007", f"a YAML text longer than {MAX_FILE:,} bytes")
    try:
        value = load_data(text)
    except YamlError as error:
        code = "R007" if error.finding.code == "V006" else "R003"
        raise ExpressionError(code, f"this is not YAML: {excerpt(text)} ({error})") from None
    measure(value)
    return value


def excerpt(text: str) -> str:
    """How a text begins, for an error."""
    return repr(text if len(text) <= 60 else text[:57] + "...")

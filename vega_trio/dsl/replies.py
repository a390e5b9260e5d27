"""Structured replies: what `format` and `schema` make of an agent's text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from vega_trio.dsl.data_texts import bracket_depths, parse_json, parse_yaml
from vega_trio.dsl.schema import schema_problem
from vega_trio.dsl.values import ExpressionError

_FENCE = re.compile(r"```[^\n`]*\n(.*?)```", re.DOTALL)
# A line that begins a list or mapping. Blanks end at the line: a run of empty lines would be walked from each of them.
_STRUCTURE = re.compile(r"(?m)^[^\S\n]*(?:-\s|[\[{]|[^\s#][^\n]*:(?:\s|$))")


def parse_reply(text: str, format_: str, schema: Mapping[str, object] | None) -> tuple[object, str]:
    """(value, "") or (None, what is wrong): the whole text, else the first fenced block, else the first object."""
    problem = "it is empty"
    for candidate in _candidates(text, format_):
        try:
            value = parse_json(candidate) if format_ == "json" else parse_yaml(candidate)
        except ExpressionError as error:
            problem = error.message
            continue
        wrong = schema_problem(schema, value) if schema is not None else ""
        return (None, wrong) if wrong else (value, "")
    return None, problem


def _candidates(text: str, format_: str) -> Iterator[str]:
    fence = _FENCE.search(text)
    # A reply in prose is YAML as well, a single text; only with structure is it what was asked for.
    if text.strip() and (format_ == "json" or _has_structure(text)):
        yield text
    if fence:
        yield fence[1]
    found = _balanced(text)
    if found:
        yield found


def _has_structure(text: str) -> bool:
    return "```" not in text and _STRUCTURE.search(text) is not None


def _balanced(text: str) -> str:
    """The first object or list whose brackets close."""
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if start < 0:
        return ""
    end = next((at for at, depth in bracket_depths(text, start) if depth == 0), start - 1)
    return text[start : end + 1]


def correction(text: str, format_: str, problem: str) -> str:
    """What the agent is asked when its reply cannot be used."""
    name = format_.upper()
    return (
        f"Your reply could not be used as {name}: {problem}\n\n"
        f"This was your reply:\n{text[:20_000]}\n\n"
        f"Reply again with the corrected {name} only, without any other text."
    )

"""docs/dsl.md has every key, action, option, filter and variable, and its documents are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dsl_cases import load

from vega_trio.dsl.editor_schema import json_schema
from vega_trio.dsl.filters import FILTERS
from vega_trio.dsl.words import BUILTIN_VARIABLES, STEP_WORDS

PAGE = (Path(__file__).parents[2] / "docs" / "dsl.md").read_text()
SCHEMA = json_schema()
PROSE = re.sub(r"^```.*?^```", "", PAGE, flags=re.MULTILINE | re.DOTALL)
SPOKEN = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", PROSE))))
SNIPPETS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def keys(name: str) -> set[str]:
    return set(SCHEMA["$defs"][name]["properties"])


PLACES = ("agent", "settings", "tool", "workflow", "supervision", "retry", "skills", "context")


@pytest.mark.parametrize("place", PLACES)
def test_every_key_is_documented(place: str) -> None:
    assert sorted(keys(place) - SPOKEN) == []


def test_every_word_filter_and_variable_is_documented() -> None:
    assert sorted((STEP_WORDS | FILTERS.keys() | BUILTIN_VARIABLES) - SPOKEN) == []


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_the_document_is_valid_without_a_warning(number: int) -> None:
    assert load(SNIPPETS[number]).warnings == ()

"""A composed agent as a document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.app.disk import Disk
from vega_trio.app.template import template
from vega_trio.dsl.parse import parse_text

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)
LINES = st.lists(st.text("ab #:-|>'\"\\${}\t", max_size=8), min_size=1, max_size=5).map("\n".join)


def read(text: str, **options: Any) -> Any:
    return parse_text(text.encode(), "t.vega.yaml", Disk(), env={"VEGA_MODEL": "demo", "HOME": "x"}, **options).document


@settings(max_examples=100)
@given(system=(TEXTS | LINES).filter(str.strip), description=TEXTS | LINES)
def test_what_it_defines_is_the_agent(system: str, description: str) -> None:
    found = read(template("a b", {"system": system, "description": description})).agents["a b"]
    assert (found.system, found.description) == (system, description)


def test_it_reads_well_and_holds_every_key() -> None:
    keys = {"system": "You lead.\nBe kind.", "tools": ["http_get"], "budget": "$0.50", "delegation": {"max_depth": 2}}
    text = template("lead", keys)
    assert text == (
        'agents:\n  "lead":\n    system: |-\n      You lead.\n      Be kind.\n    tools: ["http_get"]\n'
        '    budget: "$0.50"\n    delegation: {"max_depth": 2}\n'
    )
    found = read(text, tools=["http_get"]).agents["lead"]
    assert (found.system, found.tools, found.delegation.max_depth) == (keys["system"], ("http_get",), 2)


@pytest.mark.parametrize("name", ["каша", "no", "5", "true", "it's", "# x", "- x", "<b>", "&a"])
def test_any_name_stays_what_it_is(name: str) -> None:
    assert list(read(template(name, {"system": "x"})).agents) == [name]

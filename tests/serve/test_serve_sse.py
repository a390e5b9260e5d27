"""Frames and JSON that cannot fail."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.serve.sse import frame, to_json


def test_a_frame_without_an_id_leaves_the_last_one_standing() -> None:
    assert frame("gap", b"{}", None) == b"event: gap\ndata: {}\n\n"


def test_half_a_surrogate_pair_is_shown_and_not_refused() -> None:
    assert json.loads(to_json({"name": "file-\udcff", "sub": ["\ud800"]})) == {"name": "file-?", "sub": ["?"]}


def test_a_strange_object_is_shown_as_it_prints() -> None:
    assert json.loads(
        to_json(
            {
                "at": {
                    1,
                }
            }
        )
    )["at"] == [1]
    assert json.loads(to_json({"at": object}))["at"] == "<class 'object'>"


def test_endless_nesting_is_cut() -> None:
    value: dict[str, Any] = {}
    value["again"] = value
    assert b"..." in to_json(value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(), max_size=10) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=60)
@given(anything)
def test_every_value_becomes_one_line_of_json(value: object) -> None:
    encoded = to_json(value)
    json.loads(encoded)
    assert b"\n" not in encoded
    assert b"\r" not in encoded

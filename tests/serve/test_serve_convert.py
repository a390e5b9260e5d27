"""Bodies are read strictly, and what is wrong is told by its place."""

from __future__ import annotations

from typing import Any

import pytest

from vega_trio.serve.convert import open_converter, read
from vega_trio.serve.models.agents import NewAgent
from vega_trio.serve.models.chat import ChatRequest
from vega_trio.serve.problems import Refused

FILE = {"data": "eA==", "media_type": "text/plain"}


@pytest.mark.parametrize(
    ("given", "place", "words"),
    [
        (7, "attachments", "must be a list, not 7"),
        ("x", "attachments", 'must be a list, not "x"'),
        ({}, "attachments", "must be a list, not an object"),
        ([FILE, "x"], "attachments[1]", 'must be an object, not "x"'),
        ([5], "attachments[0]", "must be an object, not 5"),
        ([None], "attachments[0]", "must be an object, not null"),
        ([FILE, {"data": "x"}], "attachments[1].media_type", "is missing"),
        ([{**FILE, "data": 1}], "attachments[0].data", "must be text, not 1"),
        ([{**FILE, "size": 1}], "attachments[0]", "has the unknown key 'size'"),
    ],
)
def test_what_is_wrong_in_a_list_is_told_by_its_place(given: Any, place: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        read(open_converter(), {"message": "x", "attachments": given}, ChatRequest)
    problem = refused.value.problem
    assert (problem.status, problem.field) == (400, place)
    assert repr(place) in problem.error
    assert words in problem.error
    assert "cattrs" not in problem.error


def test_a_text_is_no_list_of_its_letters() -> None:
    with pytest.raises(Refused, match="must be a list"):
        read(open_converter(), {"name": "x", "team": "abc"}, NewAgent)

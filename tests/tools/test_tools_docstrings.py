"""Docstrings: three conventions in, one description of each parameter out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio.tools.docstrings import parse_docstring

GOOGLE = """Looks up the weather
    in one city.

    Longer prose that a model need not read.

    Args:
        city (str): The city's name,
            in English.
        days: How many days ahead.

    Returns:
        note: not a parameter
    """

NUMPY = """Looks up the weather in one city.

    Parameters
    ----------
    city : str
        The city's name,
        in English.
    days : int, optional
        How many days ahead.

    Returns
    -------
    str
        the forecast
    """

SPHINX = """Looks up the weather in one city.

    :param str city: The city's name,
        in English.
    :param days: How many days ahead.
    :returns: the forecast
    """


@pytest.mark.parametrize("text", [GOOGLE, NUMPY, SPHINX])
def test_each_convention_gives_the_same_descriptions(text: str) -> None:
    parsed = parse_docstring(text)
    assert parsed.summary == "Looks up the weather in one city."
    assert parsed.parameters == {"city": "The city's name, in English.", "days": "How many days ahead."}


def test_no_docstring_is_an_empty_one() -> None:
    assert parse_docstring(None).summary == parse_docstring("  \n ").summary == ""


def test_a_docstring_of_sections_only_has_no_summary() -> None:
    parsed = parse_docstring("""
        Args:
            x: the value
        """)
    assert (parsed.summary, parsed.parameters) == ("", {"x": "the value"})


def test_a_first_paragraph_that_ends_in_a_colon_stays_prose() -> None:
    assert parse_docstring("Note the following:\n\nmore").summary == "Note the following:"


@given(st.text(alphabet="abA:-\n *()rgs.", max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    parsed = parse_docstring(text)
    assert "\n" not in parsed.summary
    assert all(parsed.parameters.values())

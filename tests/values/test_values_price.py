"""Prices that a program gives."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import vega_trio as vega


def test_a_price_is_dollars_for_a_million_tokens_and_a_fraction_of_a_micro_dollar_counts() -> None:
    price = vega.Price(input=0.1, output=Decimal(2))
    assert price.of(vega.Usage(1_000_000, 1_000_000)) == 2_100_000
    assert price.of(vega.Usage(input_tokens=1)) == 1
    assert price.of(vega.Usage()) == 0


def test_what_a_cache_does_costs_as_input_unless_it_is_said() -> None:
    usage = vega.Usage(cache_read_tokens=1_000, cache_write_tokens=1_000)
    assert vega.Price(input=3, output=15).of(usage) == 6_000
    assert vega.Price(input=3, output=15, cache_read=0.3, cache_write=3.75).of(usage) == 4_050


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), "1", True, None])
def test_what_is_no_amount_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"Price\.output must be dollars for a million tokens"):
        vega.Price(input=1, output=wrong)

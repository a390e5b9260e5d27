"""The token bucket behind a rate limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio._core.bucket import MINUTE_S, Bucket


def test_a_minutes_allowance_may_be_used_at_once_and_then_comes_back_steadily() -> None:
    bucket = Bucket.full(6, 0.0)
    waits = []
    for _ in range(8):
        waits.append(bucket.wait_for(1, 0.0))
        bucket.take(1, 0.0)
    assert waits == pytest.approx([0] * 6 + [10.0, 20.0])


def test_it_never_holds_more_than_a_minutes_allowance() -> None:
    bucket = Bucket.full(6, 0.0)
    bucket.refill(10_000.0)
    bucket.give_back(3, 10_000.0)
    assert bucket.level == 6


def test_more_than_the_capacity_waits_for_a_full_bucket_and_not_for_ever() -> None:
    bucket = Bucket.full(100, 0.0)
    assert bucket.wait_for(1_000, 0.0) == 0
    bucket.take(1_000, 0.0)
    assert bucket.wait_for(1, 0.0) == pytest.approx(901 * MINUTE_S / 100)


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    bucket = Bucket.full(6, 100.0)
    bucket.take(6, 100.0)
    bucket.refill(50.0)
    assert bucket.level == 0
    bucket.refill(110.0)
    assert bucket.level == pytest.approx(1)


@given(st.integers(1, 100), st.lists(st.tuples(st.floats(0, 30), st.integers(1, 5)), min_size=1, max_size=60))
def test_who_waits_as_told_never_takes_more_than_the_capacity_and_the_refill(
    rate: int, calls: list[tuple[float, int]]
) -> None:
    bucket, now = Bucket.full(rate, 0.0), 0.0
    entered: list[tuple[float, int]] = []
    for pause, amount in calls:
        now += pause
        entered.append((now + bucket.wait_for(amount, now), amount))
        bucket.take(amount, now)
    for start, _ in entered:
        within = [amount for at, amount in entered if start <= at <= start + MINUTE_S]
        biggest = max(within)
        assert sum(within) <= 2 * rate + biggest + 1e-6


@given(st.lists(st.integers(1, 5), min_size=2, max_size=30))
def test_waiting_is_in_order_of_arrival(amounts: list[int]) -> None:
    bucket, entered = Bucket.full(5, 0.0), []
    for amount in amounts:
        entered.append(bucket.wait_for(amount, 0.0))
        bucket.take(amount, 0.0)
    assert entered == sorted(entered)

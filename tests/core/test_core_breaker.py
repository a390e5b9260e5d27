"""The circuit breaker's rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio._core.breaker import Breaker
from vega_trio.agent import CircuitBreaker


def opened(now: float = 0.0, **config: float) -> Breaker:
    breaker = Breaker(CircuitBreaker(**{"threshold": 1, "reset_after": 10.0, **config}))  # type: ignore[arg-type]
    breaker.admit()
    assert breaker.failed(breaker.period, now)
    return breaker


def test_it_opens_at_the_threshold_of_failures_in_a_row() -> None:
    breaker = Breaker(CircuitBreaker(threshold=3))
    told = []
    for failed in (True, True, False, True, True, True):
        breaker.admit()
        told.append(breaker.failed(breaker.period, 0.0) if failed else breaker.succeeded(breaker.period))
    assert told == [False, False, False, False, False, True]
    assert breaker.state == "open"


def test_open_it_refuses_until_its_time_is_up() -> None:
    breaker = opened(now=100.0)
    assert breaker.refuses_for(100.0) == 10.0
    assert breaker.refuses_for(109.0) == 1.0
    assert breaker.refuses_for(110.0) == 0.0


def test_half_open_it_lets_so_many_through_and_no_more() -> None:
    breaker = opened(half_open_max=2)
    assert [breaker.refuses_for(10.0) == 0 and breaker.admit() for _ in range(2)] == [True, False]
    assert breaker.refuses_for(10.0) > 0


def test_a_probe_that_succeeds_closes_it_and_one_that_fails_opens_it_again() -> None:
    breaker = opened()
    breaker.admit()
    assert breaker.failed(breaker.period, 10.0)
    assert breaker.refuses_for(19.0) == 1.0
    breaker.admit()
    assert breaker.succeeded(breaker.period)
    assert (breaker.state, breaker.refuses_for(20.0)) == ("closed", 0.0)


def test_a_probe_given_up_frees_its_place() -> None:
    breaker = opened()
    breaker.admit()
    assert breaker.refuses_for(10.0) > 0
    breaker.abandoned(breaker.period)
    assert breaker.refuses_for(10.0) == 0.0


def test_an_answer_from_an_earlier_period_changes_nothing() -> None:
    breaker = Breaker(CircuitBreaker(threshold=1, reset_after=10.0))
    breaker.admit()
    before = breaker.period
    breaker.failed(before, 0.0)
    breaker.admit()
    assert not breaker.succeeded(before)
    assert not breaker.failed(before, 5.0)
    breaker.abandoned(before)
    assert (breaker.state, breaker.probes) == ("half_open", 1)


@given(st.integers(1, 4), st.integers(1, 3), st.lists(st.tuples(st.floats(0, 20), st.sampled_from("sfa")), max_size=60))
def test_however_calls_end_it_never_lets_more_probes_through_than_it_may(
    threshold: int, most: int, steps: list[tuple[float, str]]
) -> None:
    breaker = Breaker(CircuitBreaker(threshold, 10.0, most))
    now, under_way = 0.0, []
    for pause, ending in steps:
        now += pause
        if breaker.refuses_for(now) == 0:
            breaker.admit()
            under_way.append(breaker.period)
        assert 0 <= breaker.probes <= most
        if ending == "s" and under_way:
            breaker.succeeded(under_way.pop(0))
        elif ending == "f" and under_way:
            breaker.failed(under_way.pop(), now)
        elif under_way:
            breaker.abandoned(under_way.pop())
        assert 0 <= breaker.probes <= most
        if breaker.state == "closed":
            assert breaker.failures < threshold


@pytest.mark.parametrize("wrong", [{"threshold": 0}, {"reset_after": 0}, {"half_open_max": 0}, {"threshold": 1.5}])
def test_wrong_figures_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"CircuitBreaker.{next(iter(wrong))}"):
        CircuitBreaker(**wrong)  # type: ignore[arg-type]

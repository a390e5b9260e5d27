"""Delays before restarts and attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio._core.backoff import delay
from vega_trio.agent import BackoffConfig, BackoffType


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("exponential", [0.5, 1.5, 4.5, 10, 10]),
        ("linear", [0.5, 1.0, 1.5, 2.0, 2.5]),
        ("constant", [0.5] * 5),
    ],
)
def test_the_three_kinds(kind: str, expected: list[float]) -> None:
    config = BackoffConfig(initial=0.5, multiplier=3, max=10, type=kind)  # type: ignore[arg-type]
    assert [delay(config, attempt, 0.5) for attempt in range(1, 6)] == expected


def test_jitter_spreads_the_capped_delay_evenly_to_both_sides() -> None:
    config = BackoffConfig(initial=1, max=8, jitter=0.25)
    assert [delay(config, 9, rand) for rand in (0, 0.5, 1)] == [6, 8, 10]


def test_attempts_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        delay(BackoffConfig(), 0, 0.5)


def test_an_endless_series_of_attempts_reaches_the_cap_and_stays() -> None:
    assert delay(BackoffConfig(max=30), 10**9, 0.5) == 30
    assert delay(BackoffConfig(initial=0), 10**9, 0.5) == 0
    assert delay(BackoffConfig(multiplier=0), 10**9, 0.5) == 0


configs = st.builds(
    BackoffConfig,
    initial=st.floats(0, 100),
    multiplier=st.floats(0, 10),
    max=st.floats(0, 1000),
    jitter=st.floats(0, 1),
    type=st.sampled_from(BackoffType),
)


@given(configs, st.integers(1, 2000), st.floats(0, 1))
def test_a_delay_is_never_negative_nor_beyond_the_jittered_cap(
    config: BackoffConfig, attempt: int, rand: float
) -> None:
    assert 0 <= delay(config, attempt, rand) <= config.max * (1 + config.jitter) * (1 + 1e-12)


@given(configs.filter(lambda config: config.multiplier >= 1), st.integers(1, 2000))
def test_without_jitter_delays_never_shrink(config: BackoffConfig, attempt: int) -> None:
    assert delay(config, attempt, 0.5) <= delay(config, attempt + 1, 0.5)

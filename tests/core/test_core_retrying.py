"""When a failed model call is made again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio._core.retrying import (
    RETRY_AFTER_CAP_S,
    SPREAD,
    may_fall_back,
    pause_before_retry,
)
from vega_trio.agent import BackoffConfig, RetryPolicy
from vega_trio.errors import BudgetExceeded, CircuitOpen, ModelError, RateLimited
from vega_trio.policies import RETRYABLE
from vega_trio.session import ErrorClass

STEADY = BackoffConfig(initial=1.0, multiplier=2.0, max=5.0)
shares = st.floats(0, 1)


@pytest.mark.parametrize("error_class", list(ErrorClass))
def test_by_default_the_four_passing_classes_are_tried_again_and_no_other(error_class: ErrorClass) -> None:
    pause = pause_before_retry(RetryPolicy(), 1, ModelError("x", error_class), 0.5)
    assert (pause is not None) is (error_class in RETRYABLE)


def test_only_the_named_classes_are_tried_again() -> None:
    policy = RetryPolicy(retry_on=("timeout",))  # type: ignore[arg-type]
    assert pause_before_retry(policy, 1, ModelError("x", ErrorClass.TIMEOUT), 0) is not None
    assert pause_before_retry(policy, 1, ModelError("x", ErrorClass.OVERLOADED), 0) is None


def test_max_attempts_counts_the_first_one() -> None:
    policy = RetryPolicy(max_attempts=3, backoff=STEADY)
    error = ModelError("x", ErrorClass.OVERLOADED)
    assert [pause_before_retry(policy, attempt, error, 0) for attempt in (1, 2, 3)] == [1.0, 2.0, None]


@pytest.mark.parametrize("ours", [CircuitOpen("x", 1.0), RateLimited("x", 1.0), BudgetExceeded("x")])
def test_what_we_refused_ourselves_is_not_asked_again(ours: ModelError) -> None:
    policy = RetryPolicy(retry_on=tuple(ErrorClass))
    assert pause_before_retry(policy, 1, ours, 0) is None
    assert may_fall_back(policy, ours) is not isinstance(ours, BudgetExceeded)


def test_another_model_is_asked_when_this_one_is_to_blame() -> None:
    policy = RetryPolicy()
    assert may_fall_back(policy, ModelError("x", ErrorClass.OVERLOADED))
    assert may_fall_back(policy, CircuitOpen("x", 1.0))
    assert not may_fall_back(policy, ModelError("x", ErrorClass.INVALID_REQUEST))
    assert not may_fall_back(policy, BudgetExceeded("x"))


@given(st.floats(0, 1e6), shares)
def test_the_wait_asked_for_is_kept_up_to_the_cap_and_jitter_only_adds(asked: float, rand: float) -> None:
    error = ModelError("x", ErrorClass.RATE_LIMIT, retry_after_s=asked)
    pause = pause_before_retry(RetryPolicy(backoff=BackoffConfig(initial=0)), 1, error, rand)
    assert pause is not None
    assert min(asked, RETRY_AFTER_CAP_S) <= pause <= RETRY_AFTER_CAP_S * (1 + SPREAD)


@given(st.integers(1, 50), shares)
def test_without_a_wait_asked_for_the_backoff_holds(attempt: int, rand: float) -> None:
    policy = RetryPolicy(max_attempts=100, backoff=BackoffConfig(initial=1, max=30, jitter=0.1))
    pause = pause_before_retry(policy, attempt, ModelError("x", ErrorClass.TIMEOUT), rand)
    assert pause is not None
    assert 0.9 <= pause <= 33.0


@pytest.mark.parametrize("wrong", [0, -1, True, 1.5, "3"])
def test_attempts_are_a_whole_number_from_one(wrong: object) -> None:
    with pytest.raises(ValueError, match="max_attempts"):
        RetryPolicy(max_attempts=wrong)  # type: ignore[arg-type]


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(ValueError, match="sometimes"):
        RetryPolicy(retry_on=("sometimes",))  # type: ignore[arg-type]

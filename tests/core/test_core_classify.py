from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio._core.classify import ProviderError, classify, read_error, read_retry_after
from vega_trio.session import ErrorClass


def body(kind: str, message: str = "") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (429, "rate_limit_error", ErrorClass.RATE_LIMIT),
        (529, "overloaded_error", ErrorClass.OVERLOADED),
        (503, "", ErrorClass.OVERLOADED),
        (504, "timeout_error", ErrorClass.TIMEOUT),
        (408, "", ErrorClass.TIMEOUT),
        (500, "api_error", ErrorClass.TEMPORARY),
        (502, "", ErrorClass.TEMPORARY),
        (401, "authentication_error", ErrorClass.AUTHENTICATION),
        (403, "permission_error", ErrorClass.AUTHENTICATION),
        (402, "billing_error", ErrorClass.AUTHENTICATION),
        (400, "invalid_request_error", ErrorClass.INVALID_REQUEST),
        (404, "not_found_error", ErrorClass.INVALID_REQUEST),
        (418, "", ErrorClass.INVALID_REQUEST),
        (413, "request_too_large", ErrorClass.CONTEXT_OVERFLOW),
        (400, "exceed_context_size_error", ErrorClass.CONTEXT_OVERFLOW),
    ],
)
def test_each_status_and_type_has_its_class(status: int, kind: str, expected: ErrorClass) -> None:
    assert classify(status, read_error(body(kind))) is expected


def test_inside_a_stream_the_type_decides_since_the_status_is_200() -> None:
    assert classify(200, read_error(body("overloaded_error"))) is ErrorClass.OVERLOADED
    assert classify(200, read_error(body("something_new"))) is ErrorClass.TEMPORARY


def test_a_prompt_that_does_not_fit_is_a_context_overflow() -> None:
    error = read_error(body("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"))
    assert classify(400, error) is ErrorClass.CONTEXT_OVERFLOW


def test_words_of_the_message_alone_decide_nothing() -> None:
    assert classify(400, ProviderError("", "rate limit, overloaded, prompt is too long")) is ErrorClass.INVALID_REQUEST


def test_a_retry_after_is_seconds_or_milliseconds_or_a_date() -> None:
    assert read_retry_after({"retry-after": "2.5"}, 0) == 2.5
    assert read_retry_after({"retry-after": "9", "retry-after-ms": "250"}, 0) == 0.25
    assert read_retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, 20) == 40
    assert read_retry_after({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 20) == 0
    assert read_retry_after({}, 0) is None


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "", "Thu, 99 Foo"])
def test_a_retry_after_that_cannot_be_read_is_none(text: str) -> None:
    assert read_retry_after({"retry-after": text}, 0) is None


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=10),
    lambda inner: st.dictionaries(st.sampled_from(["error", "type", "message"]), inner) | st.lists(inner, max_size=2),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.integers(100, 999), JSON, st.text(max_size=30))
def test_any_status_and_any_body_have_a_class(status: int, anything: Any, header: str) -> None:
    assert isinstance(classify(status, read_error(anything)), ErrorClass)
    wait = read_retry_after({"retry-after": header}, 0)
    assert wait is None or wait >= 0


def test_a_type_that_says_nothing_gives_way_to_the_status() -> None:
    known = {401: ErrorClass.AUTHENTICATION, 429: ErrorClass.RATE_LIMIT, 529: ErrorClass.OVERLOADED}
    for status, expected in known.items():
        assert classify(status, ProviderError("api_error", "gateway says no")) is expected
    assert classify(200, ProviderError("api_error", "inside a stream")) is ErrorClass.TEMPORARY
    assert classify(500, ProviderError("api_error", "Internal server error")) is ErrorClass.TEMPORARY

"""What kind of failure a model provider's answer is.

The rules, first match wins: a type that means too much context; the error's code; its type; the status. Types come
before the status because an error inside a stream arrives under status 200. Of the text one phrase is read, where
providers give no type of its own: the prompt that does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import attrs

from vega_trio.session import ErrorClass

_BY_TYPE: Final[Mapping[str, ErrorClass]] = {
    "rate_limit_error": ErrorClass.RATE_LIMIT,
    "overloaded_error": ErrorClass.OVERLOADED,
    "unavailable_error": ErrorClass.OVERLOADED,  # llama.cpp, while it loads a model
    "timeout_error": ErrorClass.TIMEOUT,
    "api_error": ErrorClass.TEMPORARY,
    "server_error": ErrorClass.TEMPORARY,
    "conflict_error": ErrorClass.TEMPORARY,
    "authentication_error": ErrorClass.AUTHENTICATION,
    "permission_error": ErrorClass.AUTHENTICATION,
    "billing_error": ErrorClass.AUTHENTICATION,  # the account, not vega's budget, is spent
    "invalid_request_error": ErrorClass.INVALID_REQUEST,
    "not_found_error": ErrorClass.INVALID_REQUEST,
    "not_supported_error": ErrorClass.INVALID_REQUEST,
}
# Chat completions say more in the error's code than in its type.
_BY_CODE: Final[Mapping[str, ErrorClass]] = {
    "context_length_exceeded": ErrorClass.CONTEXT_OVERFLOW,
    "rate_limit_exceeded": ErrorClass.RATE_LIMIT,
    "insufficient_quota": ErrorClass.AUTHENTICATION,  # the account is spent: waiting does not help
    "invalid_api_key": ErrorClass.AUTHENTICATION,
    "model_not_found": ErrorClass.INVALID_REQUEST,
    "content_filter": ErrorClass.REFUSAL,
    "content_policy_violation": ErrorClass.REFUSAL,
    "server_overloaded": ErrorClass.OVERLOADED,
}
_BY_STATUS: Final[Mapping[int, ErrorClass]] = {
    401: ErrorClass.AUTHENTICATION,
    402: ErrorClass.AUTHENTICATION,
    403: ErrorClass.AUTHENTICATION,
    408: ErrorClass.TIMEOUT,
    409: ErrorClass.TEMPORARY,
    413: ErrorClass.CONTEXT_OVERFLOW,
    425: ErrorClass.TEMPORARY,
    429: ErrorClass.RATE_LIMIT,
    503: ErrorClass.OVERLOADED,
    504: ErrorClass.TIMEOUT,
    529: ErrorClass.OVERLOADED,
}
_SAYS_NOTHING: Final = frozenset({"api_error", "server_error"})
_OVERFLOW_TYPES: Final = frozenset({"request_too_large", "exceed_context_size_error"})
_OVERFLOW_PHRASES: Final = ("prompt is too long", "exceed context limit", "maximum context length")
_WRONG_REQUEST: Final = frozenset({"invalid_request_error", "BadRequestError"})
"""What the Messages API and OpenAI call it, and what vLLM does."""


@attrs.frozen
class ProviderError:
    """What an error body says: `{"error": {"type", "message", "code"}}`. Empty where it does not."""

    type: str = ""
    message: str = ""
    code: str = ""


def read_error(body: object) -> ProviderError:
    """The error in a decoded body, whatever the body is."""
    error = body.get("error") if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return ProviderError(message=_text(error).strip()[:500])
    return ProviderError(_text(error.get("type")), _text(error.get("message")).strip()[:500], _text(error.get("code")))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def classify(status: int, error: ProviderError) -> ErrorClass:
    """`status` is the response's, 200 for an error that came inside a stream."""
    if error.type in _OVERFLOW_TYPES:
        return ErrorClass.CONTEXT_OVERFLOW
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if error.type in _WRONG_REQUEST and any(each in error.message for each in _OVERFLOW_PHRASES):
        return ErrorClass.CONTEXT_OVERFLOW
    # Gateways answer every refusal with a type that says nothing; the status knows better, where there is one.
    if error.type in _BY_TYPE and not (error.type in _SAYS_NOTHING and status >= 400):
        return _BY_TYPE[error.type]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return ErrorClass.INVALID_REQUEST if 400 <= status < 500 else ErrorClass.TEMPORARY


def read_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the provider asks to wait (RFC 9110, 10.2.3: seconds or a date), or None.

    `headers` has lower-case names; `now` is Unix seconds. `retry-after-ms` is finer and goes first.
    """
    millis = _number(headers.get("retry-after-ms"))
    if millis is not None:
        return millis / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None

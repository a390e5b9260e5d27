"""Keys and addresses of providers, from the environment: checked before anything is sent anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from vega_trio._core.redact import shown_url
from vega_trio.errors import ModelError
from vega_trio.session import ErrorClass


def api_key(env: Mapping[str, str], variable: str, place: str) -> str:
    """The key, or nothing. `place` is where a person gets one. Raises: ModelError for what no key looks like."""
    key = env.get(variable, "").strip()
    if not key.isascii() or not (key.isprintable() or not key) or " " in key:
        raise ModelError(
            f"{variable} holds characters that no key has; copy it again from {place}", ErrorClass.AUTHENTICATION
        )
    return key


def base_url(env: Mapping[str, str], variable: str, default: str) -> str:
    """Raises: ModelError for what is no address over HTTP."""
    url = env.get(variable, "").strip() or default
    problem = ModelError(
        f"{variable} is {shown_url(url)!r}, which is no address such as {default!r}", ErrorClass.INVALID_REQUEST
    )
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError as error:  # a port that is no number, a broken IPv6 address
        raise problem from error
    if not usable:
        raise problem
    return url

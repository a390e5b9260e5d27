"""What a tool returned, as the text a model reads."""

from __future__ import annotations

from typing import Any, Final

import msgspec

OUTPUT_LIMIT: Final = 64 * 1024  # bytes of UTF-8: one call must not fill the model's context


def as_text(value: Any) -> str:
    """Text as it is, nothing for None, anything else as compact JSON (attrs classes and dataclasses too).

    Raises: TypeError for a value that has no JSON form.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return msgspec.json.encode(value).decode()
    except TypeError as error:
        raise TypeError(f"the tool returned a {type(value).__name__}, which has no JSON form: {error}") from error


def cap(text: str, limit: int = OUTPUT_LIMIT) -> str:
    """At most `limit` bytes of UTF-8 and, where something was left out, a note that says so."""
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return data.decode()
    return f"{data[:limit].decode('utf-8', 'ignore')}\n{note(limit, len(data))}"


def note(shown: int, total: int) -> str:
    return f"[output truncated: cut after {shown:,} of {total:,} bytes]"

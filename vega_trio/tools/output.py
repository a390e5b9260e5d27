"""What a tool returned, as the text a model reads."""

from __future__ import annotations

from typing import Any, Final

import msgspec

OUTPUT_LIMIT: Final = 64 * 1024  # bytes of UTF-8: one call must not fill the model's context
SHOWN_LIMIT: Final = OUTPUT_LIMIT - 512  # of a text that is cut, so that the note fits and nobody cuts it again


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


def cap(text: str) -> str:
    """At most 64 KiB of UTF-8 and, where something was left out, a note that says so."""
    data = text.encode("utf-8", "replace")
    if len(data) <= OUTPUT_LIMIT:
        return data.decode()
    return cut(data, len(data))


def cut(data: bytes, total: int) -> str:
    """The beginning of `data`, no character split, and a note that there were `total` bytes."""
    shown = data[:SHOWN_LIMIT]
    return f"{shown.decode('utf-8', 'ignore')}\n[output truncated: cut after {len(shown):,} of {total:,} bytes]"

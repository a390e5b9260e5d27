"""How much of what a tool says a model is given."""

from __future__ import annotations

from typing import Final

OUTPUT_LIMIT: Final = 64 * 1024  # bytes of UTF-8: one call must not fill the model's context
SHOWN_LIMIT: Final = OUTPUT_LIMIT - 512  # of a text that is cut, so that the note fits and nobody cuts it again


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

"""HTTP headers made of what others wrote: no name and no value may smuggle in another header."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2: token."""

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
"""The header that has a server do a thing once."""


def breaks_line(value: str) -> bool:
    """Whether the value would end its header, or the text it stands in."""
    return any(char in value for char in "\r\n\0")


def idempotency_value(key: str) -> str:
    """The key of a call in a form that a header may hold."""
    return quote(key, safe="/=.")

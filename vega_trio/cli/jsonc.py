"""JSON as editors allow it, with comments and trailing commas, as plain JSON: pure."""

from __future__ import annotations

import re

_TEXT = r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)'  # one that does not end is all that follows, looked at once
_COMMENT = re.compile(rf"({_TEXT})|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA = re.compile(rf"({_TEXT})|,(?=\s*[\]}}])", re.DOTALL)


def plain_json(text: str) -> str:
    """Without the comments and commas; what stands in quotes stays."""
    return _LAST_COMMA.sub(_kept, _COMMENT.sub(_kept, text))


def _kept(found: re.Match[str]) -> str:
    return found[1] or " "

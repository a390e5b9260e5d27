"""Names, and patterns that stand for several: `server__*`, where `*` is any text and nothing else is special.

fnmatch is not used: brackets and question marks are plain characters in the name of a tool.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the names or patterns is the name's."""
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None
        if "*" in pattern
        else pattern == name
        for pattern in patterns
    )

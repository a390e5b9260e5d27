"""The form of an explanation."""

from __future__ import annotations

import attrs


@attrs.frozen
class Explanation:
    """One line of meaning, and an example of the mistake and of its repair."""

    code: str
    meaning: str
    wrong: str
    right: str

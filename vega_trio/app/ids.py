"""Names for what comes into being while the program runs."""

from __future__ import annotations

import os
import random
from collections.abc import Callable


def new_id() -> str:
    """Twelve hexadecimal digits: short enough to type, long enough for the ids of years in one store."""
    return os.urandom(6).hex()


def open_ids() -> Callable[[], str]:
    """Draws ids as `new_id` does, for who needs many: asks the system for chance only once."""
    bits = random.Random().getrandbits  # noqa: S311 - a name, not a secret
    return lambda: f"{bits(48):012x}"

"""Starting anew."""

from __future__ import annotations

import attrs


@attrs.frozen
class Reset:
    """`confirm` is the word `reset`: nobody sends that by mistake."""

    confirm: str

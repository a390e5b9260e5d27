"""What agents remember."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class MemoryLayer:
    """One layer of what an agent remembers of a user, such as profile, journal or notes."""

    user_id: str
    agent: str
    layer: str
    content: str
    created_at: str
    updated_at: str


@attrs.frozen(kw_only=True)
class MemoryEntry:
    user_id: str
    agent: str
    layers: tuple[MemoryLayer, ...]

"""The supervision tree."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class SupervisorChild:
    """A child; one that is a supervisor has its own tree below."""

    id: str
    restart: str
    status: str
    process_id: str | None = None
    supervisor: SupervisorEntry | None = None


@attrs.frozen(kw_only=True)
class SupervisorEntry:
    id: str
    strategy: str
    restarts_used: int
    max_restarts: int | None
    window_s: float
    children: tuple[SupervisorChild, ...]

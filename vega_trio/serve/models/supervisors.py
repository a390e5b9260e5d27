"""The supervision tree."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class SupervisorChild:
    """A child; one that is a supervisor has its own tree below.

    The restarts are those that its own policy has granted; without `max_restarts` it grants any number.
    """

    id: str
    restart: str
    status: str
    process_id: str | None = None
    restarts_used: int | None = None
    max_restarts: int | None = None
    window_s: float | None = None
    supervisor: SupervisorEntry | None = None


@attrs.frozen(kw_only=True)
class SupervisorEntry:
    id: str
    strategy: str
    restarts_used: int
    max_restarts: int | None
    window_s: float
    children: tuple[SupervisorChild, ...]

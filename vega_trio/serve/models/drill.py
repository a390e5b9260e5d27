"""The fault drill."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class FaultEntry:
    """A fault that can be played."""

    fault: str
    description: str


@attrs.frozen
class DrillRequest:
    """`process_id` with the fault `kill`: whose life is ended. The others are the demo model's next calls."""

    fault: str
    process_id: str | None = None

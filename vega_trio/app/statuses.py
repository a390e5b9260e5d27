"""How a process, a run and an approval can stand, as lists, filters and answers name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from vega_trio.engine.approvals import ApprovalStatus

RunStatus = Literal["running", "completed", "failed", "cancelled", "interrupted"]

PROCESS_STATUSES: Final = ("pending", "running", "completed", "failed", "timeout")
RUN_STATUSES: Final[tuple[str, ...]] = get_args(RunStatus)
APPROVAL_STATUSES: Final[tuple[ApprovalStatus, ...]] = ("pending", "approved", "denied", "expired", "cancelled")

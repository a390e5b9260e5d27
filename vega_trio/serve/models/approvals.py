"""Tool calls that wait for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.serve.models.common import ApprovalStatus


@attrs.frozen
class ApprovalAnswer:
    """`decision`: approve or deny. `arguments` take the place of those asked for; `note` goes to the model."""

    decision: str
    arguments: Mapping[str, Any] | None = None
    note: str = ""


@attrs.frozen(kw_only=True)
class ApprovalEntry:
    """A tool call that waits, or waited, for a person. `changed` are the arguments that the person put instead."""

    id: str
    process_id: str
    agent: str
    tool_name: str
    arguments: Mapping[str, Any]
    reason: str
    created_at: str
    expires_at: str
    status: ApprovalStatus
    session_id: str | None = None
    turn_id: str | None = None
    tool_call_id: str = ""
    note: str = ""
    changed: Mapping[str, Any] | None = None
    decided_at: str | None = None

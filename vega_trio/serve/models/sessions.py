"""Conversations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class NewSession:
    agent: str
    title: str = ""


@attrs.frozen
class SessionChange:
    title: str | None = None
    archived: bool | None = None


@attrs.frozen(kw_only=True)
class SessionEntry:
    """A conversation. `message_count` counts one message of each side a turn."""

    id: str
    agent: str
    user: str
    title: str
    created_at: str
    updated_at: str
    message_count: int
    archived: bool = False


@attrs.frozen(kw_only=True)
class SessionMessage:
    """A message as it is stored; a turn has several when tools were called. `content` is its text."""

    seq: int
    turn_id: str
    role: str
    content: str
    parts: tuple[Mapping[str, Any], ...]
    created_at: str

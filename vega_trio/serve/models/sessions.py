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


@attrs.frozen
class Regeneration:
    """`message_id`: of a turn, or of one of its messages; without it the last turn."""

    message_id: str | None = None


@attrs.frozen
class SessionEdit:
    """`message` takes the place of what was asked; all that came after it is forgotten."""

    message: str
    message_id: str | None = None


@attrs.frozen
class SessionBranch:
    """The new conversation ends with the turn of `message_id`; without it, as this one does."""

    message_id: str | None = None
    title: str = ""


@attrs.frozen(kw_only=True)
class TurnBegun:
    """A turn under way; `GET /api/agents/{agent}/chat/stream?session=` shows it."""

    status: str
    session_id: str
    agent: str
    turn_id: str


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

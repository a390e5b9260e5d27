"""Chat: what is asked, and what was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.serve.models.common import Speaker


@attrs.frozen
class GivenFile:
    """A file that goes with a message: an image (PNG, JPEG, GIF, WebP), a PDF, or text in UTF-8. `data` is base64."""

    data: str
    media_type: str
    name: str = ""


@attrs.frozen
class ChatRequest:
    """`message` may be empty where something is attached."""

    message: str
    session: str | None = None
    attachments: tuple[GivenFile, ...] = ()


@attrs.frozen(kw_only=True)
class TurnMetrics:
    """`cost_usd` is null when no price is known."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    duration_ms: int


@attrs.frozen(kw_only=True)
class ChatAnswer:
    response: str
    turn_id: str
    metrics: TurnMetrics


@attrs.frozen(kw_only=True)
class AttachmentEntry:
    """A file of the conversation; `GET /api/agents/{name}/chat/attachments/{id}` is what it holds. `size` in bytes."""

    id: str
    media_type: str
    size: int
    name: str = ""


@attrs.frozen(kw_only=True)
class ToolCallEntry:
    tool_call_id: str
    tool_name: str
    arguments: Mapping[str, Any]
    result: str
    duration_ms: int
    text_offset: int
    error: bool = False
    images: tuple[AttachmentEntry, ...] = ()


@attrs.frozen(kw_only=True)
class ChatEntry:
    """One side of a turn."""

    role: Speaker
    content: str
    id: str
    created_at: str
    tool_calls: tuple[ToolCallEntry, ...] = ()
    attachments: tuple[AttachmentEntry, ...] = ()


@attrs.frozen(kw_only=True)
class ChatState:
    streaming: bool
    turn_id: str | None = None
    queued: int
    waiting_on: str = ""


@attrs.frozen(kw_only=True)
class NoTurn:
    """There is no turn to join."""

    streaming: bool

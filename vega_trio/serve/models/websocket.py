"""Messages of a websocket's client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from vega_trio.serve.models.chat import GivenFile


@attrs.frozen
class WsMessage:
    """What every message has; `ref` comes back in what answers it."""

    op: str
    ref: Any = None


@attrs.frozen
class WsChat:
    agent: str
    message: str
    session: str | None = None
    attachments: tuple[GivenFile, ...] = ()


@attrs.frozen
class WsStop:
    """One of the two."""

    session: str | None = None
    agent: str | None = None


@attrs.frozen
class WsSubscription:
    """`types`, `process_id` and `agent` filter the topic `events`."""

    topics: tuple[str, ...]
    last_event_id: int | None = None
    types: str = ""
    process_id: str | None = None
    agent: str | None = None


@attrs.frozen
class WsApproval:
    approval_id: str
    decision: str
    arguments: Mapping[str, Any] | None = None
    note: str = ""

"""Events as JSON, the one shape that the event stream, the log and the store share (`http-api` section 4)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import attrs

from vega_trio._core.codec import encode_json
from vega_trio.events import Event


def event_to_wire(event: Event) -> dict[str, Any]:
    """The event as a JSON value: `{"type", "process_id", "agent", "data", "timestamp"}`.

    `data` holds all fields of the event's own class, so that a reader can rely on them, and then `incarnation`,
    `turn_id` and `session_id` where the event has them. `process_id` and `agent` are left out where it has none.
    The id is not part of it: it is known only at the commit and travels beside.

    Raises: ValueError when `event.at` is no time.
    """
    wire: dict[str, Any] = {"type": event.type}
    if event.process_id is not None:
        wire["process_id"] = event.process_id
    if event.agent is not None:
        wire["agent"] = event.agent
    kind = type(event)  # mypy takes the hash of a frozen class's instances for the class's own
    data = {shown: getattr(event, name) for shown, name in _own_fields(kind)}  # type: ignore[arg-type]
    if event.incarnation is not None:
        data["incarnation"] = event.incarnation
    if event.turn_id is not None:
        data["turn_id"] = event.turn_id
    if event.session_id is not None:
        data["session_id"] = event.session_id
    wire["data"] = data
    wire["timestamp"] = rfc3339(event.at)
    return wire


def encode_event(event: Event) -> bytes:
    """`event_to_wire` as compact UTF-8 JSON. Raises: ValueError."""
    return encode_json(event_to_wire(event))


def rfc3339(at: float) -> str:
    """Unix seconds as RFC 3339 in UTC with milliseconds, cut off: `2026-11-22T10:15:30.120Z`.

    Raises: ValueError when `at` is not within the years 1 to 9999.
    """
    try:
        second, rest = divmod(round(at * 1_000_000) // 1000, 1000)
        return f"{_second(second)}.{rest:03d}Z"
    except (ValueError, OverflowError, OSError, TypeError) as error:
        raise ValueError(f"{at!r} is no time in Unix seconds: {error}") from error


@lru_cache(maxsize=64)  # a burst has many events to a second
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]


@cache
def _own_fields(kind: type[Event]) -> tuple[tuple[str, str], ...]:
    """(name on the wire, field): the same but where the wire's name is a word of Python."""
    header = {field.name for field in attrs.fields(Event)}
    own = [field for field in attrs.fields(kind) if field.name not in header]
    return tuple((field.metadata.get("wire", field.name), field.name) for field in own)

"""Events as JSON, the one shape that the event stream, the log and the store share (`http-api` section 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Final

import attrs
import msgspec

from vega_trio._core.codec import encode_json
from vega_trio.events import Event

_HEADER: Final = ("process_id", "agent", "incarnation", "turn_id", "session_id")
_HEADER_LENGTH: Final = len(_HEADER)
_RAW: Final = msgspec.json.Decoder(list[msgspec.Raw])
_FAR: Final = 200_000_000_000.0  # Unix seconds well within the years that can be written
_NULL: Final = msgspec.Raw(b"null")


def event_to_wire(event: Event) -> dict[str, Any]:
    """The event as a JSON value: `{"type", "process_id", "agent", "data", "timestamp"}`.

    `data` holds all fields of the event's own class, so that a reader can rely on them, and then `incarnation`,
    `turn_id` and `session_id` where the event has them. `process_id` and `agent` are left out where it has none.
    The id is not part of it: it is known only at the commit and travels beside.

    Raises: ValueError when `event.at` is no time.
    """
    names, values_of = _fields(type(event))  # type: ignore[arg-type] # mypy takes a class's hash for its instances'
    return _to_wire(event.type, event.at, names, values_of(event))


def _to_wire(kind: str, at: float, names: tuple[str, ...], values: Sequence[Any]) -> dict[str, Any]:
    process_id, agent, incarnation, turn_id, session_id = values[:_HEADER_LENGTH]
    data = dict(zip(names, values[_HEADER_LENGTH:], strict=True))
    wire: dict[str, Any] = {"type": kind}
    if process_id is not None:
        wire["process_id"] = process_id
    if agent is not None:
        wire["agent"] = agent
    if incarnation is not None:
        data["incarnation"] = incarnation
    if turn_id is not None:
        data["turn_id"] = turn_id
    if session_id is not None:
        data["session_id"] = session_id
    wire["data"] = data
    wire["timestamp"] = rfc3339(at)
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
def _fields(kind: type[Event]) -> tuple[tuple[str, ...], Callable[[Event], tuple[Any, ...]]]:
    """What of such an event is on the wire: the names in `data`, and what gets the values, the header's first."""
    header = {field.name for field in attrs.fields(Event)}
    own = [field for field in attrs.fields(kind) if field.name not in header]
    # The wire's name is another where it is a word of Python.
    names = tuple(field.metadata.get("wire", field.name) for field in own)
    return names, attrgetter(*_HEADER, *(field.name for field in own))


def pack_event(event: Event) -> tuple[tuple[str, ...], bytes]:
    """What `unpack_event` makes `encode_event`'s bytes of, at a quarter of their cost.

    For who keeps every event and shows few. Raises: ValueError, as `encode_event`.
    """
    names, values_of = _fields(type(event))  # type: ignore[arg-type]
    if not 0 <= event.at < _FAR:
        rfc3339(event.at)  # it says what is wrong with it, if anything is
    return names, encode_json(values_of(event))


def unpack_event(kind: str, at: float, names: tuple[str, ...], packed: bytes) -> bytes:
    """`kind` is the event's type on the wire, `at` its time."""
    values = [None if value == _NULL else value for value in _RAW.decode(packed)]
    return encode_json(_to_wire(kind, at, names, values))

"""Server-sent events as bytes (WHATWG HTML, 9.2.6): one frame is `event`, `data` and `id` lines and an empty line."""

from __future__ import annotations

from collections.abc import Mapping

from vega_trio._core.codec import encode_json

CONNECTED = b": connected\n\n"
HEARTBEAT = b": heartbeat\n\n"

_MAX_DEPTH = 64


def frame(kind: str, data: bytes, frame_id: str | int | None) -> bytes:
    """One frame. `data` is compact JSON, so it holds no line break; without an id the client keeps its last one."""
    head = b"event: %b\ndata: %b\n" % (kind.encode(), data)
    return head + (b"\n" if frame_id is None else b"id: %b\n\n" % str(frame_id).encode())


def data_frame(data: bytes) -> bytes:
    """A frame of data alone, for streams whose data says what it is."""
    return b"data: %b\n\n" % data


def to_json(value: object) -> bytes:
    """The value as compact JSON, whatever it is: an answer under way cannot be refused for one odd character.

    What JSON cannot say (half a surrogate pair from a file name, a tool's own object) is shown as nearly as it can.
    """
    try:
        return encode_json(value)
    except ValueError:
        return encode_json(_sayable(value, _MAX_DEPTH))


def _sayable(value: object, depth: int) -> object:
    if depth == 0:
        return "..."
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return value.encode("utf-8", "replace").decode()
        case Mapping():
            return {_sayable(str(key), 1): _sayable(each, depth - 1) for key, each in value.items()}
        case list() | tuple():
            return [_sayable(each, depth - 1) for each in value]
        case _:
            return _sayable(repr(value), 1)

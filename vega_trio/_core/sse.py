"""Server-sent events out of bytes (WHATWG HTML, "9.2.6 Interpreting an event stream"), whatever way they are cut.

Kept to what the wire of a model needs: fields `id` and `retry` and the reconnection they serve are passed over.
Lines are decoded once they are whole, so a cut inside a character does no harm; `data` stays bytes for a JSON
decoder to read.
"""

from __future__ import annotations

import attrs

MAX_EVENT_BYTES = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class EventTooLong(ValueError):
    """One event has more bytes than the decoder takes."""


@attrs.frozen
class ServerSentEvent:
    """`event` is empty when the stream named none (the standard's `message`). `data` has its lines joined by LF.
    `id` is the last one that the stream has given."""

    event: str
    data: bytes
    id: str = ""


@attrs.define
class SseDecoder:
    """Feed it chunks; it gives the events they complete. An event that the end of the stream cuts off is dropped.

    `max_bytes` bounds one event, so that a stream without line ends cannot fill the memory.
    """

    max_bytes: int = MAX_EVENT_BYTES
    _cut: list[bytes] = attrs.field(factory=list, init=False)
    _cut_size: int = attrs.field(default=0, init=False)
    _event: str = attrs.field(default="", init=False)
    _id: str = attrs.field(default="", init=False)
    _data: list[bytes] = attrs.field(factory=list, init=False)
    _data_size: int = attrs.field(default=0, init=False)
    _after_cr: bool = attrs.field(default=False, init=False)
    _started: bool = attrs.field(default=False, init=False)

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Raises: EventTooLong."""
        events: list[ServerSentEvent] = []
        for line in self._lines(chunk):
            if line:
                self._field(line)
                continue
            if self._data:
                events.append(ServerSentEvent(self._event, b"\n".join(self._data), self._id))
                self._data, self._data_size = [], 0
            self._event = ""
        return events

    def _lines(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes, without their ends: LF, CR or CRLF."""
        if self._after_cr and chunk:
            # The CR has ended its line already; an LF that follows, even in a later chunk, belongs to it.
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if not chunk:
            return []
        if b"\n" not in chunk and b"\r" not in chunk:
            self._keep(chunk)
            return []
        lines = (b"".join(self._cut) + chunk).splitlines(keepends=True)
        self._cut, self._cut_size = [], 0
        if not lines[-1].endswith((b"\n", b"\r")):
            self._keep(lines.pop())
        elif lines[-1].endswith(b"\r"):
            self._after_cr = True
        if not self._started and lines:
            self._started = True
            lines[0] = lines[0].removeprefix(_BOM)
        return [line.rstrip(b"\r\n") for line in lines]

    def _keep(self, piece: bytes) -> None:
        """Keeps the beginning of a line. Pieces are joined once, when the line ends: small chunks stay cheap."""
        self._cut.append(piece)
        self._cut_size += len(piece)
        self._bound()

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._data_size += len(value) + 1
            self._bound()
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")

    def _bound(self) -> None:
        if self._cut_size + self._data_size > self.max_bytes:
            raise EventTooLong(f"an event of the stream is longer than {self.max_bytes} bytes")

"""The events of the store in memory: the newest so many, each with its id."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from itertools import islice

import attrs

from vega_trio._core.wire import pack_event, unpack_event
from vega_trio.events import Event
from vega_trio.protocols import StoredEvent

# type, process_id, agent, turn_id, at, and what `pack_event` gives. A tuple of texts and numbers is nothing to the
# cycle collector, which would walk ten thousand objects again and again.
_Kept = tuple[str, str | None, str | None, str | None, float, tuple[str, ...], bytes]


@attrs.define(eq=False)
class MemoryEvents:
    """At most `most`; older ones are forgotten. Few are ever read: each is brought into the wire's shape when it is."""

    most: int
    last_id: int = 0
    _kept: deque[_Kept] = attrs.field(factory=deque, repr=False)

    def append(self, event: Event) -> None:
        """Keeps one that may be taken back: nothing is forgotten yet. Raises: ValueError when JSON cannot hold it."""
        names, packed = pack_event(event)
        self._kept.append((event.type, event.process_id, event.agent, event.turn_id, event.at, names, packed))
        self.last_id += 1

    def take_back(self) -> None:
        """The last one was none."""
        self._kept.pop()
        self.last_id -= 1

    def forget_old(self) -> None:
        while len(self._kept) > self.most:
            self._kept.popleft()

    def after(self, event_id: int, limit: int) -> list[StoredEvent]:
        """In order of id."""
        start = max(0, event_id + 1 - self._oldest_id)
        kept = islice(self._kept, start, start + limit)
        return [_stored(id_, each) for id_, each in enumerate(kept, self._oldest_id + start)]

    def of(self, process_id: str, types: Collection[str]) -> list[StoredEvent]:
        """A process's, of these types."""
        kept = enumerate(self._kept, self._oldest_id)
        return [_stored(id_, each) for id_, each in kept if each[0] in types and each[1] == process_id]

    @property
    def _oldest_id(self) -> int:
        return self.last_id - len(self._kept) + 1


def _stored(event_id: int, kept: _Kept) -> StoredEvent:
    kind, process_id, agent, turn_id, at, names, packed = kept
    return StoredEvent(event_id, kind, process_id, agent, turn_id, at, unpack_event(kind, at, names, packed))

"""What a turn has to do with the memory of users: it is told of it, and leaves word of what was said."""

from __future__ import annotations

from typing import Protocol

import attrs

from vega_trio.changes import Change
from vega_trio.runtime.process import Process


@attrs.frozen
class Told:
    """What follows the agent's prompt, and what whoever reads it has seen, as `approving` has it."""

    text: str
    seen: frozenset[str]


class Recollection(Protocol):
    """The memory of an application. Neither of the two waits for a model."""

    async def told(self, process: Process) -> Told | None:
        """Of the user for whom the process works; None when nothing is known. Raises: StoreError."""
        ...

    def due(self, process: Process, turn_id: str, seen: frozenset[str]) -> tuple[Change, ...]:
        """What is written down with the end of a conversation's turn, so that it is remembered, whatever comes."""
        ...

"""What an exit signal does to the process it reaches, and who is linked to whom. Erlang's rules.

    how it comes       to a trapper    to others
    exit(Killed())     kills           kills
    exit(Normal)       message         nothing
    exit(other)        message         dies of it
    link, Normal       message         nothing
    link, other        message         dies of it, of Killed too

`Killed` running down a link can be trapped: only the kill itself cannot.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Generic, TypeVar

import attrs

from vega_trio.exits import ExitReason, Killed, Normal


class Reaction(Enum):
    """What becomes of the process that a signal reaches."""

    IGNORE = auto()
    MESSAGE = auto()
    DIE = auto()
    KILL = auto()


def reaction(reason: ExitReason, *, trapping: bool, linked: bool) -> Reaction:
    """What a signal from another process does."""
    if isinstance(reason, Killed) and not linked:
        return Reaction.KILL
    if trapping:
        return Reaction.MESSAGE
    return Reaction.IGNORE if isinstance(reason, Normal) else Reaction.DIE


T = TypeVar("T")


@attrs.define(eq=False)
class Links(Generic[T]):
    """Symmetric pairs, each at most once. Peers are listed in the order in which they were linked."""

    _peers: dict[T, dict[T, None]] = attrs.field(factory=dict)

    def link(self, one: T, other: T) -> bool:
        """Whether they had not been linked before. Nobody is linked to itself."""
        if one == other or other in self._peers.get(one, ()):
            return False
        self._peers.setdefault(one, {})[other] = None
        self._peers.setdefault(other, {})[one] = None
        return True

    def unlink(self, one: T, other: T) -> None:
        self._drop(one, other)
        self._drop(other, one)

    def sever(self, one: T) -> list[T]:
        """Undoes all links of `one` and returns whom it was linked to."""
        peers = self._peers.pop(one, None)
        if peers is None:
            return []
        for peer in peers:
            self._drop(peer, one)
        return list(peers)

    def of(self, one: T) -> list[T]:
        return list(self._peers.get(one, ()))

    def _drop(self, one: T, other: T) -> None:
        peers = self._peers.get(one)
        if peers is not None:
            peers.pop(other, None)
            if not peers:
                del self._peers[one]

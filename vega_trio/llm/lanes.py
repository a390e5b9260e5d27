"""HTTP clients of one server, each of which has few calls at a time.

A client's pool looks at all its connections at each request, and asks the socket of each idle one whether it still
stands: with hundreds of calls in one pool that is most of what a call costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import attrs
import trio

if TYPE_CHECKING:
    import httpx

MOST_CALLS: Final = 16
ALL: Final = float("inf")  # one client for all calls
_KEPT_S: Final = 5.0
_CLOSING_S: Final = 5.0


@attrs.define(eq=False)
class Lane:
    """A client and the `calls` that it has under way; `idle_since` is `trio.current_time()` when one ended last."""

    client: httpx.AsyncClient
    calls: int = 0
    idle_since: float = 0.0

    def leave(self) -> None:
        self.calls -= 1
        self.idle_since = trio.current_time()


@attrs.define(eq=False)
class Lanes:
    """`open_client` makes a client; `most` is how many calls each has at a time. The first that has room is taken, so
    that the later ones fall idle; those that have been so for a while are closed."""

    _open_client: Callable[[], httpx.AsyncClient]
    _most: float = MOST_CALLS
    _lanes: list[Lane] = attrs.field(factory=list, init=False)

    async def enter(self) -> Lane:
        """Whoever gets it leaves it once."""
        while len(self._lanes) > 1 and self._is_stale(self._lanes[-1]):
            await self._lanes.pop().client.aclose()
        lane = next((lane for lane in self._lanes if lane.calls < self._most), None)
        if lane is None:
            lane = Lane(self._open_client())
            self._lanes.append(lane)
        lane.calls += 1
        return lane

    def _is_stale(self, lane: Lane) -> bool:
        return not lane.calls and trio.current_time() - lane.idle_since > _KEPT_S

    async def aclose(self) -> None:
        """Closes all clients, in `_CLOSING_S` at most."""
        lanes, self._lanes = self._lanes, []
        with trio.move_on_after(_CLOSING_S, shield=True):
            for lane in lanes:
                await lane.client.aclose()

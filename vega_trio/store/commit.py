"""The fate of one submitted change, as both stores hand it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import trio

from vega_trio import protocols
from vega_trio.errors import StoreError

Fate = range | StoreError
"""What became of a change: the ids of its events, or why nothing of it was kept."""


@attrs.define(eq=False)
class StoreCommit:
    """A `protocols.Commit`. Lives in the Trio thread; the store settles it, once, when the fate is known."""

    done: bool = False
    error: StoreError | None = None
    event_ids: Sequence[int] = ()
    _callbacks: list[Callable[[protocols.Commit], None]] | None = attrs.field(default=None, repr=False)
    _settled: trio.Event | None = attrs.field(default=None, repr=False)

    def on_done(self, callback: Callable[[protocols.Commit], None]) -> None:
        """As in the protocol. A callback must not raise: there is nobody to tell."""
        if self.done:
            callback(self)
        elif self._callbacks is None:
            self._callbacks = [callback]
        else:
            self._callbacks.append(callback)

    async def wait(self) -> None:
        """As in the protocol."""
        if self.done:
            await trio.lowlevel.checkpoint()
        else:
            if self._settled is None:
                self._settled = trio.Event()
            await self._settled.wait()
        if self.error is not None:
            # Each waiter gets an error of its own: a whole batch fails with one, and tracebacks must not mingle.
            raise type(self.error)(*self.error.args) from self.error.__cause__ or self.error

    def settle(self, fate: Fate) -> None:
        """The change is durable, or the fate says why nothing of it was kept."""
        self.done = True
        if isinstance(fate, StoreError):
            self.error = fate
        else:
            self.event_ids = fate
        if self._callbacks is not None:
            for callback in self._callbacks:
                callback(self)
            self._callbacks = None
        if self._settled is not None:
            self._settled.set()

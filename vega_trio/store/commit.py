"""The fate of one submitted change, as both stores hand it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import trio

from vega_trio import protocols


@attrs.define(eq=False)
class StoreCommit:
    """A `protocols.Commit`. Lives in the Trio thread; the store settles it, once, when the fate is known."""

    done: bool = False
    error: Exception | None = None
    event_ids: Sequence[int] = ()
    _callbacks: list[Callable[[protocols.Commit], None]] = attrs.field(factory=list, repr=False)
    _settled: trio.Event | None = attrs.field(default=None, repr=False)

    def on_done(self, callback: Callable[[protocols.Commit], None]) -> None:
        """As in the protocol. A callback must not raise: there is nobody to tell."""
        if self.done:
            callback(self)
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
            raise self.error

    def settle(self, event_ids: Sequence[int], error: Exception | None) -> None:
        """The change is durable, or `error` says why nothing of it was kept."""
        self.done, self.event_ids, self.error = True, event_ids, error
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)
        if self._settled is not None:
            self._settled.set()

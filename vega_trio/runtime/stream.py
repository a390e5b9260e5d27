"""The events of one turn, as its caller reads them."""

from __future__ import annotations

import attrs

from vega_trio.errors import TurnFailed
from vega_trio.events import TURN_ENDS, Event, TextDelta, TurnFailure
from vega_trio.runtime.bus import Subscription
from vega_trio.session import ErrorClass


@attrs.define(eq=False)
class TurnEvents:
    """An async iterable that ends after the event which ends the turn."""

    turn_id: str
    _events: Subscription
    _done: bool = attrs.field(default=False, init=False)

    def __aiter__(self) -> TurnEvents:
        return self

    async def __anext__(self) -> Event:
        if self._done:
            raise StopAsyncIteration
        event = await anext(self._events)
        self._done = isinstance(event, TURN_ENDS) and event.turn_id == self.turn_id
        return event


@attrs.define(eq=False)
class TextStream:
    """The text of the turn itself, piece by piece; what delegates say is not part of it."""

    _events: TurnEvents

    def __aiter__(self) -> TextStream:
        return self

    async def __anext__(self) -> str:
        async for event in self._events:
            if event.turn_id != self._events.turn_id:
                continue
            if isinstance(event, TextDelta):
                return event.delta
            if isinstance(event, TurnFailure):
                raise TurnFailed(event.error, ErrorClass(event.error_class), self._events.turn_id)
        raise StopAsyncIteration

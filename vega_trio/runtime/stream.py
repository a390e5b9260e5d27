"""The events of one turn, as its caller reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import attrs

from vega_trio.errors import TurnCancelled, TurnFailed
from vega_trio.events import TURN_ENDS, Event, TextDelta, TurnFailure
from vega_trio.exits import NoProcess
from vega_trio.runtime.bus import Subscription
from vega_trio.runtime.reasons import exited
from vega_trio.session import ErrorClass

if TYPE_CHECKING:
    from vega_trio.runtime.mail import Mail
    from vega_trio.runtime.process import Process

BUFFER = 1000  # events of one's own turn: more than a caller falls behind by, deltas being merged


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
                error_class = ErrorClass(event.error_class)
                raise TurnFailed(event.error, error_class, event.turn_id, stop_reason=event.stop_reason)
        raise StopAsyncIteration


@asynccontextmanager
async def open_turn(process: Process, mail: Mail) -> AsyncIterator[TurnEvents]:
    """Posts the mail, having subscribed to what follows from it, and waits until an agent's message is durable."""
    bus = process.kernel.bus
    root = mail.root_id
    async with bus.subscribe(match=lambda event: event.root_turn_id == root, buffer=BUFFER) as events:

        def finished(mail: Mail) -> None:
            # An agent says how each turn ends, but for the end of its process, and has none for what is no message; a
            # function may say nothing.
            told = mail.error is None or isinstance(mail.error, TurnFailed | TurnCancelled)
            if process.final is not None or process.agent is None or not told:
                error = mail.error if isinstance(mail.error, Exception) else None
                bus.in_turn(root, lambda: events.end(error))

        mail.on_finish(finished)
        if not await process.mailbox.put(mail) and not mail.finished:
            raise exited(process.id, NoProcess())
        if mail.kept is not None:
            await mail.kept.wait()
        yield TurnEvents(mail.id, events)


@asynccontextmanager
async def open_text(turn: AbstractAsyncContextManager[TurnEvents]) -> AsyncIterator[TextStream]:
    """The text of a turn's events."""
    async with turn as events:
        yield TextStream(events)

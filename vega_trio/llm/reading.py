"""From the bytes of an answer to its events, whichever protocol they are in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Protocol

import trio

from vega_trio.errors import ModelError
from vega_trio.protocols import ModelDone, ModelEvent

_DRAIN_S = 1.0
"""How long to wait, once the answer is complete, for the end of its body, so that the connection can be used again."""


class Decoder(Protocol):
    """One answer in one protocol: what is fed to it gives text and complete tool calls; `done` ends it."""

    @property
    def done(self) -> ModelDone | None: ...

    def feed(self, chunk: bytes) -> list[ModelEvent]:
        """Raises: ModelError."""
        ...

    def end(self) -> None:
        """The body has ended: sets `done`, or raises what is wrong with that. Raises: ModelError."""
        ...


async def read_answer(chunks: AsyncGenerator[bytes, None], decoder: Decoder) -> AsyncGenerator[ModelEvent, None]:
    """The events of one answer, `ModelDone` last. `chunks` raise ModelError for failures of the transport.

    Raises: ModelError, also when the body ends before the message does.
    """
    while decoder.done is None:
        chunk = await anext(chunks, None)
        if chunk is None:
            decoder.end()
            break
        for event in decoder.feed(chunk):
            yield event
    # What goes wrong now costs the connection, not the answer, which is complete.
    with trio.move_on_after(_DRAIN_S), suppress(ModelError):
        while await anext(chunks, None) is not None:
            pass
    assert decoder.done is not None
    yield decoder.done


async def unwind(chunks: AsyncIterator[bytes]) -> None:
    """Ends a response's generators, from the innermost outwards, as cancelling does.

    Closing the outer one would leave those it reads from to the garbage collector, which Trio warns of.
    """
    with trio.CancelScope() as scope:
        scope.cancel()
        while await anext(chunks, None) is not None:
            pass  # what had arrived already

"""A call to a supervisor: done by its loop, awaited by the caller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import trio

from vega_trio.errors import NoProcessError, VegaError


@attrs.define(eq=False)
class Call:
    """Withdrawn when its caller stops waiting before the loop has come to it."""

    _supervisor_id: str
    _operation: Callable[[], Awaitable[Any]]
    _done: trio.Event = attrs.field(factory=trio.Event, init=False)
    _result: Any = attrs.field(default=None, init=False)
    _error: VegaError | None = attrs.field(default=None, init=False)
    _begun: bool = attrs.field(default=False, init=False)
    _withdrawn: bool = attrs.field(default=False, init=False)

    async def run(self) -> None:
        if self._withdrawn:
            return
        self._begun = True
        try:
            self._result = await self._operation()
        except VegaError as error:
            self._error = error
        self._done.set()

    def refuse(self) -> None:
        """The supervisor ends before it came to this call."""
        if not self._begun:
            self._withdrawn = True
            self.give_up()

    def give_up(self) -> None:
        """Nobody does it any more."""
        if not self._done.is_set():
            self._error = NoProcessError(f"supervisor {self._supervisor_id} is stopping")
            self._done.set()

    async def wait(self) -> Any:
        try:
            await self._done.wait()
        finally:
            self._withdrawn = True
        if self._error is not None:
            raise self._error
        return self._result

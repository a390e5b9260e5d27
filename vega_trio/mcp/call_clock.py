"""The time that calls of a server may take, which stands still while the server waits for us."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio


@attrs.frozen(eq=False)
class CallClock:
    """The limits of the calls under way."""

    _limits: set[trio.CancelScope] = attrs.field(factory=set, init=False)

    @contextmanager
    def limited(self, seconds: float) -> Iterator[trio.CancelScope]:
        """As `trio.move_on_after`."""
        with trio.move_on_after(seconds) as scope:
            self._limits.add(scope)
            try:
                yield scope
            finally:
                self._limits.discard(scope)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """While the block lasts, no call's time runs."""
        start = trio.current_time()
        held = {scope: scope.deadline for scope in self._limits}
        for scope in held:
            scope.deadline = math.inf
        try:
            yield
        finally:
            for scope, deadline in held.items():
                scope.deadline = deadline + trio.current_time() - start

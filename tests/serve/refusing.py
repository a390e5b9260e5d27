"""A store of which a test decides what it takes."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from vega_trio.changes import Change
from vega_trio.errors import StoreReadOnly
from vega_trio.protocols import Commit
from vega_trio.store.commit import StoreCommit
from vega_trio.testing import MemoryStore


@attrs.define(eq=False)
class RefusingStore(MemoryStore):
    """One that can be read, and whose disk has no room for what it `refuses`."""

    refuses: Callable[[Change], bool] = lambda change: False

    def submit(self, change: Change) -> Commit:
        if not self.refuses(change):
            return super().submit(change)
        commit = StoreCommit()
        commit.settle(StoreReadOnly("the disk is full"))
        return commit

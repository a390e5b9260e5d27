"""Whether anything new may be taken in."""

from __future__ import annotations

from typing import Final

from vega_trio.errors import StoreOverloaded
from vega_trio.protocols import Store

MAX_PENDING: Final = 10_000  # changes that wait for the disk


def refuse_overload(store: Store) -> None:
    """What every door asks before it takes something new. Raises: StoreReadOnly, StoreBroken; StoreOverloaded."""
    if store.problem is not None:
        raise type(store.problem)(*store.problem.args) from store.problem.__cause__
    if store.pending >= MAX_PENDING:
        raise StoreOverloaded(f"{store.pending} changes wait for the disk; nothing new is taken until it catches up")

"""What every `Store` must do, whatever it keeps its rows in. For those who write one, and for our own two.

    async def test_my_store_is_a_store():
        await check_store(open_my_store)

`open_my_store()` gives an async context manager that yields a fresh, empty store; it is called once for each check.
With pytest, parametrize over `STORE_CHECKS` to see each by its name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from vega_trio.protocols import Store
from vega_trio.testing.store_commits import COMMIT_CHECKS
from vega_trio.testing.store_histories import HISTORY_CHECKS
from vega_trio.testing.store_pages import PAGE_CHECKS
from vega_trio.testing.store_records import RECORD_CHECKS
from vega_trio.testing.store_ties import TIE_CHECKS

OpenStore = Callable[[], AbstractAsyncContextManager[Store]]

STORE_CHECKS: Final[tuple[Callable[[Store], Awaitable[None]], ...]] = (
    *COMMIT_CHECKS,
    *HISTORY_CHECKS,
    *RECORD_CHECKS,
    *PAGE_CHECKS,
    *TIE_CHECKS,
)
"""Every check: an async function of a fresh store."""


async def check_store(open_store: OpenStore) -> None:
    """Runs every check, each on a store of its own. Raises: AssertionError naming what does not hold."""
    for check in STORE_CHECKS:
        async with open_store() as store:
            await check(store)

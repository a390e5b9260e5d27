"""Both stores against the public suite."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import trio

from vega_trio.protocols import Store
from vega_trio.store.memory import MemoryStore
from vega_trio.store.sqlite import open_sqlite
from vega_trio.testing import store_commits, store_histories, store_pages, store_records, store_ties
from vega_trio.testing.store_conformance import STORE_CHECKS, check_store


@asynccontextmanager
async def _memory() -> AsyncIterator[Store]:
    yield MemoryStore()


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
async def test_the_memory_store_conforms(check: Callable) -> None:
    with trio.fail_after(30):
        await check(MemoryStore())


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
async def test_the_sqlite_store_conforms(check: Callable, tmp_path: Path) -> None:
    with trio.fail_after(30):
        async with open_sqlite(tmp_path / "vega.db") as store:
            await check(store)


async def test_check_store_runs_every_check_on_a_store_of_its_own() -> None:
    opened = 0

    def open_store() -> AbstractAsyncContextManager[Store]:
        nonlocal opened
        opened += 1
        return _memory()

    with trio.fail_after(5):
        await check_store(open_store)
    assert opened == len(STORE_CHECKS)
    modules = (store_commits, store_histories, store_pages, store_records, store_ties)
    named = {name for module in modules for name in vars(module) if name.startswith("check_")}
    assert {check.__name__ for check in STORE_CHECKS} == named


async def test_check_store_says_what_a_store_does_wrong() -> None:
    class Forgetful(MemoryStore):
        async def last_event_id(self) -> int:
            return 0

    @asynccontextmanager
    async def forgetful() -> AsyncIterator[Store]:
        yield Forgetful()

    with trio.fail_after(5), pytest.raises(AssertionError, match="newest id: found 0, expected 43"):
        await check_store(forgetful)

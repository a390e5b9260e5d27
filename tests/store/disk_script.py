"""Fills the disk under a store, and makes room again.

    disk_script.py DIRECTORY full | broken

`full`: DIRECTORY is a small file system of its own, and is filled with a file. `broken`: writes beyond a size fail
with an I/O error, by RLIMIT_FSIZE. Ends with an assertion when the store does not do what it must.
"""

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import trio

from vega_trio.changes import AppendEvent, Change, Delete, Promptly, Put, Together
from vega_trio.errors import StoreError, StoreReadOnly
from vega_trio.events import ProcessStarted
from vega_trio.protocols import Store
from vega_trio.store.sqlite import open_sqlite

SMALL = Together((AppendEvent(ProcessStarted(process_id="p", at=1.0)), Put("setting", "small", {"text": "x"})))


def fill(directory: Path) -> Callable[[], None]:
    filler = directory / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    return filler.unlink


def limit(directory: Path) -> Callable[[], None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((directory / "vega.db-wal").stat().st_size, before[1]))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def failure(store: Store, change: Change) -> str:
    try:
        await store.submit(change).wait()
    except StoreError as error:
        return str(error)
    raise AssertionError("the change was acknowledged")


async def main(directory: Path, take_space: Callable[[Path], Callable[[], None]], words: str) -> None:
    async with open_sqlite(directory / "vega.db") as store:
        for number in range(20):
            await store.submit(Put("setting", f"k{number}", {"text": "y" * 2000})).wait()
        give_back = take_space(directory)
        told: list[StoreError | None] = []
        store.on_problem(told.append)
        held = store.submit(SMALL)
        for change in (SMALL, Delete("setting", "k1"), SMALL):
            message = await failure(store, Promptly(change))
            assert words in message, message
            assert str(directory) in message, message
        assert isinstance(store.problem, StoreReadOnly)
        assert not held.done
        assert len(await store.records.query("setting")) == 20, "reads go on"
        give_back()
        with trio.fail_after(5):
            await held.wait()
        assert list(held.event_ids) == [1], "the refused changes used up no id"
        assert [type(each) for each in told] == [StoreReadOnly, type(None)]
        assert store.problem is None
    async with open_sqlite(directory / "vega.db") as store:
        assert len(await store.records.query("setting")) == 21, "everything acknowledged is there"


if __name__ == "__main__":
    ways = {"full": (fill, "the disk is full"), "broken": (limit, "could not be read or written")}
    trio.run(main, Path(os.fsdecode(sys.argv[1])), *ways[sys.argv[2]])

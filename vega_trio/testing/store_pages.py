"""What every store must do with lists: processes that are looked for a page at a time, messages that are counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from vega_trio.changes import AppendMessage, MessageRow, ProcessQuery, ProcessRow, SaveProcess
from vega_trio.messages import Message
from vega_trio.protocols import Store
from vega_trio.testing.store_promises import equal


async def check_processes_are_found_page_by_page(store: Store) -> None:
    for id_, agent, status, at in (
        ("a", "coder", "running", 1.0),
        ("b", "coder", "failed", 3.0),
        ("c", "Writer", "completed", 2.0),
        ("d", "coder", "completed", 3.0),
    ):
        store.submit(SaveProcess(ProcessRow(id=id_, agent=agent, status=status, started_at=at, task=f"100% of {id_}")))
    await store.submit(SaveProcess(ProcessRow(id="e", agent="x", name="Watch", started_at=0.5))).wait()

    async def ids(limit: int = 9, **wanted: Any) -> str:
        return "".join(row.id for row in await store.find_processes(ProcessQuery(**wanted), limit=limit))

    equal(await ids(), "dbcae", "the last started first")
    equal(await ids(2), "db", "so many")
    equal(await ids(2, before=(3.0, "b")), "ca", "only older ones, by time and id")
    equal(await ids(status="completed", agent="coder"), "d", "by status and agent")
    equal(await ids(text="wRITer"), "c", "by text, in any case")
    equal(await ids(text="0% of D"), "d", "by text of the task; nothing in it has a meaning")
    equal(await ids(text="watch"), "e", "by the name")
    equal(await ids(without=frozenset({"a", "b"})), "dce", "without some")


async def check_messages_are_counted_one_of_each_side_a_turn(store: Store) -> None:
    said = [("t1", Message("user", "x")), ("t1", Message("assistant", "y")), ("t1", Message("assistant", "z"))]
    said += [("t2", Message("user", "x")), ("", Message("user", "first")), ("", Message("user", "second"))]
    for seq, (turn_id, message) in enumerate(said):
        row = MessageRow(process_id="p", seq=seq, turn_id=turn_id, message=message, at=1.0)
        await store.submit(AppendMessage(row)).wait()
    equal(await store.message_counts(["p", "q"]), {"p": 5}, "messages, one of each side a turn")


PAGE_CHECKS: Final[tuple[Callable[[Store], Awaitable[None]], ...]] = (
    check_processes_are_found_page_by_page,
    check_messages_are_counted_one_of_each_side_a_turn,
)

"""What every `Store` must do with the rows of application tables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from vega_trio.changes import (
    Delete,
    Put,
)
from vega_trio.errors import StoreError
from vega_trio.protocols import Store
from vega_trio.testing.store_promises import equal


async def check_a_record_is_put_read_replaced_and_deleted(store: Store) -> None:
    equal(await store.records.get("setting", "k"), None, "a row that is not there")
    row: dict[str, Any] = {"text": "ü\0'\"", "n": 3, "f": 0.5, "no": None, "yes": True, "deep": {"list": [1, {}]}}
    await store.submit(Put("setting", "k", row)).wait()
    equal(await store.records.get("setting", "k"), row, "a row as it was put")
    await store.submit(Put("setting", "k", {"other": 1})).wait()
    equal(await store.records.get("setting", "k"), {"other": 1}, "a row put again is replaced, not merged")
    store.submit(Delete("setting", "never there"))
    await store.submit(Delete("setting", "k")).wait()
    equal(await store.records.get("setting", "k"), None, "a deleted row")
    equal(await store.records.query("setting"), [], "a table whose only row was deleted")


async def check_records_are_found_by_their_fields(store: Store) -> None:
    for key, agent, user, n in (("c", "x", "ann", 1), ("a", "x", "bob", 2), ("b", "y", "ann", 3), ("d", "x", "ann", 4)):
        store.submit(Put("session", key, {"agent": agent, "user": user, "n": n, "key": key, "open": n > 2}))
    renewed = {"agent": "x", "user": "ann", "n": 5, "key": "c", "title": None, "tags": [1]}
    await store.submit(Put("session", "c", renewed)).wait()

    async def keys(**equals: Any) -> list[str]:
        return [row["key"] for row in await store.records.query("session", **equals)]

    equal(await keys(), ["c", "a", "b", "d"], "rows come in the order in which their keys were first put")
    equal(await keys(agent="x", user="ann"), ["c", "d"], "rows by two indexed fields")
    equal(await keys(user="ann", n=3), ["b"], "rows by an indexed field and another")
    equal(await keys(n=5.0), ["c"], "numbers are compared as numbers")
    equal(await keys(n="5"), [], "text is no number")
    equal(await keys(open=True), ["b", "d"], "rows by a truth")
    equal(await keys(title=None), ["c", "a", "b", "d"], "None finds null and what is not there")
    equal(await keys(tags="[1]"), [], "text is no list")
    equal(await keys(user="x' OR '1'='1"), [], "values are values, never part of a query")


async def check_the_newest_records_come_first_and_in_parts(store: Store) -> None:
    for number in range(5):
        await store.submit(Put("wf_run", str(number), {"n": number, "odd": number % 2})).wait()
    await store.submit(Put("wf_run", "1", {"n": 10, "odd": 1})).wait()

    async def numbers(limit: int, **more: Any) -> list[int]:
        return [row["n"] for row in await store.records.newest("wf_run", limit=limit, **more)]

    equal(await numbers(2), [4, 3], "the rows last put for the first time")
    equal(await numbers(9, before="3"), [2, 10, 0], "from the one behind a key on; one put again keeps its place")
    equal(await numbers(1, odd=1), [3], "of the rows that equal")
    equal(await numbers(9, before="nosuch"), [], "behind a key that is not there is nothing")


async def check_records_are_found_by_the_order_of_a_field(store: Store) -> None:
    for key, user, at in (
        ("a", "ann", "3"),
        ("b", "ann", "1"),
        ("c", "bob", "9"),
        ("d", "ann", "3"),
        ("e", "ann", None),
    ):
        store.submit(Put("session", key, {"key": key, "user": user, "updated_at": at}))
    await store.submit(Put("session", "b", {"key": "b", "user": "ann", "updated_at": "4"})).wait()

    async def keys(limit: int = 9, **more: Any) -> str:
        return "".join(row["key"] for row in await store.records.last_by("session", "updated_at", limit=limit, **more))

    equal(await keys(), "cbda", "the last first, then by key; none without the field")
    equal(await keys(2, user="ann"), "bd", "so many, of the rows that equal")
    equal(await keys(user="ann", before=("3", "d")), "a", "only what comes before a place")
    equal(await keys(before=("3", "")), "", "a place need not be a row's")


async def check_records_are_summed_by_their_fields(store: Store) -> None:
    day = 86_400.0
    for key, agent, user, at, cost in (
        ("a", "x", "ann", 0.0, 1),
        ("b", "y", "ann", day, 2),
        ("c", "x", "ann", day + 1, 4),
        ("d", "x", "bob", 2 * day, None),
    ):
        store.submit(Put("turn", key, {"agent": agent, "user": user, "at": at, "cost": cost, "n": 1}))
    await store.submit(Put("turn", "e", {"agent": None, "user": "eve", "at": 0.5, "n": 7})).wait()

    async def totals(by: tuple[str, ...], **more: Any) -> set[tuple[Any, ...]]:
        return {tuple(row.values()) for row in await store.records.totals("turn", by, ("cost", "n"), **more)}

    equal(await totals(("agent",)), {("x", 5, 3), ("y", 2, 1), (None, 0, 7)}, "sums by a field; null counts nothing")
    equal(await totals(("agent",), user="ann"), {("x", 5, 2), ("y", 2, 1)}, "of the rows that equal")
    equal(await totals(("user", "agent"), since=day), {("ann", "y", 2, 1), ("ann", "x", 4, 1), ("bob", "x", 0, 1)},
          "from a time on, by two fields")  # fmt: skip
    equal(await totals(("day",), user="ann"), {("1970-01-01", 1, 1), ("1970-01-02", 6, 2)}, "by the date in UTC")
    equal(await totals(("agent",), user="nobody"), set(), "of no rows")


async def check_an_unknown_table_or_a_bad_filter_is_refused(store: Store) -> None:
    wrong: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: store.records.get("no_such_table", "k"),
        lambda: store.records.query("no_such_table"),
        lambda: store.records.query("session", **{"agent') --": "x"}),
        lambda: store.records.query("session", agent=["x"]),
        lambda: store.records.query("session", agent=2**64),
        lambda: store.records.last_by("session", "agent') --", limit=1),
        lambda: store.records.totals("turn", ("agent') --",), ()),
        lambda: store.records.totals("turn", ("agent",), ("cost); --",)),
    )
    for ask in wrong:
        try:
            await ask()
        except StoreError:
            continue
        raise AssertionError("an unknown table, or a filter that is no field or value, raises StoreError")


RECORD_CHECKS: Final[tuple[Callable[[Store], Awaitable[None]], ...]] = (
    check_a_record_is_put_read_replaced_and_deleted,
    check_records_are_found_by_their_fields,
    check_the_newest_records_come_first_and_in_parts,
    check_records_are_found_by_the_order_of_a_field,
    check_records_are_summed_by_their_fields,
    check_an_unknown_table_or_a_bad_filter_is_refused,
)

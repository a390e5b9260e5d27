"""What every store must do with a change: all or nothing, in order, told of once it is durable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import trio

from vega_trio.changes import (
    AppendEvent,
    Change,
    ClearMessages,
    Delete,
    OpBegun,
    OpFinished,
    ProcessRow,
    Put,
    SaveProcess,
    Together,
)
from vega_trio.events import ProcessStarted, ToolStart
from vega_trio.protocols import Commit, Store
from vega_trio.testing.store_promises import equal, event_change, fails, message_change, op_row, that


async def check_a_commit_is_done_when_its_wait_returns(store: Store) -> None:
    commit = store.submit(event_change())
    await commit.wait()
    that(commit.done, "a commit is done when wait() returns")
    that(commit.error is None, "a commit that succeeded has no error")
    await commit.wait()
    equal(list(commit.event_ids), [1], "the first event of an empty store has the id 1")


async def check_event_ids_rise_without_gap(store: Store) -> None:
    commits = [store.submit(event_change(str(number))) for number in range(40)]
    both = store.submit(Together((event_change("x"), Put("setting", "a", {}), event_change("y"))))
    last = store.submit(event_change("z"))
    await last.wait()
    equal([list(each.event_ids) for each in commits], [[number] for number in range(1, 41)], "ids rise by one")
    equal(list(both.event_ids), [41, 42], "a change of several events has an id for each, in order")
    equal(list(last.event_ids), [43], "the next change goes on from there")
    equal(await store.last_event_id(), 43, "last_event_id() is the newest id")


async def check_a_change_is_what_it_was_when_submitted(store: Store) -> None:
    row, arguments = {"list": [1]}, {"n": 1}
    store.submit(Put("setting", "k", row))
    commit = store.submit(AppendEvent(ToolStart(arguments=arguments)))
    row["list"].append(2)
    arguments["n"] = 2
    await commit.wait()
    equal(await store.records.get("setting", "k"), {"list": [1]}, "a row changed after submit()")
    (event,) = await store.events_after(0)
    equal(msgspec.json.decode(event.body)["data"]["arguments"], {"n": 1}, "an event changed after submit()")


async def check_together_is_all_or_nothing(store: Store) -> None:
    before = (Put("setting", "a", {"n": 1}), Put("setting", "b", {"n": 1}), message_change(0))
    await store.submit(Together(before)).wait()
    halves = Together(
        (
            Put("setting", "a", {"n": 2}),
            Delete("setting", "b"),
            Put("setting", "c", {"n": 2}),
            SaveProcess(ProcessRow(id="p", agent="coder")),
            ClearMessages("other"),
            event_change(),
            message_change(1),
            Together((message_change(2), message_change(0))),
        )
    )
    await fails(store.submit(halves), "a change of which one part is refused")
    equal(await store.records.query("setting"), [{"n": 1}, {"n": 1}], "no row of it stays")
    equal(await store.records.get("setting", "b"), {"n": 1}, "what it deleted is there")
    equal([row.seq for row in await store.messages("p")], [0], "no message of it stays")
    equal(await store.processes(), [], "no process of it stays")
    equal(await store.events_after(0), [], "no event of it stays")
    commit = store.submit(event_change())
    await commit.wait()
    equal(list(commit.event_ids), [1], "it used up no event id")


async def check_a_refused_change_harms_no_other(store: Store) -> None:
    bad: list[Change] = [
        Put("no_such_table", "k", {}),
        Delete("no_such_table", "k"),
        Put("setting", "k", {"value": object()}),
        Put("setting", "k", {"value": "\ud800"}),
        message_change(0),
        Together((event_change(), message_change(0))),
        AppendEvent(ProcessStarted(at=float("nan"))),
    ]
    first = store.submit(message_change(0))
    commits: list[tuple[Commit, Commit]] = []
    for number, change in enumerate(bad):
        commits.append((store.submit(change), store.submit(Together((event_change(), message_change(number + 1))))))
    last = store.submit(event_change())
    await last.wait()
    that(first.error is None, "the change before the refused ones is kept")
    for (refused, kept), change in zip(commits, bad, strict=True):
        await fails(refused, f"the change {change}")
        equal(list(refused.event_ids), [], "a refused change has no event ids")
        that(kept.error is None, f"the change after {change} is kept")
    kept_ids = [each for _, kept in commits for each in kept.event_ids] + list(last.event_ids)
    equal(kept_ids, list(range(1, len(bad) + 2)), "refused changes leave no gap in the ids")
    equal([row.seq for row in await store.messages("p")], list(range(len(bad) + 1)), "the messages that were kept")


async def check_on_done_calls_back_in_the_order_of_submission(store: Store) -> None:
    seen: list[int] = []
    commit: Commit | None = None
    for number in range(30):
        commit = store.submit(event_change() if number % 3 else Put("no_such_table", "k", {}))
        commit.on_done(lambda _, number=number: seen.append(number))  # type: ignore[misc]
    assert commit is not None
    commit.on_done(lambda _: seen.append(-1))
    await commit.wait()
    equal(seen, [*range(30), -1], "callbacks come in the order of submission, those of failed changes too")
    told: list[Commit] = []
    commit.on_done(told.append)
    that(told == [commit], "on_done() of a commit that is done calls back at once, with the commit")


async def check_a_change_may_be_submitted_from_a_callback(store: Store) -> None:
    finished = trio.Event()

    def again(commit: Commit) -> None:
        (id_,) = commit.event_ids
        if id_ < 5:
            store.submit(event_change()).on_done(again)
        else:
            finished.set()

    store.submit(event_change()).on_done(again)
    await finished.wait()
    equal(await store.last_event_id(), 5, "each callback's own change was committed")


async def check_a_cancelled_waiter_leaves_its_change(store: Store) -> None:
    commit = store.submit(Put("setting", "k", {"kept": True}))
    with trio.CancelScope() as scope:
        scope.cancel()
        await commit.wait()
    that(scope.cancelled_caught, "wait() can be cancelled")
    await commit.wait()
    equal(await store.records.get("setting", "k"), {"kept": True}, "the change of a cancelled waiter is kept")


async def check_many_tasks_may_wait_for_one_commit(store: Store) -> None:
    good, bad = store.submit(event_change()), store.submit(Put("no_such_table", "k", {}))
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(good.wait)
            nursery.start_soon(fails, bad, "a refused change, for each that waits")


async def check_pending_counts_what_is_not_settled(store: Store) -> None:
    commits = [store.submit(event_change()) for _ in range(20)]
    that(0 <= store.pending <= 20, "pending is what was submitted and not settled")
    for commit in commits:
        await commit.wait()
    equal(store.pending, 0, "nothing is pending once all is settled")
    await fails(store.submit(Put("no_such_table", "k", {})), "a refused change")
    equal(store.pending, 0, "a refused change is settled too")


async def check_a_writer_with_an_older_epoch_is_refused(store: Store) -> None:
    store.submit(SaveProcess(ProcessRow(id="p", agent="coder", status="running")))
    store.submit(OpBegun(op_row(0)))
    await store.submit(SaveProcess(ProcessRow(id="p", agent="coder", status="running", epoch=2))).wait()
    late = OpFinished(process_id="p", seq=0, state="done", epoch=1, at=1.0)
    await fails(store.submit(Together((late, event_change()))), "the end of a call by who is no longer its owner")
    await fails(store.submit(OpBegun(op_row(1))), "a call begun by who is no longer the owner")
    await fails(store.submit(SaveProcess(ProcessRow(id="p", agent="coder", status="failed"))), "its figures")
    store.submit(OpBegun(op_row(0, epoch=2)))
    await store.submit(OpFinished(process_id="p", seq=0, state="done", epoch=2, at=1.0)).wait()
    equal([(op.state, op.epoch) for op in await store.ops("p")], [("done", 2)], "the owner goes on")
    equal(await store.events_after(0), [], "nothing of what was refused is kept")


COMMIT_CHECKS: Final[tuple[Callable[[Store], Awaitable[None]], ...]] = (
    check_a_commit_is_done_when_its_wait_returns,
    check_event_ids_rise_without_gap,
    check_a_change_is_what_it_was_when_submitted,
    check_together_is_all_or_nothing,
    check_a_refused_change_harms_no_other,
    check_on_done_calls_back_in_the_order_of_submission,
    check_a_change_may_be_submitted_from_a_callback,
    check_a_cancelled_waiter_leaves_its_change,
    check_many_tasks_may_wait_for_one_commit,
    check_pending_counts_what_is_not_settled,
    check_a_writer_with_an_older_epoch_is_refused,
)

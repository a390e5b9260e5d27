"""What every `Store` must do, whatever it keeps its rows in. For those who write one, and for our own two.

    async def test_my_store_is_a_store():
        await check_store(open_my_store)

`open_my_store()` gives an async context manager that yields a fresh, empty store; it is called once for each check.
With pytest, parametrize over `STORE_CHECKS` to see each by its name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import msgspec
import trio

from vega_trio.changes import (
    AppendEvent,
    Change,
    ClearMessages,
    Delete,
    DropMessages,
    OpBegun,
    OpFinished,
    ProcessRow,
    Put,
    SaveProcess,
    Together,
)
from vega_trio.events import ProcessFailed, ProcessStarted, ToolStart
from vega_trio.messages import ImagePart, Message, TextPart, ToolCall, ToolResult
from vega_trio.protocols import Commit, Store
from vega_trio.testing.store_promises import equal, event_change, fails, message_change, op_row, that
from vega_trio.testing.store_records import RECORD_CHECKS
from vega_trio.testing.store_ties import TIE_CHECKS

OpenStore = Callable[[], AbstractAsyncContextManager[Store]]


async def check_store(open_store: OpenStore) -> None:
    """Runs every check, each on a store of its own. Raises: AssertionError naming what does not hold."""
    for check in STORE_CHECKS:
        async with open_store() as store:
            await check(store)


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


async def check_events_are_read_in_order_and_from_an_id(store: Store) -> None:
    equal(await store.events_after(0), [], "an empty store has no events")
    equal(await store.last_event_id(), 0, "the last event id of an empty store is 0")
    commits = [store.submit(event_change(f"p{number}")) for number in range(70)]
    await commits[-1].wait()
    events = await store.events_after(0)
    equal([event.id for event in events], list(range(1, 71)), "events come in order of id, from the first")
    equal([event.process_id for event in events], [f"p{number}" for number in range(70)], "each under its own id")
    later = await store.events_after(10, limit=5)
    equal([event.id for event in later], [11, 12, 13, 14, 15], "events_after(10, limit=5)")
    equal(await store.events_after(70), [], "nothing comes after the last event")
    of_one = await store.events_of("p3", ("process.started", "no.such"))
    equal([event.id for event in of_one], [4], "events_of() are one process's")
    equal(await store.events_of("p3", ("process.failed",)), [], "and of the types asked for")


async def check_an_event_is_stored_as_it_goes_on_the_wire(store: Store) -> None:
    event = ProcessFailed(
        process_id="8c1f20aa", agent="coder", incarnation=2, turn_id="t1", error="é\u2028\0", at=1795342530.12
    )
    await store.submit(AppendEvent(event)).wait()
    (stored,) = await store.events_after(0)
    equal(
        (stored.type, stored.process_id, stored.agent, stored.turn_id, stored.at),
        ("process.failed", "8c1f20aa", "coder", "t1", 1795342530.12),
        "the columns of a stored event",
    )
    body = msgspec.json.decode(stored.body)
    data = {"reason": "crashed", "error": "é\u2028\0", "final": True, "incarnation": 2, "turn_id": "t1"}
    equal(body["data"], data, "the data of a stored event")
    equal(body["timestamp"], "2026-11-22T10:15:30.120Z", "the timestamp of a stored event")


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


async def check_processes_are_listed_newest_first(store: Store) -> None:
    full = ProcessRow(
        id="b",
        agent="coder",
        name="w1",
        task="fix\0it",
        status="failed",
        parent_id="a",
        spawn_depth=2,
        spawn_reason="why",
        incarnation=3,
        exit_reason="crashed",
        started_at=1.5,
        completed_at=2.5,
        iterations=4,
        input_tokens=5,
        output_tokens=6,
        cost_microusd=2**53,
        tool_calls=8,
        errors=9,
        last_active_at=2.25,
    )
    for row in (ProcessRow(id="a", agent="coder"), full, ProcessRow(id="c", agent="x", started_at=0.5)):
        store.submit(SaveProcess(row))
    await store.submit(SaveProcess(ProcessRow(id="a", agent="coder", status="running", started_at=9.0))).wait()
    equal([row.id for row in await store.processes()], ["c", "b", "a"], "the process first saved last comes first")
    equal([row.id for row in await store.processes(limit=1)], ["c"], "processes(limit=1)")
    equal(await store.process("b"), full, "a process as it was saved")
    renewed = await store.process("a")
    that(renewed is not None and renewed.status == "running", "a process saved again is replaced")
    equal(await store.process("nobody"), None, "a process that was never saved")


async def check_messages_come_in_order_and_are_forgotten_when_cleared(store: Store) -> None:
    said = (
        Message("user", (TextPart("look"), ImagePart("image/png", b"\x89PNG\0\xff"))),
        Message("assistant", (TextPart("é"), ToolCall("tc_1", "search", {"query": "trio", "deep": [None, 10**30]}))),
        Message("user", ToolResult("tc_1", "Error: no", is_error=True)),
        Message("assistant", ()),
    )
    for seq in (1, 0, 3, 2):
        store.submit(message_change(seq, said[seq]))
    await store.submit(message_change(0, process_id="q")).wait()
    kept = await store.messages("p")
    equal([row.message for row in kept], list(said), "messages come in order of seq, part for part")
    equal([(row.seq, row.turn_id, row.at) for row in kept], [(n, "t", n / 2) for n in range(4)], "their columns")
    await store.submit(Together((ClearMessages("p"), message_change(0)))).wait()
    equal([row.seq for row in await store.messages("p")], [0], "a cleared conversation begins again at 0")
    equal([row.seq for row in await store.messages("q")], [0], "another's conversation stays")


async def check_unfinished_processes_are_found_in_the_order_of_their_first_saving(store: Store) -> None:
    for id_, status in (("a", "running"), ("b", "running"), ("c", "pending"), ("d", "completed"), ("b", "failed")):
        store.submit(SaveProcess(ProcessRow(id=id_, agent="coder", status=status)))
    await store.submit(SaveProcess(ProcessRow(id="a", agent="coder", status="running", recoveries="1.5 2"))).wait()
    found = await store.unfinished()
    equal([(row.id, row.status) for row in found], [("a", "running"), ("c", "pending")], "what has not ended")
    equal(found[0].recoveries, "1.5 2", "when it was taken up")


async def check_a_call_is_begun_once_more_until_it_has_finished(store: Store) -> None:
    begun = op_row(0, request={"n": [1, None, "é"]})
    equal(await store.ops("p"), [], "a process without a journal")
    await store.submit(OpBegun(begun)).wait()
    equal(await store.ops("p"), [begun], "a call as it was begun")
    await store.submit(OpBegun(op_row(0, begun_at=2.0))).wait()
    (again,) = await store.ops("p")
    equal((again.attempts, again.begun_at, again.request), (2, 2.0, begun.request), "a call begun again")
    figures: dict[str, Any] = {"result": {"message": 1}, "error_class": "timeout", "cost_microusd": 7}
    end = OpFinished(process_id="p", seq=0, state="failed", epoch=1, at=3.5, **figures)
    await store.submit(end).wait()
    (op,) = await store.ops("p")
    outcome = (op.state, op.result, op.error_class, op.cost_microusd, op.finished_at, op.attempts)
    equal(outcome, ("failed", {"message": 1}, "timeout", 7, 3.5, 2), "a call that has finished")
    await fails(store.submit(OpBegun(op_row(0))), "beginning a call that has finished")
    await fails(store.submit(end), "finishing a call twice")
    await fails(store.submit(OpFinished(process_id="p", seq=9, state="done", epoch=1, at=1.0)), "one never begun")
    await fails(store.submit(OpBegun(op_row(1, key="t/0"))), "a second call with the same key")
    equal(await store.ops("p"), [op], "what was refused changed nothing")


async def check_the_journal_is_read_in_order_and_by_turn(store: Store) -> None:
    for seq, turn in ((1, "u"), (0, "t"), (2, "t")):
        store.submit(OpBegun(op_row(seq, turn_id=turn)))
    await store.submit(OpBegun(op_row(0, process_id="q", key="q/0"))).wait()
    equal([op.seq for op in await store.ops("p")], [0, 1, 2], "ops() is in order of seq")
    equal([op.seq for op in await store.ops("p", turn_id="t")], [0, 2], "ops() of one turn")
    await store.submit(ClearMessages("p")).wait()
    equal(await store.ops("p"), [], "a cleared conversation takes its journal along")
    equal(len(await store.ops("q")), 1, "another's journal stays")
    await store.submit(OpBegun(op_row(0))).wait()


async def check_processes_are_summed_by_status(store: Store) -> None:
    for id_, status, tokens in (("a", "failed", 1), ("b", "completed", 2), ("c", "failed", 4), ("d", "running", 8)):
        row = ProcessRow(id=id_, agent="x", status=status, input_tokens=tokens, cost_microusd=tokens, errors=1)
        store.submit(SaveProcess(row))
    await store.submit(SaveProcess(ProcessRow(id="e", agent="x", status="completed"))).wait()
    found = {each.status: each for each in await store.process_totals(without=["d"])}
    equal(set(found), {"failed", "completed"}, "a row for each status there is")
    failed = found["failed"]
    equal((failed.count, failed.input_tokens, failed.cost_microusd, failed.errors), (2, 5, 5, 2), "sums")
    equal(len(await store.process_totals()), 3, "of all")


async def check_the_end_of_a_conversation_can_be_dropped(store: Store) -> None:
    for seq in range(4):
        store.submit(message_change(seq))
    store.submit(OpBegun(op_row(0)))
    await store.submit(DropMessages("p", 2)).wait()
    equal([row.seq for row in await store.messages("p")], [0, 1], "what came before stays")
    await store.submit(message_change(2)).wait()
    equal([row.seq for row in await store.messages("p")], [0, 1, 2], "and goes on from there")
    equal(len(await store.ops("p")), 1, "the journal stays")


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


async def check_long_texts_are_kept_whole(store: Store) -> None:
    long = "é" * 40_000
    message = Message("user", (TextPart(long), ToolResult("c", long)))
    store.submit(message_change(0, message))
    store.submit(message_change(1, message))
    store.submit(OpBegun(op_row(0, request={"text": long})))
    await store.submit(OpFinished(process_id="p", seq=0, state="done", epoch=1, at=1.0, result={"text": long})).wait()
    equal([row.message for row in await store.messages("p")], [message, message], "long messages")
    (op,) = await store.ops("p")
    equal((op.request, op.result), ({"text": long}, {"text": long}), "long requests and results")
    await store.submit(Together((ClearMessages("p"), message_change(0, message)))).wait()
    equal([row.message for row in await store.messages("p")], [message], "the same text after a clearing")


async def check_pending_counts_what_is_not_settled(store: Store) -> None:
    commits = [store.submit(event_change()) for _ in range(20)]
    that(0 <= store.pending <= 20, "pending is what was submitted and not settled")
    for commit in commits:
        await commit.wait()
    equal(store.pending, 0, "nothing is pending once all is settled")
    await fails(store.submit(Put("no_such_table", "k", {})), "a refused change")
    equal(store.pending, 0, "a refused change is settled too")


STORE_CHECKS: Final[tuple[Callable[[Store], Awaitable[None]], ...]] = (
    check_a_commit_is_done_when_its_wait_returns,
    check_event_ids_rise_without_gap,
    check_events_are_read_in_order_and_from_an_id,
    check_an_event_is_stored_as_it_goes_on_the_wire,
    check_a_change_is_what_it_was_when_submitted,
    check_together_is_all_or_nothing,
    check_a_refused_change_harms_no_other,
    check_on_done_calls_back_in_the_order_of_submission,
    check_a_change_may_be_submitted_from_a_callback,
    check_a_cancelled_waiter_leaves_its_change,
    check_many_tasks_may_wait_for_one_commit,
    *RECORD_CHECKS,
    check_processes_are_listed_newest_first,
    check_messages_come_in_order_and_are_forgotten_when_cleared,
    check_unfinished_processes_are_found_in_the_order_of_their_first_saving,
    check_a_call_is_begun_once_more_until_it_has_finished,
    check_the_journal_is_read_in_order_and_by_turn,
    check_processes_are_summed_by_status,
    check_the_end_of_a_conversation_can_be_dropped,
    check_a_writer_with_an_older_epoch_is_refused,
    check_long_texts_are_kept_whole,
    check_pending_counts_what_is_not_settled,
    *TIE_CHECKS,
)
"""Every check: an async function of a fresh store."""

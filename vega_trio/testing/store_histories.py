"""What every store must give back: events, processes, conversations and the journal of calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from vega_trio.changes import (
    AppendEvent,
    ClearMessages,
    DropMessages,
    OpBegun,
    OpFinished,
    ProcessRow,
    SaveProcess,
    Together,
)
from vega_trio.events import ProcessFailed
from vega_trio.messages import ImagePart, Message, TextPart, ToolCall, ToolResult
from vega_trio.protocols import Store
from vega_trio.testing.store_promises import equal, event_change, fails, message_change, op_row, that


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


HISTORY_CHECKS: Final[tuple[Callable[[Store], Awaitable[None]], ...]] = (
    check_events_are_read_in_order_and_from_an_id,
    check_an_event_is_stored_as_it_goes_on_the_wire,
    check_processes_are_listed_newest_first,
    check_messages_come_in_order_and_are_forgotten_when_cleared,
    check_unfinished_processes_are_found_in_the_order_of_their_first_saving,
    check_a_call_is_begun_once_more_until_it_has_finished,
    check_the_journal_is_read_in_order_and_by_turn,
    check_processes_are_summed_by_status,
    check_the_end_of_a_conversation_can_be_dropped,
    check_long_texts_are_kept_whole,
)

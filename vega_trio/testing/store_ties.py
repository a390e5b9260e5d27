"""What every store must do with links, monitors, timers, money and mail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from vega_trio.changes import (
    Change,
    DropMail,
    DropTimers,
    KeepMail,
    Link,
    LoseReserved,
    MailRow,
    OpBegun,
    OpFinished,
    ProcessRow,
    Promptly,
    Put,
    Reserve,
    SaveProcess,
    SetTimer,
    Sever,
    Spend,
    TimerRow,
    Together,
    Unlink,
    Unwatch,
    Watch,
)
from vega_trio.messages import ImagePart, Message, TextPart
from vega_trio.protocols import Store
from vega_trio.testing.store_promises import equal, event_change, fails, op_row


async def check_links_are_pairs_whichever_way_they_are_named(store: Store) -> None:
    for change in (Link("b", "a"), Link("a", "b"), Link("c", "a"), Link("c", "d"), Unlink("d", "c")):
        store.submit(change)
    await store.submit(Unlink("a", "nobody")).wait()
    equal(await store.links(), [("a", "b"), ("a", "c")], "links, each once, in their order")
    await fails(store.submit(Together((Sever("a"), Link("x", "y"), Put("no_such_table", "k", {})))), "half")
    equal(await store.links(), [("a", "b"), ("a", "c")], "links of a refused change")
    await store.submit(Sever("c")).wait()
    equal(await store.links(), [("a", "b")], "an incarnation's links end with it")


async def check_monitors_go_one_way_and_end_with_either(store: Store) -> None:
    for change in (Watch("a", "b"), Watch("b", "a"), Watch("a", "b"), Watch("c", "b"), Watch("c", "d")):
        store.submit(change)
    await store.submit(Unwatch("b", "a")).wait()
    equal(await store.monitors(), [("a", "b"), ("c", "b"), ("c", "d")], "monitors, in their order")
    await store.submit(Sever("b")).wait()
    equal(await store.monitors(), [("c", "d")], "a monitor ends with the watcher and with the watched")


async def check_timers_come_in_the_order_in_which_they_are_due(store: Store) -> None:
    first, second = (TimerRow(process_id=id_, kind="deadline", due_at=at) for id_, at in (("b", 1.5), ("a", 2.5)))
    store.submit(SetTimer(second))
    store.submit(SetTimer(attrs.evolve(first, due_at=9.0)))
    await store.submit(SetTimer(first)).wait()
    equal(await store.timers(), [first, second], "timers; one that is set again is replaced")
    store.submit(DropTimers("nobody"))
    await store.submit(DropTimers("b")).wait()
    equal(await store.timers(), [second], "a process's timers dropped")


async def check_what_a_call_reserves_is_spent_when_it_is_lost(store: Store) -> None:
    changes: list[Change] = [SaveProcess(ProcessRow(id="p", agent="coder", status="running"))]
    changes += [OpBegun(op_row(seq)) for seq in range(3)]
    changes += [_reserve(0, 50, 0), _reserve(1, 70, 20), _reserve(2, 90, 0)]
    changes.append(OpFinished(process_id="p", seq=2, state="done", epoch=1, at=1.0, cost_microusd=9))
    for change in changes:
        store.submit(change)
    await fails(store.submit(_reserve(2, 1, 0)), "reserving for a call that has finished")
    await fails(store.submit(_reserve(7, 1, 0)), "reserving for a call that never began")
    await fails(store.submit(_reserve(0, 1, 0, epoch=0)), "reserving by who is no longer the owner")
    found = [(op.cost_microusd, op.reserved_microusd) for op in await store.ops("p")]
    equal(found, [(0, 50), (20, 70), (9, 0)], "what calls cost and reserve")
    equal(await store.reserved(), {"p": 120}, "what is reserved")
    await fails(store.submit(Together((LoseReserved("p"), Put("no_such_table", "k", {})))), "half")
    equal([(op.cost_microusd, op.reserved_microusd) for op in await store.ops("p")], found, "of a refused change")
    await store.submit(LoseReserved("p")).wait()
    found = [(op.cost_microusd, op.reserved_microusd) for op in await store.ops("p")]
    equal(found, [(50, 0), (90, 0), (9, 0)], "what calls cost that were lost")
    equal(await store.reserved(), {}, "what is reserved when all is lost")


async def check_saving_a_process_leaves_its_account_alone(store: Store) -> None:
    row = ProcessRow(id="p", agent="coder", status="running", def_hash="h", restart_log="1.5", budget="{}")
    store.submit(Spend("p", 1, 1))  # nobody's
    store.submit(SaveProcess(row))
    store.submit(Spend("p", 700, 50))
    store.submit(SaveProcess(attrs.evolve(row, status="completed", cost_microusd=3)))
    await fails(store.submit(Together((Spend("p", 1, 1), Put("no_such_table", "k", {})))), "half")
    expected = attrs.evolve(row, status="completed", cost_microusd=3, spent_microusd=700, reserved_microusd=50)
    equal(await store.process("p"), expected, "a process and its account")


async def check_a_prompt_change_is_written_like_any_other(store: Store) -> None:
    equal(store.problem, None, "a store that can be written has no problem")
    store.on_problem(lambda problem: equal(problem, None, "a problem that was told of"))
    commit = store.submit(Promptly(Together((event_change(), Put("setting", "k", {"n": 1})))))
    await commit.wait()
    equal(list(commit.event_ids), [1], "the events of a prompt change have ids")
    equal(await store.records.get("setting", "k"), {"n": 1}, "a row put promptly")
    await fails(store.submit(Promptly(Put("no_such_table", "k", {}))), "a prompt change that is refused")


async def check_mail_is_kept_in_order_until_dropped(store: Store) -> None:
    def mail(id_: str, process_id: str = "p") -> MailRow:
        message = Message("user", (TextPart(id_), ImagePart("image/png", b"\xff")))
        tools = ("read_file", "fs__*") if id_ == "a" else None
        return MailRow(process_id=process_id, id=id_, root_id="r", message=message, at=1.5, tools=tools)

    for row in (mail("b"), mail("a"), mail("x", "q"), mail("c"), mail("b")):
        store.submit(KeepMail(row))
    await store.submit(KeepMail(mail("y", "q"))).wait()
    kept = await _mail(store)
    equal([row for row in kept if row.process_id == "p"], [mail("b"), mail("a"), mail("c")], "mail, in its order")
    await fails(store.submit(Together((DropMail("p"), KeepMail(mail("z")), Put("no_such_table", "k", {})))), "half")
    equal(await _mail(store), kept, "mail of a refused change")
    store.submit(DropMail("p", "never there"))
    await store.submit(DropMail("p", "b")).wait()
    equal([row.id for row in await store.mail() if row.process_id == "p"], ["a", "c"], "one mail dropped")
    await store.submit(DropMail("p")).wait()
    equal(await store.mail(), [mail("x", "q"), mail("y", "q")], "all of a process's mail dropped")


async def _mail(store: Store) -> list[MailRow]:
    return sorted(await store.mail(), key=lambda row: row.process_id)


TIE_CHECKS: Final[tuple[Callable[[Store], Awaitable[None]], ...]] = (
    check_links_are_pairs_whichever_way_they_are_named,
    check_monitors_go_one_way_and_end_with_either,
    check_timers_come_in_the_order_in_which_they_are_due,
    check_what_a_call_reserves_is_spent_when_it_is_lost,
    check_saving_a_process_leaves_its_account_alone,
    check_mail_is_kept_in_order_until_dropped,
    check_a_prompt_change_is_written_like_any_other,
)


def _reserve(seq: int, reserved: int, cost: int, epoch: int = 1) -> Reserve:
    return Reserve(process_id="p", seq=seq, epoch=epoch, reserved_microusd=reserved, cost_microusd=cost)

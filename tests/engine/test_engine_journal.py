"""The journal of a turn: what is written before a call, after it, and when it is cut short."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

import vega_trio as vega
from vega_trio._core.history import UNKNOWN_OUTCOME
from vega_trio.changes import OpRow
from vega_trio.store.memory import MemoryStore
from vega_trio.testing import ScriptedModel


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(5):
        yield


def agent(*tools: object, **fields: object) -> vega.Agent:
    return vega.Agent(name="a", tools=tools, **fields)  # type: ignore[arg-type]


def call(id_: str, name: str) -> vega.ToolCall:
    return vega.ToolCall(id_, name, {"n": 1})


def brief(ops: list[OpRow]) -> list[tuple[int, str, str, str]]:
    return [(op.seq, op.kind, op.state, op.key.partition("/")[2]) for op in ops]


async def test_every_call_is_in_the_journal_before_it_is_made_and_after_it_is_over() -> None:
    store = MemoryStore()
    seen: list[list[OpRow]] = []

    async def look(n: int) -> str:
        seen.append(await store.ops(proc.id))
        return "x"

    async def fail(n: int) -> str:
        raise vega.ToolError("no")

    model = ScriptedModel([[call("t1", "look"), call("t2", "fail")], "done"], price=2)
    async with vega.open_orchestrator(model=model, store=store) as orch, orch.spawn(agent(look, fail)) as proc:
        await proc.send("go")
        ops = await store.ops(proc.id)
    assert brief(seen[0])[:2] == [(0, "llm", "done", "0"), (1, "tool", "begun", "0/t1")]
    assert len(seen[0]) == 3  # all calls of a reply are written down together
    assert brief(ops) == [
        (0, "llm", "done", "0"),
        (1, "tool", "done", "0/t1"),
        (2, "tool", "failed", "0/t2"),
        (3, "llm", "done", "1"),
    ]
    assert ops[1].request == {"arguments": {"n": 1}}
    assert sum(op.cost_microusd for op in ops) == proc.metrics.cost_microusd > 0


async def test_a_turn_that_went_on_after_a_crash_has_cost_what_its_process_has(autojump_clock: object) -> None:
    """The provider bills the call in which the process died as well."""
    store = MemoryStore()
    with ScriptedModel([["Half of an", RuntimeError("model adapter")], "an answer"], price=1000) as model:
        async with vega.open_orchestrator(model=model, store=store) as orch:
            supervised = orch.spawn(agent(), supervision=vega.Supervision())
            async with orch.subscribe([vega.TurnFinished]) as ends, supervised as proc:
                reply = await proc.send("go")
                assert proc.incarnation == 2
                [row] = await store.records.query("turn")
                assert row["cost_microusd"] == proc.metrics.cost_microusd > 15_000  # two calls: one costs less
                assert reply.cost_usd == (await anext(ends)).cost_usd == row["cost_microusd"] / 1_000_000


async def test_a_tool_gets_the_key_of_its_call() -> None:
    keys: list[str] = []

    async def tell(context: vega.ToolContext, n: int) -> str:
        keys.append(context.idempotency_key)
        return "x"

    model = ScriptedModel([[call("t1", "tell")], [call("t1", "tell")], "done"])
    store = MemoryStore()
    async with vega.open_orchestrator(model=model, store=store) as orch, orch.spawn(agent(tell)) as proc:
        reply = await proc.send("go")
        assert keys == [f"{reply.turn_id}/0/t1", f"{reply.turn_id}/1/t1"]
        assert keys == [op.key for op in await store.ops(proc.id) if op.kind == "tool"]


async def test_a_model_that_fails_is_in_the_journal_with_its_class() -> None:
    model = ScriptedModel([vega.ModelError("no such model", vega.ErrorClass.INVALID_REQUEST)])
    store = MemoryStore()
    async with vega.open_orchestrator(model=model, store=store) as orch, orch.spawn(agent()) as proc:
        with pytest.raises(vega.TurnFailed):
            await proc.send("go")
        (op,) = await store.ops(proc.id)
    assert (op.state, op.error_class) == ("failed", "invalid_request")


async def test_a_stopped_turn_leaves_no_call_open_and_no_call_without_a_result() -> None:
    started = trio.Event()

    async def slow(n: int) -> str:
        started.set()
        await trio.sleep_forever()
        return ""

    model = ScriptedModel([[call("t1", "slow")], "again"])
    store = MemoryStore()
    async with vega.open_orchestrator(model=model, store=store) as orch, orch.spawn(agent(slow)) as proc:
        pending = proc.start_send("go")
        await started.wait()
        await proc.stop_turn()
        with pytest.raises(vega.TurnCancelled):
            await pending.wait()
        assert [op.state for op in await store.ops(proc.id)] == ["done", "failed"]
        stored = [row.message for row in await store.messages(proc.id)]
        assert stored == proc.messages()
        assert stored[-1].tool_results[0].content == "Error: cancelled"
        assert await store.mail() == []
        await proc.send("again")


async def test_a_call_that_its_process_did_not_survive_is_repeated_only_if_it_may_be() -> None:
    ran: list[str] = []

    reading = trio.Event()

    async def crash(context: vega.ToolContext, n: int) -> str:
        await reading.wait()
        ran.append(context.idempotency_key)
        raise vega.ProcessExit(vega.Crashed(RuntimeError("gone")))

    @vega.tool(effects=["read"])
    async def read(context: vega.ToolContext, n: int) -> str:
        ran.append(context.idempotency_key)
        reading.set()
        if len(ran) < 3:
            await trio.sleep_forever()
        return "x"

    model = ScriptedModel([[call("t1", "read"), call("t2", "crash")], "done"])
    store = MemoryStore()
    async with vega.open_orchestrator(model=model, store=store) as orch:
        proc = await orch.spawn(agent(crash, read, supervision=vega.Supervision(backoff=None)))
        reply = await proc.send("go")
        ops = await store.ops(proc.id)
    assert brief(ops) == [
        (0, "llm", "done", "0"),
        (1, "tool", "done", "0/t1"),
        (2, "tool", "unknown", "0/t2"),
        (3, "llm", "done", "1"),
    ]
    assert [op.attempts for op in ops] == [1, 2, 1, 1]
    assert ran == [f"{reply.turn_id}/0/t1", f"{reply.turn_id}/0/t2", f"{reply.turn_id}/0/t1"]
    results = {each.tool_call_id: each.content for each in model.requests[1].messages[-1].tool_results}
    assert results == {"t1": "x", "t2": UNKNOWN_OUTCOME}
    assert reply.text == "done"
    assert [call.id for call in reply.tool_calls].count("t1") == 1


async def test_accepted_mail_is_stored_until_its_turn_ends() -> None:
    go_on = trio.Event()

    async def answer(_: object) -> str:
        await go_on.wait()
        return "ok"

    store = MemoryStore()
    async with vega.open_orchestrator(model=ScriptedModel(answer), store=store) as orch:
        proc = await orch.spawn(agent())
        first, second = proc.start_send("one"), proc.start_send("two")
        await proc.post("three")
        await trio.testing.wait_all_tasks_blocked()
        assert [mail.message.text for mail in await store.mail()] == ["one", "two", "three"]
        second.cancel()
        assert [mail.message.text for mail in await store.mail()] == ["one", "three"]
        go_on.set()
        await first.wait()
        assert [mail.message.text for mail in await store.mail()] == ["three"]
        await orch.kill(proc.id)
        assert await store.mail() == []

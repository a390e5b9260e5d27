"""After a crash of the program: budgets, links, monitors, deadlines and restart logs are as they were."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import trio
from killed_database import killed

import vega_trio as vega
from vega_trio.protocols import ModelRequest
from vega_trio.store.sqlite import open_sqlite
from vega_trio.testing import ScriptedModel

AGENT = vega.Agent(name="worker")


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(20):
        yield


def changed(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute(statement)
        conn.commit()


class Hanging:
    """A model that says in `asked` that it was called, and never answers."""

    def __init__(self) -> None:
        self.asked = trio.Event()
        self.model = ScriptedModel(self._hang, price=1)

    async def _hang(self, _: ModelRequest) -> str:
        self.asked.set()
        await trio.sleep_forever()
        return ""


async def durable(path: Path, query: str) -> object:
    """What the query finds in the database, once it does."""
    while True:
        with closing(sqlite3.connect(path)) as conn:
            found = conn.execute(query).fetchall()
        if found:
            return found
        await trio.sleep(0.005)


# -- money


async def test_what_a_cut_call_had_reserved_counts_as_spent(tmp_path: Path) -> None:
    path, hanging = tmp_path / "vega.db", Hanging()
    async with vega.open_orchestrator(model=hanging.model, store=path) as orch:
        process = await orch.spawn(AGENT, name="w1", budget=1.0)
        process.start_send("hello")
        await hanging.asked.wait()
        assert process.budget is not None
        reserved = process.budget.reserved_microusd
        left = killed(path)
    assert reserved > 0
    async with vega.open_orchestrator(model=ScriptedModel(["hi", "well"], price=1), store=left) as orch:
        again = await orch.spawn(AGENT, name="w1")
        assert again.budget is not None
        assert (again.budget.limit_microusd, again.budget.spent_microusd) == (1_000_000, reserved)
        await again.send("and now?")
        with closing(sqlite3.connect(left)) as conn:
            costs = [cost for (cost,) in conn.execute("SELECT cost FROM op ORDER BY seq")]
        assert costs[0] > reserved
        assert again.metrics.cost_microusd == again.budget.spent_microusd == sum(costs)


async def test_crash_after_crash_the_limit_holds(tmp_path: Path) -> None:
    path, made, spent, budget = tmp_path / "vega.db", 0, 0, 0.05
    for _ in range(30):
        hanging = Hanging()
        async with vega.open_orchestrator(model=hanging.model, store=path) as orch:
            process = await orch.spawn(AGENT, name="w1", budget=budget)
            if process.mailbox_length == 0 and process.current is None:
                process.start_send("hello")
            with trio.move_on_after(1):  # the call that is over the budget never comes
                await hanging.asked.wait()
            if not hanging.asked.is_set():
                break
            made += 1
            assert process.budget is not None
            spent += process.budget.reserved_microusd
            path = killed(path)
            changed(path, "UPDATE process SET recoveries = ''")  # as if the crashes were days apart
    assert 1 < made < 30
    assert spent <= budget * 1_000_000


async def test_what_others_spent_on_a_process_s_account_is_spent(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"

    async def ask(context: vega.ToolContext) -> str:
        """Has a child of its own say something."""
        child = await context.spawn(vega.Agent(name="child"))
        return str(await child.send("hello"))

    call = vega.ToolCall("t1", "ask", {})
    agent = vega.Agent(name="worker", tools=[ask])
    async with vega.open_orchestrator(model=ScriptedModel([[call], "child", "parent"], price=100), store=path) as orch:
        process = await orch.spawn(agent, name="w1", budget=1.0)
        await process.send("go")
        assert process.budget is not None
        spent = process.budget.spent_microusd
        assert spent > process.metrics.cost_microusd > 0
        left = killed(path)
    async with vega.open_orchestrator(model=ScriptedModel([]), store=left) as orch:
        again = await orch.spawn(agent, name="w1")
        assert again.budget is not None
        assert again.budget.spent_microusd == spent


# -- ties


async def test_links_hold_after_a_crash_and_are_no_exit(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    async with vega.open_orchestrator(model=ScriptedModel([]), store=path) as orch:
        one, two, three = [await orch.spawn(AGENT, name=name) for name in ("one", "two", "three")]
        one.link(two)
        two.link(three)
        two.unlink(three)
        one.link(two)
        await durable(path, "SELECT count(*) FROM link GROUP BY 1 = 1 HAVING count(*) = 1")
        left = killed(path)
    async with vega.open_orchestrator(model=ScriptedModel([]), store=left) as orch:
        one, two, three = [await orch.spawn(AGENT, name=name) for name in ("one", "two", "three")]
        assert {process.status for process in (one, two, three)} == {"running"}
        two.exit(vega.Crashed(ValueError("no")))
        await one.wait()
        assert (one.status, three.status) == ("failed", "running")
    async with open_sqlite(left) as store:
        assert await store.links() == []


async def test_a_restart_undoes_its_links_for_good(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    agent = vega.Agent(name="worker", supervision=vega.Supervision())

    async def crash(_: vega.ToolContext) -> str:
        """Crashes."""
        raise vega.ProcessExit(vega.Crashed(ValueError("no")))

    crashing = vega.Agent(name="crasher", tools=[crash], supervision=vega.Supervision())
    model = ScriptedModel([[vega.ToolCall("t1", "crash", {})], "after"])
    async with vega.open_orchestrator(model=model, store=path) as orch:
        one, two = await orch.spawn(crashing, name="one"), await orch.spawn(agent, name="two")
        one.link(two)
        await one.send("go")
        await durable(path, "SELECT 1 FROM process WHERE name = 'two' AND incarnation = 2")
        left = killed(path)
    async with open_sqlite(left) as store:
        assert await store.links() == []
        row = await store.process(one.id)
        assert row is not None
        assert len(row.restart_log.split()) == 1


async def test_those_tied_to_a_process_that_is_given_up_hear_of_it(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    async with vega.open_orchestrator(model=ScriptedModel([]), store=path) as orch:
        one, two = await orch.spawn(AGENT, name="one"), await orch.spawn(AGENT, name="two")
        one.link(two)
        await durable(path, "SELECT 1 FROM link")
        left = killed(path)
    async with vega.open_orchestrator(model=ScriptedModel([]), store=left) as orch:
        one = await orch.spawn(AGENT, name="one")
        await orch.kill(two.id)
        assert await one.wait() == vega.Killed()


async def test_a_monitor_goes_on_at_the_watcher_s_next_one(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    watching = trio.Event()
    downs: list[vega.Down] = []

    async def watch(context: vega.ToolContext) -> str:
        """Waits for the end of two."""
        me, other = orch.get(context.process.id), orch.whereis("two")
        assert other is not None
        async with me.monitor(other) as queue:
            watching.set()
            downs.append(await queue.receive())
        return "down"

    watcher = vega.Agent(name="watcher", tools=[vega.tool(idempotent=True)(watch)])
    call = vega.ToolCall("t1", "watch", {})
    async with vega.open_orchestrator(model=ScriptedModel([[call]]), store=path) as orch:
        two = await orch.spawn(AGENT, name="two")
        one = await orch.spawn(watcher, name="one")
        one.start_send("go")
        await watching.wait()
        await durable(path, "SELECT 1 FROM monitor")
        left = killed(path)
    watching = trio.Event()
    async with vega.open_orchestrator(model=ScriptedModel(["it is down"]), store=left) as orch:
        two = await orch.spawn(AGENT, name="two")
        again = await orch.spawn(watcher, name="one")
        await watching.wait()
        two.kill()
        while again.current is not None:
            await again.current.finish()
        assert [down.process_id for down in downs] == [two.id]
        assert again.messages()[-1].text == "it is down"
    async with open_sqlite(left) as store:
        assert await store.monitors() == []


# -- time


async def test_a_deadline_that_has_passed_fires_at_once_and_one_to_come_in_time(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    async with vega.open_orchestrator(model=ScriptedModel([]), store=path) as orch:
        for name in ("late", "soon"):
            await orch.spawn(AGENT, name=name, deadline=3600.0)
        await durable(path, "SELECT count(*) FROM timer GROUP BY 1 = 1 HAVING count(*) = 2")
        left = killed(path)
    due = time.time() + 0.3
    for name, due_at in (("late", due - 2), ("soon", due)):
        query = f"UPDATE timer SET due_at = {due_at} WHERE process = (SELECT id FROM process WHERE name = '{name}')"
        changed(left, query)
    async with vega.open_orchestrator(model=ScriptedModel([]), store=left) as orch:
        late, soon = await orch.spawn(AGENT, name="late"), await orch.spawn(AGENT, name="soon", deadline=3600.0)
        await late.wait()
        await soon.wait()
        assert (late.status, soon.status) == ("timeout", "timeout")
        assert late.completed_at is not None
        assert soon.completed_at is not None
        assert late.completed_at <= soon.completed_at
        assert soon.completed_at > due - 0.1, "the machine's two clocks may differ a little"
    async with open_sqlite(left) as store:
        assert await store.timers() == []


async def test_restarts_of_an_earlier_program_count(tmp_path: Path) -> None:
    path = tmp_path / "vega.db"

    async def crash(_: vega.ToolContext) -> str:
        """Crashes."""
        raise vega.ProcessExit(vega.Crashed(ValueError("no")))

    backoff = vega.BackoffConfig(initial=0.0)
    policy = vega.Supervision(max_restarts=2, window=3600.0, backoff=backoff)
    agent = vega.Agent(name="worker", tools=[crash], supervision=policy)
    call = vega.ToolCall("t1", "crash", {})
    async with vega.open_orchestrator(model=ScriptedModel([[call], "one", [call], "two"]), store=path) as orch:
        process = await orch.spawn(agent, name="w1")
        assert [str(await process.send("go")) for _ in range(2)] == ["one", "two"]
        left = killed(path)
    async with vega.open_orchestrator(model=ScriptedModel([[call]]), store=left) as orch:
        again = await orch.spawn(agent, name="w1")
        assert again.restarts == 0
        with pytest.raises(vega.ProcessExited):
            await again.send("go")
        assert again.status == "failed"

"""Budgets: held before a call, charged after it, in every scope that the call runs in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
from talk import WAYS, Told, Way
from trio.testing import MockClock

import vega_trio as vega
from vega_trio.testing import ScriptedModel
from vega_trio.testing.scripted import ScriptedReply

both_ways = pytest.mark.parametrize("ask", WAYS)
CUT = vega.ModelError("cut", vega.ErrorClass.TEMPORARY)


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(10_000):
        yield


def agent(**fields: object) -> vega.Agent:
    return vega.Agent(name="coder", max_tokens=100, **fields)  # type: ignore[arg-type]


def priced(answer: object = "ok", *, price: int | None = 1000, usage: vega.Usage | None = None) -> ScriptedModel:
    """Answers every call for 15 tokens, which is $0.015."""
    reply = answer if isinstance(answer, ScriptedReply) else ScriptedReply(answer, usage or vega.Usage(10, 5))  # type: ignore[arg-type]
    return ScriptedModel(lambda request: reply, price=price)


@both_ways
async def test_an_agents_budget_blocks_the_call_that_could_pass_it(ask: Way) -> None:
    model = priced()
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(budget=vega.Budget(0.25))) as proc:
        told = [await ask(proc, "hi") for _ in range(20)]
        spent = len(model.requests) * 0.015
        assert 0.15 < spent <= 0.25
        assert [each.text for each in told[: len(model.requests)]] == ["ok"] * len(model.requests)
        assert {each.error_class for each in told[len(model.requests) :]} == {"budget_exceeded"}
        assert told[-1].error.startswith(f"budget exceeded: ${spent:.3f} of $0.25 spent by 'coder'")
        assert proc.budget is not None
        assert proc.budget.used == proc.metrics.cost_usd == pytest.approx(spent)
        assert proc.alive


@both_ways
async def test_each_process_has_its_agents_budget_to_itself(ask: Way) -> None:
    async with vega.open_orchestrator(model=priced()) as orch:
        for _ in range(2):
            async with orch.spawn(agent(budget=0.14)) as proc:
                assert await ask(proc, "hi") == Told("ok")


@both_ways
@pytest.mark.parametrize("on_exceed", ["warn", "allow"])
async def test_a_budget_that_does_not_block_lets_the_call_pass(ask: Way, on_exceed: str) -> None:
    lax = agent(budget=vega.Budget(0.02, on_exceed))  # type: ignore[arg-type]
    async with (
        vega.open_orchestrator(model=priced()) as orch,
        orch.subscribe([vega.BudgetWarning, vega.BudgetOverrun]) as events,
        orch.spawn(lax) as proc,
    ):
        for _ in range(4):
            assert await ask(proc, "hi") == Told("ok")
        assert proc.budget is not None
        assert proc.budget.used == pytest.approx(0.06)
        assert proc.budget.remaining == 0
        heard = []
        with trio.move_on_after(0.01):
            while True:
                heard.append(await anext(events))
    assert [event.type for event in heard] == (["budget.warning", "budget.exceeded"] if on_exceed == "warn" else [])


@both_ways
async def test_a_warning_comes_at_four_fifths_and_an_event_with_the_refusal(ask: Way) -> None:
    async with (
        vega.open_orchestrator(model=priced(usage=vega.Usage(100, 100))) as orch,
        orch.subscribe([vega.BudgetWarning, vega.BudgetOverrun]) as events,
        orch.spawn(agent(budget=0.25)) as proc,
    ):
        await ask(proc, "hi" * 45)
        warning = await anext(events)
        assert isinstance(warning, vega.BudgetWarning)
        assert (warning.limit_usd, warning.spent_usd, warning.scope) == (0.25, 0.2, "'coder'")
        assert (await ask(proc, "hi" * 45)).error_class == "budget_exceeded"
        refused = await anext(events)
        assert isinstance(refused, vega.BudgetOverrun)
        assert refused.blocked


@both_ways
async def test_the_whole_programs_budget_holds_over_all_processes(ask: Way) -> None:
    model = priced()
    async with vega.open_orchestrator(model=model, budget=0.25) as orch:
        told = [await ask(await orch.spawn(agent()), "hi") for _ in range(20)]
    assert told[-1].error_class == "budget_exceeded"
    assert "the application" in told[-1].error
    assert 0.15 < len(model.requests) * 0.015 <= 0.25


@both_ways
async def test_a_spawn_may_have_a_budget_of_its_own(ask: Way) -> None:
    async with vega.open_orchestrator(model=priced()) as orch, orch.spawn(agent(), budget=0.01) as proc:
        assert (await ask(proc, "hi")).error_class == "budget_exceeded"


@both_ways
async def test_a_scope_charges_the_callees_turn_and_ends_with_the_block(ask: Way) -> None:
    async with vega.open_orchestrator(model=priced()) as orch, orch.spawn(agent()) as proc:
        with vega.budget(usd=1) as outer, vega.budget(usd=0.2) as inner:
            assert await ask(proc, "hi") == Told("ok")
            assert (inner.used, outer.used) == (0.015, 0.015)
            assert inner.remaining == pytest.approx(0.185)
        assert await ask(proc, "hi") == Told("ok")
        assert outer.used == 0.015
        with vega.budget(usd=0.001):
            assert (await ask(proc, "hi")).error_class == "budget_exceeded"
        assert await ask(proc, "hi") == Told("ok")


async def test_what_a_turns_tools_start_is_charged_to_all_of_the_turns_scopes() -> None:
    async def hire(ctx: vega.ToolContext) -> str:
        """Asks a child."""
        async with ctx.spawn(vega.Agent(name="helper", max_tokens=100)) as child:
            return str(await child.send("help"))

    def answer(request: vega.ModelRequest) -> object:
        asked = request.messages[-1]
        return ScriptedReply(vega.ToolCall("t", "hire", {}) if asked.text == "go" else "ok", vega.Usage(10, 5))

    model = ScriptedModel(answer, price=1000)  # type: ignore[arg-type]
    async with (
        vega.open_orchestrator(model=model) as orch,
        orch.spawn(agent(tools=[hire], budget=5)) as proc,
    ):
        with vega.budget(usd=5) as scope:
            await proc.send("go")
        assert scope.used == pytest.approx(0.045)
        assert proc.budget is not None
        assert proc.budget.used == pytest.approx(0.045)
        assert proc.metrics.cost_usd == pytest.approx(0.030)


async def test_a_function_spawned_in_a_scope_spends_from_it_after_the_block_too() -> None:
    async def work(me: vega.Process) -> None:
        async for mail in me.inbox:
            async with me.spawn(agent()) as child:
                mail.reply((await child.send("hi")).text)

    async with vega.open_orchestrator(model=priced()) as orch:
        with vega.budget(usd=1) as scope:
            worker = await orch.spawn(work)
        assert await worker.send("go") == "ok"
        assert scope.used == 0.015


async def test_a_budget_survives_a_restart_of_its_process() -> None:
    crashed = []

    def answer(request: vega.ModelRequest) -> object:
        if len(crashed) < 2 and "crash" in request.messages[-1].text:
            crashed.append(1)
            return ValueError("bug")
        return ScriptedReply("ok", vega.Usage(10, 5))

    model = ScriptedModel(answer, price=1000)  # type: ignore[arg-type]
    policy = vega.Supervision(backoff=vega.BackoffConfig(initial=0))
    async with vega.open_orchestrator(model=model) as orch:
        proc = await orch.spawn(agent(budget=1), supervision=policy)
        await proc.send("hi")
        with pytest.raises(vega.TurnFailed):
            await proc.send("crash")
        assert proc.incarnation == 3
        await proc.send("hi")
        assert proc.budget is not None
        assert proc.budget.spent_microusd >= 30_000


@both_ways
async def test_near_the_end_the_answer_is_shortened_to_what_is_left(ask: Way) -> None:
    model = priced(ScriptedReply("ok", vega.Usage(10, 5), stop_reason="max_tokens"))
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(budget=0.05)) as proc:
        cut = await ask(proc, "hi")
        assert cut.error_class == "budget_exceeded"
        assert "cut off" in cut.error
    assert 1 <= model.requests[0].max_tokens < 50


@both_ways
async def test_an_unknown_price_raises_an_alert_once_and_is_never_nothing(ask: Way) -> None:
    async with (
        vega.open_orchestrator(model=priced(price=None)) as orch,
        orch.subscribe([vega.HealthAlert]) as events,
        orch.spawn(agent(budget=1)) as proc,
    ):
        for _ in range(2):
            assert await ask(proc, "hi") == Told("ok")
        alert = await anext(events)
        assert (alert.type, "no price is known" in alert.message) == ("alert.unpriced", True)  # type: ignore[attr-defined]
        with trio.move_on_after(0.01):
            raise AssertionError(await anext(events))
        assert proc.budget is not None
        assert (proc.budget.unpriced_calls, proc.metrics.unpriced_calls) == (2, 2)


@both_ways
async def test_a_call_that_broke_off_is_charged_for_and_one_that_was_refused_is_not(
    ask: Way, autojump_clock: MockClock
) -> None:
    busy = vega.ModelError("busy", vega.ErrorClass.OVERLOADED, status=529)
    with ScriptedModel([busy, "ok", ["Half", CUT], "ok"], price=1000) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(budget=10)) as proc:
            await ask(proc, "hi")
            assert proc.metrics.cost_microusd == 15_000
            await ask(proc, "hi")
            assert proc.metrics.cost_microusd > 30_000
            assert proc.budget is not None
            assert proc.budget.spent_microusd == proc.metrics.cost_microusd
            assert proc.budget.reserved_microusd == 0

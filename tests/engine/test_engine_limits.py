"""Breakers and rate limits, shared by all processes of a program."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
from talk import WAYS, Told, Way
from trio.testing import MockClock

import vega_trio as vega
from vega_trio.testing import ScriptedModel
from vega_trio.testing.scripted import ScriptedReply

pytestmark = pytest.mark.parametrize("ask", WAYS)

DOWN = vega.ModelError("down", vega.ErrorClass.TEMPORARY)
ONCE = vega.RetryPolicy(1)


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(10_000):
        yield


def agent(**fields: object) -> vega.Agent:
    return vega.Agent(name="a", **{"retry": ONCE, **fields})  # type: ignore[arg-type]


def replies(usage: vega.Usage | None = None) -> ScriptedModel:
    reply = ScriptedReply("ok", usage or vega.Usage(10, 5))
    return ScriptedModel(lambda request: reply)


# -- breakers


async def test_an_open_breaker_fails_calls_of_every_process_at_once(ask: Way, autojump_clock: MockClock) -> None:
    guarded = agent(circuit_breaker=vega.CircuitBreaker(threshold=2, reset_after=60))
    with ScriptedModel([DOWN, DOWN, "back"]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(guarded) as one, orch.spawn(guarded) as two:
            assert [(await ask(proc, "hi")).error for proc in (one, two)] == ["down", "down"]
            refused = await ask(two, "hi")
            assert refused.error_class == "temporary"
            assert "is not called for now" in refused.error
            assert len(model.requests) == 2
            await trio.sleep(60)
            assert await ask(one, "hi") == Told("back")


async def test_a_breaker_tells_of_its_states(ask: Way, autojump_clock: MockClock) -> None:
    states: list[tuple[str, str]] = []
    config = vega.CircuitBreaker(threshold=1, reset_after=60, on_change=lambda *change: states.append(change))
    with ScriptedModel([DOWN, DOWN, "back"]) as model:
        async with (
            vega.open_orchestrator(model=model) as orch,
            orch.subscribe([vega.BreakerOpened, vega.BreakerHalfOpen, vega.BreakerClosed]) as events,
            orch.spawn(agent(circuit_breaker=config)) as proc,
        ):
            for _ in range(3):
                await ask(proc, "hi")
                await trio.sleep(60)
            types = [(await anext(events)).type for _ in range(5)]
    assert types == [f"breaker.{each}" for each in ("opened", "half_open", "opened", "half_open", "closed")]
    assert [state for _, state in states] == ["open", "half_open", "open", "half_open", "closed"]


async def test_without_a_breaker_calls_go_on(ask: Way, autojump_clock: MockClock) -> None:
    with ScriptedModel([DOWN] * 10) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent()) as proc:
            for _ in range(10):
                assert (await ask(proc, "hi")).error == "down"


async def test_an_open_breaker_sends_the_call_to_the_other_model(ask: Way, autojump_clock: MockClock) -> None:
    with ScriptedModel([DOWN]) as model, ScriptedModel(["one", "two"], name="x:2") as other:
        both = agent(circuit_breaker=vega.CircuitBreaker(threshold=1), fallback_model=other)
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(both) as proc:
            assert [await ask(proc, "hi") for _ in range(2)] == [Told("one"), Told("two")]


# -- rates


async def entered(ask: Way, rate: object, calls: int, *, blueprint: vega.Agent) -> list[float]:
    """When each of so many processes of one agent had its answer, in seconds; -1: it was refused."""
    times: list[float] = []

    async def one(proc: vega.Process) -> None:
        told = await ask(proc, "hi")
        times.append(trio.current_time() - start if told.text else -1.0)

    async with vega.open_orchestrator(model=replies(), rate_limits=rate) as orch:  # type: ignore[arg-type]
        start = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(calls):
                nursery.start_soon(one, await orch.spawn(blueprint))
    return sorted(times)


async def test_requests_beyond_a_minutes_allowance_wait_their_turn(ask: Way, autojump_clock: MockClock) -> None:
    times = await entered(ask, vega.RateLimit(requests_per_minute=6), 8, blueprint=agent())
    assert times == pytest.approx([0] * 6 + [10, 20], abs=0.01)


async def test_an_agents_own_limit_holds_for_all_its_processes(ask: Way, autojump_clock: MockClock) -> None:
    own = agent(rate_limit=vega.RateLimit(requests_per_minute=2))
    assert await entered(ask, None, 4, blueprint=own) == pytest.approx([0, 0, 30, 60], abs=0.01)


async def test_a_models_limit_is_found_by_its_name(ask: Way, autojump_clock: MockClock) -> None:
    by_name = {"scripted:test": vega.RateLimit(requests_per_minute=1), "demo": vega.RateLimit(requests_per_minute=9)}
    assert await entered(ask, by_name, 2, blueprint=agent()) == pytest.approx([0, 60], abs=0.01)


async def test_reject_fails_what_would_wait(ask: Way, autojump_clock: MockClock) -> None:
    limit = vega.RateLimit(requests_per_minute=2, strategy="reject")
    assert await entered(ask, limit, 3, blueprint=agent()) == pytest.approx([-1, 0, 0], abs=0.01)


async def test_backpressure_lets_a_minutes_worth_wait_and_fails_the_rest(ask: Way, autojump_clock: MockClock) -> None:
    limit = vega.RateLimit(requests_per_minute=2, strategy="backpressure")
    assert await entered(ask, limit, 6, blueprint=agent()) == pytest.approx([-1, -1, 0, 0, 30, 60], abs=0.01)


async def test_tokens_a_call_used_are_owed_by_those_that_follow(ask: Way, autojump_clock: MockClock) -> None:
    async with (
        vega.open_orchestrator(model=replies(vega.Usage(50, 50)), rate_limits=vega.RateLimit(None, 100)) as orch,
        orch.spawn(agent()) as proc,
    ):
        times = []
        for _ in range(3):
            await ask(proc, "hi")
            times.append(trio.current_time())
    assert 0 < times[1] - times[0] < 10  # a few tokens for the question itself
    assert times[2] - times[1] == pytest.approx(60, abs=5)


async def test_after_a_429_nobody_calls_before_the_pause_is_over_and_then_not_all_together(
    ask: Way, autojump_clock: MockClock
) -> None:
    calls: list[float] = []
    slow_down = vega.ModelError("slow down", vega.ErrorClass.RATE_LIMIT, retry_after_s=20.0)

    def answer(request: vega.ModelRequest) -> vega.ModelError | str:
        calls.append(trio.current_time())
        return slow_down if len(calls) == 1 else "ok"

    async with vega.open_orchestrator(model=ScriptedModel(answer)) as orch:
        procs = [await orch.spawn(vega.Agent(name="a")) for _ in range(50)]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, procs[0], "hi")
            await trio.sleep(1)
            for proc in procs[1:]:
                nursery.start_soon(ask, proc, "hi")
    later = [at - calls[0] for at in calls[1:]]
    assert len(later) == 50
    assert min(later) >= 20.0
    assert max(later) <= 26.0
    assert len({round(at, 2) for at in later}) > 25


async def test_a_place_in_the_queue_that_is_given_up_goes_to_the_next(ask: Way, autojump_clock: MockClock) -> None:
    async with vega.open_orchestrator(model=replies(), rate_limits=vega.RateLimit(1)) as orch:
        one, two = await orch.spawn(agent()), await orch.spawn(agent())
        await ask(one, "hi")
        start = trio.current_time()
        pending = one.start_send("hi")
        await trio.sleep(1)
        pending.cancel()
        with pytest.raises(vega.TurnCancelled):
            await pending.wait()
        await ask(two, "hi")
        assert trio.current_time() - start == pytest.approx(60, abs=0.1)


async def test_fifty_agents_that_were_refused_together_do_not_come_back_together(
    ask: Way, autojump_clock: MockClock
) -> None:
    """A provider that takes ten calls a second and says nothing of how long to wait."""
    calls: list[float] = []
    refusals = 0

    def ten_a_second(_: object) -> str:
        nonlocal refusals
        now = trio.current_time()
        calls.append(now)
        if sum(now - 1 < each for each in calls) > 10:
            refusals += 1
            raise vega.ModelError("429", vega.ErrorClass.RATE_LIMIT)
        return "ok"

    told: list[Told] = []

    async def one(orch: vega.Orchestrator) -> None:
        told.append(await ask(await orch.spawn(agent(retry=vega.RetryPolicy())), "hi"))

    async with vega.open_orchestrator(model=ScriptedModel(ten_a_second)) as orch, trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(one, orch)
    assert told == [Told("ok")] * 50
    assert refusals < 50  # the forty of the first burst, and a few more
    later = [at for at in calls if at > calls[0] + 0.05]
    assert max(sum(at <= other < at + 1 for other in later) for at in later) <= 12

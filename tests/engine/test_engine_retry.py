"""A model that fails is asked again; then another one is; what is shown and kept stays one answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
from talk import WAYS, Told, Way
from trio.testing import MockClock

import vega_trio as vega
from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.parametrize("ask", WAYS)

OVERLOADED = vega.ModelError("the model is overloaded", vega.ErrorClass.OVERLOADED)
CUT = vega.ModelError("the connection broke", vega.ErrorClass.TEMPORARY)
STEADY = vega.BackoffConfig(initial=1.0, multiplier=2.0)


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(10_000):
        yield


def agent(**fields: object) -> vega.Agent:
    return vega.Agent(name="a", system="be brief", **{"retry": vega.RetryPolicy(backoff=STEADY), **fields})  # type: ignore[arg-type]


async def heard(orch: vega.Orchestrator, into: list[vega.Event], task_status: trio.TaskStatus[None]) -> None:
    async with orch.subscribe([vega.LlmRetry, vega.MessageReset, vega.TextDelta]) as events:
        task_status.started()
        while True:
            into.append(await anext(events))


async def test_a_passing_failure_is_retried_with_growing_pauses(ask: Way, autojump_clock: MockClock) -> None:
    with ScriptedModel([OVERLOADED, OVERLOADED, "hello"]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent()) as proc:
            before = trio.current_time()
            assert await ask(proc, "hi") == Told("hello")
            assert trio.current_time() - before == pytest.approx(3.0, abs=0.1)
            assert [each.text for each in proc.messages()] == ["hi", "hello"]


async def test_by_default_there_are_five_attempts(ask: Way, autojump_clock: MockClock) -> None:
    with ScriptedModel([OVERLOADED] * 5) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(vega.Agent(name="a")) as proc:
            assert await ask(proc, "hi") == Told("", "overloaded", "the model is overloaded")
            assert proc.alive


async def test_max_attempts_and_retry_on_are_the_agents(ask: Way, autojump_clock: MockClock) -> None:
    twice = vega.RetryPolicy(2, STEADY, (vega.ErrorClass.TIMEOUT,))
    silent = vega.ModelError("silent", vega.ErrorClass.TIMEOUT)
    with ScriptedModel([OVERLOADED, silent, silent]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(retry=twice)) as proc:
            assert (await ask(proc, "hi")).error_class == "overloaded"
            assert (await ask(proc, "hi")).error_class == "timeout"


@pytest.mark.parametrize("error_class", ["invalid_request", "authentication", "context_overflow"])
async def test_what_would_fail_again_is_not_retried(ask: Way, autojump_clock: MockClock, error_class: str) -> None:
    with ScriptedModel([vega.ModelError("no", vega.ErrorClass(error_class))]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent()) as proc:
            assert (await ask(proc, "hi")).error_class == error_class


async def test_the_provider_says_how_long_to_wait_up_to_a_minute(ask: Way, autojump_clock: MockClock) -> None:
    short = vega.ModelError("slow down", vega.ErrorClass.RATE_LIMIT, retry_after_s=20.0)
    long = vega.ModelError("slow down", vega.ErrorClass.RATE_LIMIT, retry_after_s=86_400.0)
    with ScriptedModel([short, "one", long, "two"]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent()) as proc:
            start = trio.current_time()
            assert await ask(proc, "hi") == Told("one")
            between = trio.current_time()
            assert 20.0 <= between - start <= 25.0
            assert await ask(proc, "hi") == Told("two")
            assert 60.0 <= trio.current_time() - between <= 75.0


async def test_a_cut_stream_is_made_again_without_lost_or_doubled_text(ask: Way, autojump_clock: MockClock) -> None:
    events: list[vega.Event] = []
    look = vega.ToolCall("t1", "look", {})
    script = [["First. ", look], ["The answer i", CUT], ["The", CUT], "The answer is 4."]

    def look_up() -> str:
        return "4"

    tool = vega.tool(name="look")(look_up)
    with ScriptedModel(script) as model:
        async with (
            vega.open_orchestrator(model=model) as orch,
            trio.open_nursery() as nursery,
            orch.spawn(agent(tools=[tool])) as proc,
        ):
            await nursery.start(heard, orch, events)
            assert await ask(proc, "hi") == Told("First. The answer is 4.")
            said = [message.text for message in proc.messages() if message.role == "assistant"]
            assert said == ["First. ", "The answer is 4."]
            nursery.cancel_scope.cancel()
    resets = [event.text for event in events if isinstance(event, vega.MessageReset)]
    assert resets == ["First. ", "First. "]


async def test_each_retry_is_an_event_that_names_class_attempt_and_delay(ask: Way, autojump_clock: MockClock) -> None:
    events: list[vega.Event] = []
    with ScriptedModel([OVERLOADED, CUT, "hello"]) as model:
        async with (
            vega.open_orchestrator(model=model) as orch,
            trio.open_nursery() as nursery,
            orch.spawn(agent()) as proc,
        ):
            await nursery.start(heard, orch, events)
            await ask(proc, "hi")
            nursery.cancel_scope.cancel()
    told = [(each.error_class, each.attempt, each.delay_ms) for each in events if isinstance(each, vega.LlmRetry)]
    assert told == [("overloaded", 2, 1000), ("temporary", 3, 2000)]
    assert not any(isinstance(each, vega.MessageReset) for each in events)  # nothing had been shown


async def test_a_call_that_never_ends_is_a_timeout(
    ask: Way, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEGA_TIMEOUT", "90s")

    async def mute(request: vega.ModelRequest) -> str:
        await trio.sleep_forever()
        return ""

    once = agent(retry=vega.RetryPolicy(1))
    async with vega.open_orchestrator(model=ScriptedModel(mute)) as orch, orch.spawn(once) as proc:
        before = trio.current_time()
        told = await ask(proc, "hi")
        assert told.error_class == "timeout"
        assert "90 s" in told.error
        assert trio.current_time() - before == pytest.approx(90.0, abs=0.1)


async def test_the_other_model_is_asked_once_when_retries_are_spent(ask: Way, autojump_clock: MockClock) -> None:
    script = [OVERLOADED, ["Hel", OVERLOADED], OVERLOADED, OVERLOADED]
    with ScriptedModel(script) as model, ScriptedModel(["hello", CUT], name="x:2") as other:
        twice = agent(retry=vega.RetryPolicy(2, STEADY), fallback_model=other)
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(twice) as proc:
            assert await ask(proc, "hi") == Told("hello")
            assert await ask(proc, "hi") == Told("", "temporary", "the connection broke")


async def test_the_other_model_is_not_asked_what_nobody_could_answer(ask: Way, autojump_clock: MockClock) -> None:
    with ScriptedModel([vega.ModelError("no", vega.ErrorClass.INVALID_REQUEST)]) as model, ScriptedModel([]) as other:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(fallback_model=other)) as proc:
            assert (await ask(proc, "hi")).error_class == "invalid_request"


async def test_a_turn_stopped_during_a_pause_keeps_what_it_has_shown(ask: Way, autojump_clock: MockClock) -> None:
    with ScriptedModel([["Half an ans", CUT]]) as model:
        async with (
            vega.open_orchestrator(model=model) as orch,
            trio.open_nursery() as nursery,
            orch.spawn(agent()) as proc,
        ):
            nursery.start_soon(_swallow_stop, ask, proc)
            await trio.sleep(0.5)
            await proc.stop_turn()
            assert [message.text for message in proc.messages()] == ["hi", "Half an ans"]


async def _swallow_stop(ask: Way, proc: vega.Process) -> None:
    try:
        await ask(proc, "hi")
    except vega.TurnCancelled:
        return

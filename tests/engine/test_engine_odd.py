"""Odd uses from a program: what cannot be meant is refused where it is said, and no process dies of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from talk import WAYS, Way

import vega_trio as vega
from vega_trio.protocols import ModelEvent, ModelRequest
from vega_trio.testing import FakeTool, ScriptedModel, ScriptedReply


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(10):
        yield


@attrs.define
class Strange:
    """A model of somebody else's that says these events, at this price."""

    events: tuple[Any, ...]
    microusd: Any = None
    name: str = "strange"

    @asynccontextmanager
    async def stream(self, _: ModelRequest) -> AsyncIterator[AsyncIterator[ModelEvent]]:
        async def said() -> AsyncIterator[ModelEvent]:
            for event in self.events:
                yield event

        yield said()

    def price(self, _: vega.Usage) -> int | None:
        found: int | None = self.microusd
        return found


NO_MESSAGES: list[tuple[Any, str]] = [
    (5, "an agent takes text"),
    ([5], "5 is neither"),
    (vega.Message("assistant", "I said"), "role 'user'"),
    (vega.ToolResult("1", "done"), "no tool results"),
    ([vega.ToolCall("1", "t", {})], "holds no ToolCall"),
]


@pytest.mark.parametrize(("message", "words"), NO_MESSAGES)
async def test_what_is_no_message_of_a_users_is_refused_also_to_who_streams(message: Any, words: str) -> None:
    async with vega.open_orchestrator(model=ScriptedModel(["ok"])) as orch, orch.spawn(vega.Agent(name="a")) as proc:
        with pytest.raises((TypeError, ValueError), match=words):
            await proc.send(message)
        with pytest.raises((TypeError, ValueError), match=words):
            async with proc.stream(message) as events:
                await anext(events)
        with pytest.raises((TypeError, ValueError), match=words):
            async with proc.stream_text(message) as text:
                await anext(text)
        assert (await proc.send("hi")).text == "ok"
        assert proc.incarnation == 1
        assert len(proc.messages()) == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: vega.Message("user", vega.ToolCall("1", "t", {})), "role 'user' holds no ToolCall"),
        (lambda: vega.Message("assistant", vega.ToolResult("1", "x")), "role 'assistant' holds no ToolResult"),
        (lambda: vega.Message("user", [None]), "None is neither"),  # type: ignore[list-item]
        (lambda: vega.Message("user", 5), "5 is neither"),  # type: ignore[arg-type]
        (lambda: vega.TextPart(None), r"TextPart\.text must be text"),  # type: ignore[arg-type]
        (lambda: vega.ToolCall("1", "t", None), r"ToolCall\.arguments must be a mapping"),  # type: ignore[arg-type]
        (lambda: vega.ImagePart("png", b""), r"ImagePart\.media_type must be such as 'image/png', not 'png'"),
        (lambda: vega.ImagePart("image/png", "data"), r"ImagePart\.data must be bytes"),  # type: ignore[arg-type]
        (lambda: vega.Agent(name="a", retry=5), r"Agent\.retry must be a vega\.RetryPolicy, not 5"),  # type: ignore[arg-type]
        (lambda: vega.Agent(name="a", rate_limit=60), r"Agent\.rate_limit must be a vega\.RateLimit"),  # type: ignore[arg-type]
        (lambda: vega.Agent(name="a", context=9), r"vega\.TokenBudget or vega\.SlidingWindow, not 9"),  # type: ignore[arg-type]
        (lambda: vega.Agent(name="a", fallback_model=5), r"Agent\.fallback_model must be a Model"),  # type: ignore[arg-type]
        (lambda: vega.Agent(name="a", model=object()), r"Agent\.model must be a Model"),  # type: ignore[arg-type]
        (lambda: vega.RateLimit(1, strategy="x"), r"RateLimit\.strategy must be one of queue, reject"),  # type: ignore[arg-type]
        (lambda: vega.Budget(1, "x"), r"Budget\.on_exceed must be one of block, warn, allow, not 'x'"),  # type: ignore[arg-type]
        (lambda: vega.RetryPolicy(retry_on="timeout"), "must be a list of classes"),  # type: ignore[arg-type]
        (lambda: vega.RetryPolicy(retry_on=["slow"]), "must be one of rate_limit"),  # type: ignore[arg-type]
        (lambda: vega.RetryPolicy(backoff=1), r"must be a vega\.BackoffConfig"),  # type: ignore[arg-type]
    ],
)
async def test_a_value_that_cannot_be_meant_is_refused_when_it_is_made(make: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        make()


@pytest.mark.parametrize("options", [{"rate_limits": 5}, {"rate_limits": {"demo": 5}}, {"health": 5}])
async def test_options_of_the_wrong_kind_are_refused_on_entry(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=rf"{next(iter(options))} must be a"):
        async with vega.open_orchestrator(**options):
            pass


@pytest.mark.parametrize("ask", WAYS)
async def test_half_a_character_from_a_model_or_a_tool_kills_nobody(ask: Way) -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    calls = [vega.ToolCall("1", "wrong", {}), vega.ToolCall("2", "worse", {})]
    tools = [FakeTool("wrong", OSError("no file '\udcff'")), FakeTool("worse", Unspeakable())]
    model = ScriptedModel([calls, ScriptedReply("so \ud83d it is")])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(vega.Agent(name="a", tools=tools)) as proc:
        assert (await ask(proc, "hi")).text == "so \ufffd it is"
    told = {each.tool_call_id: each.content for message in proc.messages() for each in message.tool_results}
    assert told == {
        "1": "Error: OSError: no file '?'",
        "2": "Error: Unspeakable: (cannot be shown: RuntimeError)",
    }


async def test_what_is_no_event_of_a_model_is_a_bug_that_is_named() -> None:
    async with vega.open_orchestrator(model=Strange(("hello",))) as orch:
        proc = await orch.spawn(vega.Agent(name="a"))
        with pytest.raises(vega.ProcessCrashed, match="strange gave 'hello', which is no event of a model"):
            await proc.send("hi")


async def test_no_miscounting_fills_a_budget_up() -> None:
    said = (vega.TextChunk("ok"), vega.ModelDone("end_turn", vega.Usage(1, 1)))
    async with vega.open_orchestrator(model=Strange(said, -1_000_000)) as orch:
        with vega.budget(usd=1.0) as account:
            proc = await orch.spawn(vega.Agent(name="a"))
            assert (await proc.send("hi")).cost_usd == 0
        assert account.remaining == 1.0


async def test_a_stop_asked_for_twice_ends_the_turn_once() -> None:
    async def never(_: ModelRequest) -> str:
        await trio.sleep_forever()
        raise AssertionError

    stopped: list[str | None] = []

    async def stop(proc: vega.Process) -> None:
        stopped.append(await proc.stop_turn())

    async with vega.open_orchestrator(model=ScriptedModel([never, "ok"])) as orch:
        proc = await orch.spawn(vega.Agent(name="a"))
        pending = proc.start_send("hi")
        await trio.testing.wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stop, proc)
            nursery.start_soon(stop, proc)
        assert stopped[0] == stopped[1] is not None
        assert await proc.stop_turn() is None
        pending.cancel()
        with pytest.raises(vega.TurnCancelled):
            await pending.wait()
        assert (await proc.send("and")).text == "ok"


async def test_readers_that_vanish_leave_the_turn_and_no_task_behind() -> None:
    async with vega.open_orchestrator(model=ScriptedModel(lambda _: "one two three")) as orch:
        proc = await orch.spawn(vega.Agent(name="a"))
        before = trio.lowlevel.current_statistics().tasks_living
        for _ in range(10):
            async with proc.stream_text("hi") as text:
                await anext(text)
        assert (await proc.send("last")).text == "one two three"
        assert trio.lowlevel.current_statistics().tasks_living == before
        assert len(proc.messages()) == 22


@pytest.mark.parametrize("ask", WAYS)
async def test_a_refusal_ends_the_turn_with_its_class(ask: Way) -> None:
    model = ScriptedModel([ScriptedReply("I will not", stop_reason="refusal"), "ok"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(vega.Agent(name="a")) as proc:
        assert (await ask(proc, "hi")).error_class == "refusal"
        assert (await ask(proc, "again")).text == "ok"


async def test_a_breakers_callback_that_raises_is_an_event_and_harms_nobody() -> None:
    def on_change(model: str, state: str) -> None:
        raise RuntimeError(f"{model} is {state}")

    breaker = vega.CircuitBreaker(1, 60.0, on_change=on_change)
    agent = vega.Agent(name="a", retry=vega.RetryPolicy(1), circuit_breaker=breaker)
    down = vega.ModelError("down", vega.ErrorClass.OVERLOADED)
    async with vega.open_orchestrator(model=ScriptedModel([down])) as orch, orch.spawn(agent) as proc:
        async with orch.subscribe([vega.HookFailed]) as events:
            with pytest.raises(vega.TurnFailed, match="down"):
                await proc.send("hi")
            failed = await anext(events)
        assert (failed.hook, failed.error) == ("on_change", "RuntimeError: scripted:test is open")
        assert proc.status == "running"

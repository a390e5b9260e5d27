"""Thinking is shown as it comes, kept as the provider signed it, and never part of the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

import vega_trio as vega
from vega_trio.testing import FakeMessagesServer, FakeReply, FakeTool, ScriptedModel, ScriptedReply

THOUGHT = vega.ThinkingPart("Let me see. ", "c2ln")
HIDDEN = vega.ThinkingPart("", hidden="secret")
LOOK = vega.ToolCall("t1", "look", {})


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(5):
        yield


async def test_thinking_is_an_event_of_its_own_and_no_text() -> None:
    with ScriptedModel([[THOUGHT, "Four."]]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(vega.Agent(name="a")) as proc:
            async with proc.stream("2 + 2?") as stream:
                events = [event async for event in stream]
            thought = [event.delta for event in events if isinstance(event, vega.ThinkingDelta)]
            said = [event.delta for event in events if isinstance(event, vega.TextDelta)]
            assert thought == ["Let me see. "]
            assert said == ["Four."]
            assert proc.messages()[-1].content == (THOUGHT, vega.TextPart("Four."))


async def test_it_is_sent_back_before_the_call_that_it_led_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeMessagesServer([FakeReply([THOUGHT, HIDDEN, LOOK]), "Done."]) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.base_url)
        agent = vega.Agent(name="a", tools=[FakeTool("look")], thinking=2000)
        async with vega.open_orchestrator(model="claude-sonnet-5-5") as orch, orch.spawn(agent) as proc:
            assert (await proc.send("go")).text == "Done."
    assert server.requests[0].body["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    assert server.requests[1].body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Let me see. ", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "secret"},
        {"type": "tool_use", "id": "t1", "name": "look", "input": {}},
    ]


async def test_a_pause_is_gone_on_from_and_counts_as_a_call() -> None:
    pause = ScriptedReply("One ", stop_reason="pause_turn")
    with ScriptedModel([pause, pause, "two."]) as model:
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(vega.Agent(name="a")) as proc:
            reply = await proc.send("count")
    assert (reply.text, reply.stop_reason) == ("One One two.", "end_turn")
    always = ScriptedModel(lambda _: pause)
    async with vega.open_orchestrator(model=always) as orch, orch.spawn(vega.Agent(name="a", max_iterations=3)) as proc:
        with pytest.raises(vega.TurnFailed, match="max_iterations"):
            await proc.send("count")


async def test_a_thought_that_broke_off_is_paid_for() -> None:
    broken = [vega.ThinkingPart("x" * 300), vega.ModelError("cut", vega.ErrorClass.TEMPORARY)]
    with ScriptedModel([broken, "fine"], price=1) as model:
        agent = vega.Agent(name="a", retry=vega.RetryPolicy(backoff=vega.BackoffConfig(initial=0)), budget=1.0)
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as proc:
            await proc.send("go")
            assert proc.metrics.cost_microusd > 300


@pytest.mark.parametrize("thinking", [10, 8192, "much", True])
async def test_what_no_provider_takes_is_refused_when_the_agent_is_made(thinking: object) -> None:
    with pytest.raises(ValueError, match=r"Agent\.thinking"):
        vega.Agent(name="a", thinking=thinking)  # type: ignore[arg-type]


async def test_parts_survive_being_written_down() -> None:
    document = vega.DocumentPart(b"%PDF", title="Report")
    messages = [vega.Message("user", [document]), vega.Message("assistant", [THOUGHT, HIDDEN, vega.TextPart("ok")])]
    assert vega.load_messages(vega.dump_messages(messages)) == messages

"""The turn: streaming, tools side by side, failures that end the turn, crashes that end the process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

import vega_trio as vega
from vega_trio._core.history import UNKNOWN_OUTCOME
from vega_trio.testing import ScriptedModel


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(5):
        yield


def agent(*tools: object, **fields: object) -> vega.Agent:
    return vega.Agent(name="a", system="be brief", tools=tools, **fields)  # type: ignore[arg-type]


async def collect(proc: vega.Process, text: str) -> list[vega.Event]:
    async with proc.stream(text) as events:
        return [event async for event in events]


def spoken(events: list[vega.Event]) -> str:
    return "".join(event.delta for event in events if isinstance(event, vega.TextDelta))


async def test_a_plain_turn_streams_its_text_and_replies_with_all_of_it() -> None:
    model = ScriptedModel(["Hello, how are you?"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent()) as proc:
        events = await collect(proc, "hi")
        assert spoken(events) == "Hello, how are you?"
        assert isinstance(events[0], vega.TurnStarted)
        assert isinstance(events[-1], vega.TurnFinished)
        assert events[-1].text == "Hello, how are you?"
        assert {event.turn_id for event in events} == {events[0].turn_id}
    assert model.requests[0].system == "be brief"


async def test_a_turn_asks_again_with_the_tools_results_until_there_are_no_calls() -> None:
    def add(a: int, b: int) -> int:
        """Adds."""
        return a + b

    model = ScriptedModel([["Let me see. ", vega.ToolCall("t1", "add", {"a": 1, "b": 2})], "It is 3."])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(add)) as proc:
        reply = await proc.send("1+2?")
        assert str(reply) == reply.text == "Let me see. It is 3."
        assert [call.name for call in reply.tool_calls] == ["add"]
        assert [message.role for message in proc.messages()] == ["user", "assistant", "user", "assistant"]
        assert proc.messages()[2].tool_results == (vega.ToolResult("t1", "3"),)
        assert proc.metrics.tool_calls == 1
        assert proc.metrics.iterations == 2
    assert model.requests[1].messages[-1].tool_results[0].content == "3"


async def test_calls_of_one_reply_run_side_by_side_and_report_as_they_finish() -> None:
    second_done = trio.Event()

    async def first() -> str:
        await second_done.wait()
        return "one"

    async def second() -> str:
        second_done.set()
        return "two"

    model = ScriptedModel([[vega.ToolCall("t1", "first", {}), vega.ToolCall("t2", "second", {})], "done"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(first, second)) as proc:
        events = await collect(proc, "go")
    ends = [event.tool_call_id for event in events if isinstance(event, vega.ToolEnd)]
    assert ends == ["t2", "t1"]
    results = model.requests[1].messages[-1].tool_results
    assert [result.tool_call_id for result in results] == ["t1", "t2"]


async def test_a_tool_that_raises_tells_the_model_and_the_process_lives() -> None:
    async def broken() -> str:
        raise ValueError("no such city")

    async def refused() -> str:
        raise vega.ToolError("try a larger one")

    model = ScriptedModel([[vega.ToolCall("t1", "broken", {}), vega.ToolCall("t2", "refused", {})], "sorry"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(broken, refused)) as proc:
        assert (await proc.send("go")).text == "sorry"
        results = {r.tool_call_id: r for r in model.requests[1].messages[-1].tool_results}
        assert results["t1"] == vega.ToolResult("t1", "Error: ValueError: no such city", is_error=True)
        assert results["t2"] == vega.ToolResult("t2", "Error: try a larger one", is_error=True)
        assert proc.alive


async def test_a_tool_that_is_not_the_agents_is_refused() -> None:
    model = ScriptedModel([[vega.ToolCall("t1", "delete_everything", {})], "I cannot"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent()) as proc:
        await proc.send("go")
    content = model.requests[1].messages[-1].tool_results[0].content
    assert content == "Error: tool 'delete_everything' is not available to this agent"


async def test_a_tool_past_its_timeout_is_an_error_for_the_model(autojump_clock: trio.testing.MockClock) -> None:
    @vega.tool(timeout=2.0)
    async def slow() -> str:
        await trio.sleep_forever()
        return ""

    model = ScriptedModel([[vega.ToolCall("t1", "slow", {})], "gave up"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(slow)) as proc:
        await proc.send("go")
    assert model.requests[1].messages[-1].tool_results[0].content == "Error: slow did not finish within 2 s"


async def test_a_model_that_fails_fails_the_turn_and_the_process_lives() -> None:
    down = vega.ModelError("the model is overloaded", vega.ErrorClass.OVERLOADED)
    model = ScriptedModel([down, "back again"])
    once = vega.RetryPolicy(max_attempts=1)
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(retry=once)) as proc:
        with pytest.raises(vega.TurnFailed) as caught:
            await proc.send("hi")
        assert caught.value.error_class is vega.ErrorClass.OVERLOADED
        assert caught.value.__cause__ is down
        assert caught.value.turn_id
        assert (await proc.send("and now?")).text == "back again"


async def test_max_iterations_ends_the_turn_with_its_own_stop_reason() -> None:
    def look() -> str:
        return "nothing"

    model = ScriptedModel([[vega.ToolCall(f"t{n}", "look", {})] for n in range(3)])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(look, max_iterations=3)) as proc:
        events = await collect(proc, "go")
        last = events[-1]
        assert isinstance(last, vega.TurnFailure)
        assert (last.stop_reason, last.error_class) == ("max_iterations", "limit_exceeded")
        assert len(proc.messages()) == 7


async def test_stopping_a_turn_keeps_what_was_said_and_answers_every_call() -> None:
    begun = trio.Event()

    async def hang() -> str:
        begun.set()
        await trio.sleep_forever()
        return ""

    model = ScriptedModel([["Working on it. ", vega.ToolCall("t1", "hang", {})], "fine"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(hang)) as proc:
        pending = proc.start_send("go")
        await begun.wait()
        assert await proc.stop_turn() == pending.turn_id
        with pytest.raises(vega.TurnCancelled) as caught:
            await pending.wait()
        assert caught.value.text == "Working on it. "
        assert (await proc.send("still there?")).text == "fine"
    history = model.requests[1].messages
    assert history[2].tool_results == (vega.ToolResult("t1", "Error: cancelled", is_error=True),)


async def test_leaving_a_stream_early_leaves_the_turn_running() -> None:
    model = ScriptedModel(["one two three", "next"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent()) as proc:
        async with proc.stream("go") as events:
            async for _ in events:
                break
        await proc.send("after")
        assert [message.text for message in proc.messages()] == ["go", "one two three", "after", "next"]


async def test_a_process_exit_in_a_tool_restarts_the_process_and_the_same_turn_goes_on() -> None:
    async def fatal() -> str:
        raise vega.ProcessExit(vega.Crashed(RuntimeError("disk on fire")))

    model = ScriptedModel([["First. ", vega.ToolCall("t1", "fatal", {})], "Recovered."])
    async with vega.open_orchestrator(model=model) as orch:
        proc = await orch.spawn(agent(fatal), supervision=vega.Supervision(backoff=None))
        events = await collect(proc, "go")
        kinds = [type(event) for event in events]
        assert kinds.count(vega.ToolStart) == kinds.count(vega.ToolEnd) == 1
        assert kinds.index(vega.ProcessFailed) < kinds.index(vega.ProcessRestarting) < kinds.index(vega.TurnResumed)
        assert isinstance(events[-1], vega.TurnFinished)
        assert events[-1].text == "First. Recovered."
        assert proc.incarnation == 2
        assert len({event.turn_id for event in events}) == 1
    assert model.requests[1].messages[-1].tool_results == (vega.ToolResult("t1", UNKNOWN_OUTCOME, is_error=True),)


async def test_a_process_exit_in_a_nursery_of_a_tool_ends_the_process_too() -> None:
    async def fatal() -> str:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(leaving)
        return "unreachable"

    async def leaving() -> None:
        raise vega.ProcessExit(vega.Crashed(RuntimeError("disk on fire")))

    model = ScriptedModel([[vega.ToolCall("t1", "fatal", {})], "Recovered."])
    async with vega.open_orchestrator(model=model) as orch:
        proc = await orch.spawn(agent(fatal), supervision=vega.Supervision(backoff=None))
        assert (await proc.send("go")).text == "Recovered."
        assert proc.incarnation == 2


async def test_finished_calls_are_not_repeated_after_a_crash() -> None:
    ran: list[str] = []

    async def safe() -> str:
        ran.append("safe")
        return "ok"

    model = ScriptedModel([[vega.ToolCall("t1", "safe", {})], RuntimeError("adapter bug"), "done"])
    async with vega.open_orchestrator(model=model) as orch:
        proc = await orch.spawn(agent(safe), supervision=vega.Supervision(backoff=None))
        assert (await proc.send("go")).text == "done"
    assert ran == ["safe"]


async def test_an_interrupted_idempotent_call_is_repeated() -> None:
    ran: list[int] = []

    @vega.tool(idempotent=True)
    async def once_more() -> str:
        ran.append(1)
        if len(ran) == 1:
            raise vega.ProcessExit(vega.Crashed(RuntimeError("power")))
        return "ok"

    model = ScriptedModel([[vega.ToolCall("t1", "once_more", {})], "done"])
    async with vega.open_orchestrator(model=model) as orch:
        proc = await orch.spawn(agent(once_more), supervision=vega.Supervision(backoff=None))
        assert (await proc.send("go")).text == "done"
    assert model.requests[1].messages[-1].tool_results == (vega.ToolResult("t1", "ok"),)


async def test_a_turn_interrupted_twice_fails_and_the_process_goes_on() -> None:
    model = ScriptedModel([RuntimeError("one"), RuntimeError("two"), "fine"])
    async with vega.open_orchestrator(model=model) as orch:
        proc = await orch.spawn(agent(), supervision=vega.Supervision(backoff=None))
        with pytest.raises(vega.TurnFailed) as caught:
            await proc.send("go")
        assert caught.value.error_class is vega.ErrorClass.INTERRUPTED
        assert (await proc.send("again")).text == "fine"


async def test_a_task_runs_one_turn_and_completes_with_its_reply() -> None:
    async with vega.open_orchestrator(model=ScriptedModel(["42"])) as orch:
        proc = await orch.spawn(agent(), task="the answer?")
        reason = await proc.wait()
        assert isinstance(reason, vega.Normal)
        assert str(proc.result) == "42"
        assert proc.status == "completed"


async def test_a_failing_task_crashes_its_process() -> None:
    model = ScriptedModel([vega.ModelError("no", vega.ErrorClass.INVALID_REQUEST)])
    async with vega.open_orchestrator(model=model) as orch:
        proc = await orch.spawn(agent(), task="the answer?")
        reason = await proc.wait()
        assert isinstance(reason, vega.Crashed)
        assert isinstance(reason.error, vega.TurnFailed)
        assert proc.status == "failed"


async def test_history_given_at_the_start_is_part_of_the_conversation() -> None:
    model = ScriptedModel(["by a week"])
    before = [vega.Message("user", "When is the deadline?"), vega.Message("assistant", "15 March.")]
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(), messages=before) as proc:
        await proc.send("Can we extend it?")
    assert [message.text for message in model.requests[0].messages] == [
        "When is the deadline?",
        "15 March.",
        "Can we extend it?",
    ]


async def test_a_tools_context_names_its_process_and_spawns_its_children() -> None:
    seen = {}

    async def inspect(context: vega.ToolContext, question: str) -> str:
        child = await context.spawn(agent(), task=question)
        await child.wait()
        seen.update(owner=context.process.id, parent=child.parent_id, answer=str(child.result))
        return str(child.result)

    model = ScriptedModel([[vega.ToolCall("t1", "inspect", {"question": "deep?"})], "yes", "the child says yes"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(inspect)) as proc:
        await proc.send("go")
        assert seen == {"owner": proc.id, "parent": proc.id, "answer": "yes"}
    assert "context" not in model.requests[0].tools[0].parameters["properties"]


async def test_a_message_that_is_no_text_is_refused_and_the_process_lives() -> None:
    async with vega.open_orchestrator(model=ScriptedModel(["fine"])) as orch, orch.spawn(agent()) as proc:
        with pytest.raises(TypeError, match="not int"):
            await proc.send(42)
        assert (await proc.send("text")).text == "fine"


async def test_calls_that_share_an_id_are_told_apart() -> None:
    async def shout(text: str) -> str:
        return text.upper()

    twice = [vega.ToolCall("t", "shout", {"text": "a"}), vega.ToolCall("t", "shout", {"text": "b"})]
    model = ScriptedModel([[*twice, vega.ToolCall("", "shout", {"text": "c"})], "done"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(shout)) as proc:
        assert (await proc.send("go")).text == "done"
        calls = proc.messages()[1].tool_calls
        assert [call.id for call in calls] == ["t", "t_2", "call_2"]
    results = model.requests[1].messages[-1].tool_results
    assert [(result.tool_call_id, result.content) for result in results] == [("t", "A"), ("t_2", "B"), ("call_2", "C")]


async def test_what_a_tool_asks_of_others_belongs_to_the_callers_root_turn() -> None:
    async def ask_a_child(context: vega.ToolContext) -> str:
        child = await context.spawn(agent())
        worker = await context.spawn(agent(), task="think")
        await worker.wait()
        return str(await child.send("and you?"))

    model = ScriptedModel([[vega.ToolCall("t1", "ask_a_child", {})], "thought", "fine", "the child is fine"])
    async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent(ask_a_child)) as proc:
        events = await collect(proc, "go")
        started = [event for event in events if isinstance(event, vega.TurnStarted)]
        assert [event.message for event in started] == ["go", "think", "and you?"]
        assert {event.root_turn_id for event in started} == {started[0].turn_id}
        assert len({event.turn_id for event in started}) == 3


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"messages": "hello"}, "messages must be a list of vega.Message, and 'h' is none"),
        ({"messages": [{"role": "user"}]}, "is none"),
        ({"task": 5}, "task must be a text, not 5"),
        ({"supervision": "restart"}, "supervision must be a vega.Supervision, not 'restart'"),
    ],
)
async def test_spawn_refuses_what_it_cannot_mean(option: dict[str, object], said: str) -> None:
    async with vega.open_orchestrator(model=ScriptedModel([])) as orch:
        with pytest.raises(TypeError) as caught:
            orch.spawn(agent(), **option)  # type: ignore[arg-type]
        assert said in str(caught.value)

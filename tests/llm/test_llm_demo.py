import math
from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock

from vega_trio.errors import ModelError
from vega_trio.llm.demo import DemoModel
from vega_trio.llm.demo_rules import answer
from vega_trio.llm.demo_turn import DemoCrash, read_turn
from vega_trio.messages import Message, TextPart, ToolCall, ToolResult, Usage
from vega_trio.protocols import Model, ModelDone, ModelEvent, ModelRequest, TextChunk, ToolSpec

SEARCH = ToolSpec(
    name="web_search",
    description="Searches.",
    parameters={"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)
COUNT = ToolSpec(
    name="word_count",
    description="Counts words.",
    parameters={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
)


def asking(*texts: str | Message, tools: Sequence[ToolSpec] = (), max_tokens: int = 8192) -> ModelRequest:
    messages = tuple(Message("user", each) if isinstance(each, str) else each for each in texts)
    return ModelRequest(messages=messages, tools=tuple(tools), max_tokens=max_tokens)


async def ask(model: Model, request: ModelRequest) -> list[ModelEvent]:
    with trio.fail_after(10):
        async with model.stream(request) as events:
            return [event async for event in events]


def text_of(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextChunk))


def calls_of(events: list[ModelEvent]) -> list[ToolCall]:
    return [event for event in events if isinstance(event, ToolCall)]


def quick() -> DemoModel:
    return DemoModel(tokens_per_s=math.inf)


async def test_search_gives_text_then_a_web_search_call_and_then_text_made_of_the_result() -> None:
    model = quick()
    first = await ask(model, asking("Search for recent Go releases", tools=[SEARCH]))
    assert isinstance(first[0], TextChunk)
    (call,) = calls_of(first)
    assert (call.name, call.arguments) == ("web_search", {"query": "recent Go releases"})
    assert isinstance(first[-1], ModelDone)
    assert first[-1].stop_reason == "tool_use"
    result = Message("user", ToolResult(call.id, "Found 3 results\n1. Go 1.30"))
    again = asking("Search for recent Go releases", Message("assistant", [TextPart("Let me"), call]), result)
    second = await ask(model, again)
    assert "Based on the results" in text_of(second)
    assert "Go 1.30" in text_of(second)
    assert isinstance(second[-1], ModelDone)
    assert second[-1].stop_reason == "end_turn"


async def test_search_without_the_tool_calls_nothing() -> None:
    assert not calls_of(await ask(quick(), asking("search for recent Go releases")))


async def test_a_tool_that_the_message_names_is_called_with_the_quoted_text() -> None:
    events = await ask(quick(), asking('use word_count on "some text"', tools=[SEARCH, COUNT]))
    assert [(call.name, call.arguments) for call in calls_of(events)] == [("word_count", {"text": "some text"})]


async def test_two_named_tools_are_called_side_by_side_each_with_its_own_words() -> None:
    request = asking('use word_count on "one two" and then web_search for "cats"', tools=[SEARCH, COUNT])
    calls = calls_of(await ask(quick(), request))
    assert [(call.name, dict(call.arguments)) for call in calls] == [
        ("word_count", {"text": "one two"}),
        ("web_search", {"query": "cats"}),
    ]
    assert len({call.id for call in calls}) == 2


async def test_an_mcp_tool_answers_to_its_name_without_the_server() -> None:
    tool = ToolSpec(name="fs__read_file", description="", parameters=COUNT.parameters)
    (call,) = calls_of(await ask(quick(), asking("read file notes.txt", tools=[tool])))
    assert (call.name, call.arguments) == ("fs__read_file", {"text": "notes.txt"})


async def test_call_ids_do_not_repeat_within_a_conversation() -> None:
    call = ToolCall("demo_1", "word_count", {"text": "a"})
    history = [Message("user", "word_count a"), Message("assistant", call), Message("user", ToolResult("demo_1", "1"))]
    request = asking(*history, Message("assistant", "1"), "word_count b", tools=[COUNT])
    assert [call.id for call in calls_of(await ask(quick(), request))] == ["demo_2"]


async def test_a_failed_tool_is_reported_as_such() -> None:
    call = ToolCall("x", "word_count", {"text": "a"})
    failed = Message("user", ToolResult("x", "Error: no such file", is_error=True))
    request = asking("word_count a", Message("assistant", call), failed, tools=[COUNT])
    assert text_of(await ask(quick(), request)) == "`word_count` did not work: Error: no such file"


async def test_crash_ends_the_process_after_some_text_and_the_same_turn_then_completes() -> None:
    model = quick()
    seen: list[ModelEvent] = []

    async def listen() -> None:
        async with model.stream(asking("please crash")) as events:
            async for event in events:
                seen.append(event)  # noqa: PERF401 - what came before the crash is to be kept

    with pytest.raises(DemoCrash):
        await listen()
    assert not issubclass(DemoCrash, ModelError)
    assert len(seen) > 5
    assert "supervisor" in text_of(await ask(model, asking("please crash")))


async def test_a_later_turn_of_the_same_conversation_and_a_cleared_one_crash_again() -> None:
    model = quick()
    for texts in (["crash"], ["crash", Message("assistant", "done"), "crash"], ["crash"]):
        with pytest.raises(DemoCrash):
            await ask(model, asking(*texts))
        assert text_of(await ask(model, asking(*texts)))


async def test_a_partial_answer_kept_in_the_history_is_still_the_same_turn() -> None:
    model = quick()
    with pytest.raises(DemoCrash):
        await ask(model, asking("crash"))
    assert text_of(await ask(model, asking("crash", Message("assistant", "Watch the"))))


async def test_fail_is_a_model_error() -> None:
    with pytest.raises(ModelError, match="asked to fail"):
        await ask(quick(), asking("fail"))


def test_slow_streams_at_sixty_tokens_a_second() -> None:
    async def main() -> float:
        start = trio.current_time()
        events = [event async for event in _events(DemoModel(), asking("go slow"))]
        assert len(events) > 900
        return (trio.current_time() - start) / (len(events) - 1)

    assert trio.run(main, clock=MockClock(autojump_threshold=0)) == pytest.approx(1 / 60, rel=0.01)


async def _events(model: DemoModel, request: ModelRequest):  # type: ignore[no-untyped-def]
    async with model.stream(request) as events:
        async for event in events:
            yield event


async def test_anything_else_explains_vega() -> None:
    text = text_of(await ask(quick(), asking("hello there")))
    assert "supervised process" in text
    assert "ANTHROPIC_API_KEY" in text


async def test_a_task_to_write_code_gets_code_and_is_not_taken_for_a_search() -> None:
    text = text_of(await ask(quick(), asking("Write a binary search function", tools=[SEARCH])))
    assert "def binary_search(" in text
    assert "“Write a binary search function”" in text


async def test_a_review_of_quoted_or_following_text_is_not_set_off_by_its_words() -> None:
    text = text_of(await ask(quick(), asking('Review "crash":\n\ndef f():\n    crash(); fail()')))
    assert "APPROVED" in text


async def test_the_same_question_gets_the_same_answer() -> None:
    assert await ask(quick(), asking("Plan a garden")) == await ask(quick(), asking("Plan a garden"))


async def test_max_tokens_cuts_the_answer() -> None:
    events = await ask(quick(), asking("hello", max_tokens=4))
    assert len(events) == 5
    assert events[-1] == ModelDone("max_tokens", Usage(input_tokens=events[-1].usage.input_tokens, output_tokens=4))


async def test_it_costs_nothing_and_is_a_model() -> None:
    model = quick()
    assert isinstance(model, Model)
    assert model.price(Usage(1_000_000, 1_000_000)) == 0


def test_no_prose_of_the_demo_sets_off_a_rule_when_it_is_handed_on() -> None:
    for question in ("hello", "Write a sort function", "Review this: x", "Plan a garden", "slow"):
        said = answer(read_turn(asking(question)))[0]
        assert not read_turn(asking(str(said))).says(r"\b(crash|fail|slow|search|approve)\b"), said


async def test_a_question_without_any_user_text_is_answered_too() -> None:
    assert text_of(await ask(quick(), asking()))

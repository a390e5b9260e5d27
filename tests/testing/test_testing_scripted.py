import pytest
import trio

from vega_trio.errors import ModelError
from vega_trio.messages import Message, ToolCall, Usage
from vega_trio.protocols import Model, ModelDone, ModelEvent, ModelRequest, TextChunk, Tool
from vega_trio.session import ErrorClass
from vega_trio.testing import FakeTool, ScriptedModel, ScriptedReply

CALL = ToolCall("c1", "add", {"a": 1})


def request(text: str = "hi") -> ModelRequest:
    return ModelRequest(messages=(Message("user", text),))


async def ask(model: Model, text: str = "hi") -> list[ModelEvent]:
    with trio.fail_after(2):
        async with model.stream(request(text)) as events:
            return [event async for event in events]


async def test_a_text_comes_word_by_word_and_ends_the_turn() -> None:
    with ScriptedModel(["one two\nthree"]) as model:
        *chunks, done = await ask(model)
    assert chunks == [TextChunk("one "), TextChunk("two\n"), TextChunk("three")]
    assert done == ModelDone("end_turn", Usage(10, 5))


async def test_text_and_calls_come_in_order_and_the_stop_reason_is_tool_use() -> None:
    with ScriptedModel([["look", CALL]]) as model:
        events = await ask(model)
    assert events == [TextChunk("look"), CALL, ModelDone("tool_use", Usage(10, 5))]


async def test_an_exception_is_raised_where_it_stands_in_the_reply() -> None:
    error = ModelError("cut", ErrorClass.TEMPORARY)
    with ScriptedModel([["some ", error], ValueError("bug")]) as model:
        with pytest.raises(ModelError, match="cut"):
            await ask(model)
        with pytest.raises(ValueError, match="bug"):
            await ask(model)


async def test_a_function_sees_the_request_and_may_be_async() -> None:
    async def later(asked: ModelRequest) -> str:
        await trio.lowlevel.checkpoint()
        return asked.messages[-1].text.upper()

    with ScriptedModel([lambda asked: asked.messages[-1].text, later]) as model:
        assert (await ask(model, "a"))[0] == TextChunk("a")
        assert (await ask(model, "b"))[0] == TextChunk("B")
    assert [each.messages[-1].text for each in model.requests] == ["a", "b"]


async def test_a_function_in_place_of_the_steps_answers_every_call() -> None:
    with ScriptedModel(lambda asked: asked.messages[-1].text) as model:
        for text in "abc":
            assert (await ask(model, text))[0] == TextChunk(text)


async def test_a_reply_in_full_says_usage_stop_reason_and_chunks() -> None:
    reply = ScriptedReply("abcd", usage=Usage(1, 2), stop_reason="max_tokens", chunk_size=3)
    with ScriptedModel([reply]) as model:
        assert await ask(model) == [TextChunk("abc"), TextChunk("d"), ModelDone("max_tokens", Usage(1, 2))]


async def test_the_delay_passes_before_each_event(autojump_clock: trio.testing.MockClock) -> None:
    with ScriptedModel([ScriptedReply("a b", delay_s=10)]) as model:
        async with model.stream(request()) as events:
            assert [event async for event in events]
    assert trio.current_time() == pytest.approx(30)


def test_a_step_that_was_not_used_fails_and_is_named() -> None:
    with pytest.raises(AssertionError, match=r"1 scripted step\(s\) not used: 'never asked'"):
        with ScriptedModel(["never asked"]):
            pass


def test_an_exception_of_the_test_itself_is_not_hidden_by_the_check() -> None:
    with pytest.raises(KeyError):
        with ScriptedModel(["never asked"]):
            raise KeyError


async def test_an_unexpected_call_fails_at_once_and_again_at_the_end() -> None:
    model = ScriptedModel([])
    with pytest.raises(AssertionError, match="what now"):
        await ask(model, "what now")
    with pytest.raises(AssertionError, match="what now"):
        model.check()


async def test_a_step_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot be 3"):
        await ask(ScriptedModel([3]))  # type: ignore[list-item]


def test_the_price_is_a_token_s_and_may_be_unknown() -> None:
    assert ScriptedModel(price=3).price(Usage(10, 5, 1, 1)) == 51
    assert ScriptedModel().price(Usage(10, 5)) == 0
    assert ScriptedModel(price=None).price(Usage(10, 5)) is None


async def test_the_fake_tool_records_and_answers() -> None:
    tool = FakeTool("add", lambda arguments: str(arguments["a"] + 1))
    assert isinstance(tool, Tool)
    assert await tool.call({"a": 1}, None) == "2"  # type: ignore[arg-type]
    assert tool.calls == [{"a": 1}]
    assert tool.spec.name == "add"


async def test_the_fake_tool_raises_what_it_is_given() -> None:
    with pytest.raises(ValueError, match="no"):
        await FakeTool("x", ValueError("no")).call({}, None)  # type: ignore[arg-type]

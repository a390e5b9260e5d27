import contextlib
import logging
from collections.abc import AsyncIterator

import pytest
import trio

from vega_trio.errors import MissingKey, ModelError
from vega_trio.llm.openai import open_openai
from vega_trio.messages import ImagePart, Message, TextPart, ToolCall, ToolResult, Usage
from vega_trio.protocols import Model, ModelDone, ModelEvent, ModelRequest, TextChunk, ToolSpec
from vega_trio.session import ErrorClass
from vega_trio.testing import FakeMessagesServer, FakeReply, HttpFault, Mute, block_network

ADD = ToolSpec(name="add", description="Adds.", parameters={"type": "object", "properties": {"a": {"type": "integer"}}})


def asking(text: str = "hi", **options: object) -> ModelRequest:
    return ModelRequest(messages=(Message("user", text),), **options)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def talking_to(server: FakeMessagesServer, read_timeout_s: float = 5) -> AsyncIterator[Model]:
    env = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{server.base_url}/v1"}
    with trio.fail_after(10), block_network():
        async with open_openai("gpt-5", env=env, read_timeout_s=read_timeout_s) as model:
            yield model


async def ask(model: Model, request: ModelRequest | None = None) -> list[ModelEvent]:
    async with model.stream(request or asking()) as events:
        return [event async for event in events]


async def failure_of(step: object, read_timeout_s: float = 5) -> ModelError:
    async with FakeMessagesServer([step]) as server, talking_to(server, read_timeout_s) as model:  # type: ignore[list-item]
        with pytest.raises(ModelError) as raised:
            await ask(model)
    return raised.value


async def test_text_streams_and_ends_with_its_usage() -> None:
    reply = FakeReply("Hello wörld 🌍", usage=Usage(7, 3, 2))
    async with FakeMessagesServer([reply]) as server, talking_to(server) as model:
        events = await ask(model)
    assert "".join(event.text for event in events if isinstance(event, TextChunk)) == "Hello wörld 🌍"
    assert events[-1] == ModelDone("end_turn", Usage(7, 3, 2))
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer sk-test"
    assert request.body["model"] == "gpt-5"


async def test_the_key_of_a_call_goes_along() -> None:
    async with FakeMessagesServer(["hi", "hi"]) as server, talking_to(server) as model:
        await ask(model, asking(key="run/review/0=0/1"))
        await ask(model)
    assert [request.headers.get("idempotency-key") for request in server.requests] == ["run/review/0=0/1", None]


async def test_tool_calls_come_complete_with_their_arguments() -> None:
    calls = [ToolCall("t1", "add", {"a": 1, "text": "long enough to be cut"}), ToolCall("t2", "add", {})]
    reply = FakeReply(["Adding. ", *calls], fragment_bytes=7)
    async with FakeMessagesServer([reply]) as server, talking_to(server) as model:
        events = await ask(model)
    assert events == [TextChunk("Adding. "), *calls, ModelDone("tool_use", Usage(10, 5))]


async def test_a_conversation_is_written_as_chat_completions_have_it() -> None:
    request = ModelRequest(
        messages=(
            Message("user", [TextPart("What is this?"), ImagePart("image/png", b"png")]),
            Message("assistant", [TextPart("Let me see."), ToolCall("t1", "add", {"a": 1})]),
            Message("user", [ToolResult("t1", "2"), TextPart("Go on.")]),
        ),
        system="Be brief.",
        tools=(ADD,),
        temperature=0.5,
        max_tokens=77,
    )
    async with FakeMessagesServer(["ok"]) as server, talking_to(server) as model:
        await ask(model, request)
    body = server.requests[0].body
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG5n"}},
            ],
        },
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "2"},
        {"role": "user", "content": "Go on."},
    ]
    assert body["tools"][0]["function"]["parameters"] == ADD.parameters
    assert (body["temperature"], body["max_tokens"], body["stream"]) == (0.5, 77, True)


async def test_an_output_schema_is_asked_for_where_there_are_no_tools() -> None:
    schema = {"type": "object"}
    async with FakeMessagesServer(["{}", "{}"]) as server, talking_to(server) as model:
        await ask(model, asking(output_schema=schema))
        await ask(model, asking(output_schema=schema, tools=(ADD,)))
    assert server.requests[0].body["response_format"]["json_schema"]["schema"] == schema
    assert "response_format" not in server.requests[1].body


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (HttpFault(429, "requests", code="rate_limit_exceeded", retry_after=7), ErrorClass.RATE_LIMIT),
        (HttpFault(429, "insufficient_quota", code="insufficient_quota"), ErrorClass.AUTHENTICATION),
        (HttpFault(500, "server_error"), ErrorClass.TEMPORARY),
        (HttpFault(503, "server_error"), ErrorClass.OVERLOADED),
        (HttpFault(401, "invalid_request_error", code="invalid_api_key"), ErrorClass.AUTHENTICATION),
        (HttpFault(400, "invalid_request_error"), ErrorClass.INVALID_REQUEST),
        (HttpFault(400, "invalid_request_error", code="context_length_exceeded"), ErrorClass.CONTEXT_OVERFLOW),
        (HttpFault(400, "BadRequestError", "the maximum context length is 9"), ErrorClass.CONTEXT_OVERFLOW),
        (FakeReply("some text", error_type="server_error"), ErrorClass.TEMPORARY),
        (FakeReply("some text", error_type="rate_limit_error"), ErrorClass.RATE_LIMIT),
        (FakeReply("some text", cut_after_bytes=500), ErrorClass.TEMPORARY),
        (FakeReply("some text", omit_stop=True), ErrorClass.TEMPORARY),
        (FakeReply("some text", bad_json=True), ErrorClass.TEMPORARY),
        (FakeReply("some text", stall_after_bytes=300), ErrorClass.TIMEOUT),
        (Mute(), ErrorClass.TIMEOUT),
    ],
)
async def test_every_failure_is_classified(step: object, expected: ErrorClass) -> None:
    error = await failure_of(step, 0.03)
    assert error.error_class is expected
    if isinstance(step, HttpFault):
        assert error.retry_after_s == step.retry_after


async def test_an_unknown_model_names_the_setting_that_chooses_one() -> None:
    error = await failure_of(HttpFault(404, "invalid_request_error", code="model_not_found"))
    assert "unknown model 'gpt-5'" in str(error)
    assert "VEGA_MODEL" in str(error)


async def test_a_server_that_is_not_there_is_a_passing_failure_that_names_it() -> None:
    with trio.fail_after(30):
        async with open_openai("m", env={"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}) as model:
            with pytest.raises(ModelError, match=r"cannot reach http://127\.0\.0\.1:9/v1") as raised:
                await ask(model)
    assert raised.value.error_class is ErrorClass.TEMPORARY


async def test_openai_itself_needs_a_key_and_a_server_of_ones_own_does_not() -> None:
    with pytest.raises(MissingKey, match="OPENAI_API_KEY"):
        async with open_openai("gpt-5", env={}):
            pass
    async with FakeMessagesServer(["ok"]) as server:
        async with open_openai("llama3", env={"OPENAI_BASE_URL": f"{server.base_url}/v1"}) as model:
            await ask(model)
            assert model.price(Usage(5, 5)) is None
        assert "authorization" not in server.requests[0].headers


async def test_a_model_that_refuses_the_temperature_is_called_without_it_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal = HttpFault(400, "invalid_request_error", "'temperature' does not support 0.5", code="unsupported_value")
    with caplog.at_level(logging.WARNING):
        async with FakeMessagesServer([refusal, "one", "two"]) as server, talking_to(server) as model:
            for _ in range(2):
                await ask(model, asking(temperature=0.5))
    assert [request.body.get("temperature") for request in server.requests] == [0.5, None, None]
    assert len(caplog.records) == 1


async def test_what_a_server_does_not_count_is_guessed_rather_than_free() -> None:
    body = (
        b'data: {"choices":[{"delta":{"content":"hello there"}}]}\n\n'
        b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
    )
    from vega_trio.llm.chat_stream import ChatDecoder

    decoder = ChatDecoder("here", Usage(input_tokens=40))
    assert decoder.feed(body) == [TextChunk("hello there")]
    decoder.end()
    assert decoder.done == ModelDone("end_turn", Usage(40, 4))


async def test_other_servers_ways_to_call_a_tool_are_understood() -> None:
    from vega_trio.llm.chat_stream import ChatDecoder

    decoder = ChatDecoder("here")
    call = b'{"id":"c1","function":{"name":"add","arguments":"{\\"a\\":1}"}}'
    more = b'{"id":"c2","function":{"name":"add"}}'
    found = decoder.feed(b'data: {"choices":[{"delta":{"tool_calls":[' + call + b"," + more + b"]}}]}\n\n")
    found += decoder.feed(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    assert found == [ToolCall("c1", "add", {"a": 1}), ToolCall("c2", "add", {})]
    assert decoder.done is not None
    assert decoder.done.stop_reason == "tool_use"


async def test_a_call_that_the_token_limit_cut_short_is_dropped() -> None:
    from vega_trio.llm.chat_stream import ChatDecoder

    decoder = ChatDecoder("here")
    cut = b'{"index":0,"id":"c1","function":{"name":"add","arguments":"{\\"a\\":"}}'
    found = decoder.feed(b'data: {"choices":[{"delta":{"tool_calls":[' + cut + b"]}}]}\n\n")
    found += decoder.feed(b'data: {"choices":[{"delta":{},"finish_reason":"length"}]}\n\ndata: [DONE]\n\n')
    assert found == []
    assert decoder.done is not None
    assert decoder.done.stop_reason == "max_tokens"


async def test_a_refusal_is_a_refusal_whatever_the_finish_reason() -> None:
    async with FakeMessagesServer([FakeReply("no", stop_reason="refusal")]) as server, talking_to(server) as model:
        events = await ask(model)
    assert events[-1] == ModelDone("refusal", Usage(10, 5))


async def test_the_fake_answers_any_prompt_to_it() -> None:
    async with FakeMessagesServer() as server, talking_to(server) as model:
        assert await ask(model, asking("hello", tools=(ADD,), system="x"))

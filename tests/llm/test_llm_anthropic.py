import contextlib
import gc
import logging
import os
import re
import socket
from collections.abc import AsyncIterator

import pytest
import trio

from vega_trio.errors import MissingKey, ModelError
from vega_trio.llm.anthropic import open_anthropic
from vega_trio.llm.anthropic_client import AnthropicModel
from vega_trio.messages import DocumentPart, ImagePart, Message, TextPart, ThinkingPart, ToolCall, ToolResult, Usage
from vega_trio.protocols import Model, ModelDone, ModelEvent, ModelRequest, TextChunk, ToolSpec
from vega_trio.session import ErrorClass
from vega_trio.testing import FakeMessagesServer, FakeReply, HttpFault, Mute, block_network

MODEL = "claude-sonnet-4-20250514"
ADD = ToolSpec(name="add", description="Adds.", parameters={"type": "object", "properties": {"a": {"type": "integer"}}})


def asking(text: str = "hi", **options: object) -> ModelRequest:
    return ModelRequest(messages=(Message("user", text),), **options)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def talking_to(server: FakeMessagesServer, read_timeout_s: float = 5) -> AsyncIterator[Model]:
    env = {"ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": server.base_url}
    with trio.fail_after(10), block_network():
        async with open_anthropic(MODEL, env=env, read_timeout_s=read_timeout_s) as model:
            yield model


async def ask(model: Model, request: ModelRequest | None = None) -> list[ModelEvent]:
    async with model.stream(request or asking()) as events:
        return [event async for event in events]


async def failure_of(step: object, read_timeout_s: float = 5) -> ModelError:
    async with FakeMessagesServer([step]) as server, talking_to(server, read_timeout_s) as model:  # type: ignore[list-item]
        with pytest.raises(ModelError) as raised:
            await ask(model)
    return raised.value


def text_of(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextChunk))


async def test_the_key_of_a_call_goes_along() -> None:
    async with FakeMessagesServer(["hi", "hi"]) as server, talking_to(server) as model:
        await ask(model, asking(key="run/review/0=0 é/1"))
        await ask(model)
    keys = [request.headers.get("idempotency-key") for request in server.requests]
    assert keys == ["run/review/0=0%20%C3%A9/1", None]


async def test_later_requests_have_the_head_that_the_sdk_gave_the_first() -> None:
    async with FakeMessagesServer(["hi", "hi", "hi"]) as server, talking_to(server) as model:
        for text in ("one", "two, which is longer", "three"):
            await ask(model, asking(text, key="k"))
    first, *later = [{**request.headers, "content-length": ""} for request in server.requests]
    assert first["authorization"] == "Bearer sk-test"
    assert later == [first, first]
    assert all(int(each.headers["content-length"]) == len(each.data) for each in server.requests)


@pytest.mark.parametrize(
    "step",
    [
        HttpFault(401, "authentication_error", "invalid key"),
        HttpFault(429, "rate_limit_error", "slow down", retry_after=7),
        FakeReply("some text", cut_after_bytes=0),
    ],
    ids=["key", "rate", "cut"],
)
async def test_a_later_request_fails_as_the_first_does(step: object) -> None:
    first = await failure_of(step)
    async with FakeMessagesServer(["hi", step]) as server, talking_to(server) as model:  # type: ignore[list-item]
        await ask(model)
        with pytest.raises(ModelError) as raised:
            await ask(model)
    assert raised.value.error_class is first.error_class
    assert raised.value.retry_after_s == first.retry_after_s
    assert re.sub(r":\d+", "", str(raised.value)) == re.sub(r":\d+", "", str(first))


# -- answers


async def test_text_streams_and_ends_with_its_usage() -> None:
    reply = FakeReply("Hello wörld 🌍", usage=Usage(7, 3, 2, 1))
    async with FakeMessagesServer([reply]) as server, talking_to(server) as model:
        events = await ask(model)
    assert text_of(events) == "Hello wörld 🌍"
    assert len(events) > 3
    assert events[-1] == ModelDone("end_turn", Usage(7, 3, 2, 1))


async def test_tool_calls_come_complete_with_their_arguments() -> None:
    calls = [ToolCall("t1", "add", {"a": 1, "text": "long enough to be cut"}), ToolCall("t2", "add", {})]
    async with FakeMessagesServer([["Adding. ", *calls]]) as server, talking_to(server) as model:
        events = await ask(model)
    assert [event for event in events if isinstance(event, ToolCall)] == calls
    assert isinstance(events[-1], ModelDone)
    assert events[-1].stop_reason == "tool_use"


@pytest.mark.parametrize("reply", [FakeReply(["Hé ", ToolCall("t", "add", {"a": 1})], fragment_bytes=7)])
async def test_an_answer_in_seven_byte_pieces_is_the_same_answer(reply: FakeReply) -> None:
    async with FakeMessagesServer([reply]) as server, talking_to(server) as model:
        events = await ask(model)
    assert events == [TextChunk("Hé "), ToolCall("t", "add", {"a": 1}), ModelDone("tool_use", Usage(10, 5))]


async def test_events_of_unknown_types_are_passed_over() -> None:
    reply = FakeReply("fine", unknown_events=True)
    async with FakeMessagesServer([reply]) as server, talking_to(server) as model:
        assert text_of(await ask(model)) == "fine"


async def test_a_refusal_is_a_stop_reason() -> None:
    reply = FakeReply("I", stop_reason="refusal")
    async with FakeMessagesServer([reply]) as server, talking_to(server) as model:
        assert (await ask(model))[-1] == ModelDone("refusal", Usage(10, 5))


# -- requests


async def test_the_request_carries_key_prompt_tools_and_a_conversation_that_alternates() -> None:
    call = ToolCall("t1", "add", {"a": 1})
    history = (
        Message("user", "one"),
        Message("user", "two"),
        Message("assistant", [TextPart(" "), call]),
        Message("user", "by the way"),
        Message("user", ToolResult("t1", "Error: no", is_error=True)),
    )
    request = ModelRequest(messages=history, system="Be kind.", tools=(ADD,), temperature=0.5, max_tokens=9)
    async with FakeMessagesServer(["ok"]) as server, talking_to(server) as model:
        await ask(model, request)
    (seen,) = server.requests
    assert seen.headers["authorization"] == "Bearer sk-test"
    assert seen.body == {
        "model": MODEL,
        "max_tokens": 9,
        "stream": True,
        "temperature": 0.5,
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "tools": [{"name": "add", "description": "Adds.", "input_schema": ADD.parameters}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 1}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "Error: no", "is_error": True},
                    {"type": "text", "text": "by the way", "cache_control": {"type": "ephemeral"}},
                ],
            },
        ],
    }


async def test_a_second_call_uses_the_same_connection() -> None:
    async with FakeMessagesServer(["one", "two"]) as server, talking_to(server) as model:
        await ask(model)
        await ask(model)
        assert server.connections == 1


async def test_a_model_that_refuses_temperature_is_called_without_it_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fault = HttpFault(400, "invalid_request_error", "temperature: this model does not take the setting")
    async with FakeMessagesServer([fault, "one", "two"]) as server, talking_to(server) as model:
        with caplog.at_level(logging.WARNING, "vega_trio"):
            assert text_of(await ask(model, asking(temperature=0.5))) == "one"
            assert text_of(await ask(model, asking(temperature=0.5))) == "two"
    assert ["temperature" in request.body for request in server.requests] == [True, False, False]
    assert [record.name for record in caplog.records if record.name.startswith("vega_trio")] == [
        "vega_trio.llm.temperature"
    ]


async def test_a_temperature_out_of_range_stays_an_error() -> None:
    fault = HttpFault(400, "invalid_request_error", "temperature: must be at most 1")
    async with FakeMessagesServer([fault]) as server, talking_to(server) as model:
        with pytest.raises(ModelError, match="at most 1") as raised:
            await ask(model, asking(temperature=2))
    assert raised.value.error_class is ErrorClass.INVALID_REQUEST


# -- faults


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (HttpFault(429, "rate_limit_error", retry_after=7), ErrorClass.RATE_LIMIT),
        (HttpFault(529, "overloaded_error"), ErrorClass.OVERLOADED),
        (HttpFault(500), ErrorClass.TEMPORARY),
        (HttpFault(504, "timeout_error"), ErrorClass.TIMEOUT),
        (HttpFault(401, "authentication_error"), ErrorClass.AUTHENTICATION),
        (HttpFault(400, "invalid_request_error", "messages: bad"), ErrorClass.INVALID_REQUEST),
        (HttpFault(400, "invalid_request_error", "prompt is too long: 9 > 8"), ErrorClass.CONTEXT_OVERFLOW),
    ],
)
async def test_an_error_status_is_classified_and_asked_once(fault: HttpFault, expected: ErrorClass) -> None:
    async with FakeMessagesServer([fault]) as server, talking_to(server) as model:
        with pytest.raises(ModelError) as raised:
            await ask(model)
    assert raised.value.error_class is expected
    assert raised.value.status == fault.status
    assert raised.value.retry_after_s == fault.retry_after
    assert len(server.requests) == 1


async def test_a_refused_key_says_where_to_set_another() -> None:
    error = await failure_of(HttpFault(401, "authentication_error", "invalid key"))
    assert "check ANTHROPIC_API_KEY" in str(error)
    assert "sk-test" not in str(error)


async def test_an_unknown_model_names_vega_model() -> None:
    error = await failure_of(HttpFault(404, "not_found_error", f"model: {MODEL}"))
    assert f"unknown model '{MODEL}'" in str(error)
    assert "VEGA_MODEL" in str(error)
    assert error.error_class is ErrorClass.INVALID_REQUEST


@pytest.mark.parametrize(
    "reply",
    [
        FakeReply("some text", cut_after_bytes=700),
        FakeReply("some text", cut_after_bytes=0),
        FakeReply("some text", omit_stop=True),
        FakeReply("some text", bad_json=True),
        FakeReply("some text", error_type="api_error"),
    ],
    ids=["cut", "cut at once", "no stop", "bad json", "error event"],
)
async def test_what_breaks_inside_a_stream_is_temporary(reply: FakeReply) -> None:
    assert (await failure_of(reply)).error_class is ErrorClass.TEMPORARY


async def test_an_error_event_is_classified_by_its_type_though_its_status_is_200() -> None:
    error = await failure_of(FakeReply("some", error_type="overloaded_error"))
    assert (error.error_class, error.status) == (ErrorClass.OVERLOADED, 200)


@pytest.mark.parametrize("step", [Mute(), FakeReply("some text", stall_after_bytes=400)], ids=["mute", "stall"])
async def test_silence_is_a_timeout(step: Mute | FakeReply) -> None:
    error = await failure_of(step, read_timeout_s=0.03)
    assert error.error_class is ErrorClass.TIMEOUT
    assert "was silent for 0.03 s" in str(error)


async def test_text_before_the_fault_has_been_given() -> None:
    seen: list[ModelEvent] = []

    async def listen(model: Model) -> None:
        async with model.stream(asking()) as events:
            async for event in events:
                seen.append(event)  # noqa: PERF401 - what came before the fault is to be kept

    async with FakeMessagesServer([FakeReply("some text", omit_stop=True)]) as server, talking_to(server) as model:
        with pytest.raises(ModelError):
            await listen(model)
    assert text_of(seen) == "some text"


async def test_nobody_listening_is_an_error_that_names_the_address() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{free.getsockname()[1]}"
    env = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": url}
    with trio.fail_after(10):
        async with open_anthropic(MODEL, env=env) as model:
            with pytest.raises(ModelError, match=r"cannot reach http://127\.0\.0\.1:\d+: .*ANTHROPIC_BASE_URL") as told:
                await ask(model)
    assert told.value.error_class is ErrorClass.TEMPORARY


# -- opening


@pytest.mark.parametrize("env", [{}, {"ANTHROPIC_API_KEY": "  "}])
async def test_a_missing_key_says_what_to_do(env: dict[str, str]) -> None:
    with pytest.raises(MissingKey, match=r"export ANTHROPIC_API_KEY.*--model demo"):
        async with open_anthropic(MODEL, env=env):
            pass


@pytest.mark.parametrize(
    "env",
    [
        {"ANTHROPIC_API_KEY": "k\n2"},
        {"ANTHROPIC_API_KEY": "schlüssel"},
        {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "localhost:99"},
        {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://x:port"},
        {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://[::1"},
    ],
)
async def test_a_key_or_an_address_that_cannot_be_used_is_refused_by_name(env: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="ANTHROPIC_"):
        async with open_anthropic(MODEL, env=env):
            pass


async def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://proxy:1")
    with pytest.raises(ModelError, match=r"gopher.*check ALL_PROXY"):
        async with open_anthropic(MODEL, env={"ANTHROPIC_API_KEY": "k"}):
            pass


async def test_prices_count_what_the_cache_served() -> None:
    async with open_anthropic(MODEL, env={"ANTHROPIC_API_KEY": "k"}) as model:
        assert isinstance(model, AnthropicModel)
        assert model.name == f"anthropic:{MODEL}"
        assert model.price(Usage(1_000_000, 0, 1_000_000, 0)) == 3_300_000
        assert model.price(Usage(0, 1)) == 15
    async with open_anthropic("claude-of-tomorrow", env={"ANTHROPIC_API_KEY": "k"}) as model:
        assert model.price(Usage(1, 1)) is None


# -- leaving


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_cancelling_mid_stream_closes_the_connection_and_leaves_nothing() -> None:
    before = (trio.lowlevel.current_statistics().tasks_living, open_files())
    reply = FakeReply("some text", stall_after_bytes=700)
    async with FakeMessagesServer([reply]) as server, talking_to(server) as model:
        with trio.CancelScope() as scope:
            async with model.stream(asking()) as events:
                async for _ in events:
                    scope.cancel()
        assert scope.cancelled_caught
        while server.connections:
            await trio.testing.wait_all_tasks_blocked()
    gc.collect()
    assert (trio.lowlevel.current_statistics().tasks_living, open_files()) == before


@pytest.mark.filterwarnings("error")
async def test_leaving_the_stream_early_closes_the_connection_and_the_next_call_works() -> None:
    steps = [FakeReply("some text", stall_after_bytes=700), "again"]
    async with FakeMessagesServer(steps) as server, talking_to(server) as model:
        async with model.stream(asking()) as events:
            async for _ in events:
                break
        gc.collect()
        assert text_of(await ask(model)) == "again"


async def test_a_server_that_keeps_the_body_open_after_the_message_holds_nobody_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    from vega_trio.llm.messages_stream import MessageDecoder
    from vega_trio.llm.reading import read_answer
    from vega_trio.testing.fake_replies import event_frames

    async def body():  # type: ignore[no-untyped-def]
        for frame in event_frames(FakeReply("done"), MODEL):
            yield frame
        await trio.sleep(60)

    async with contextlib.aclosing(body()) as chunks:
        async with contextlib.aclosing(read_answer(chunks, MessageDecoder("here"))) as events:
            assert [event async for event in events][-1] == ModelDone("end_turn", Usage(10, 5))
    assert trio.current_time() <= 1.1


# -- what only the Messages API has


async def test_prompt_tools_and_conversation_are_marked_for_the_cache() -> None:
    async with FakeMessagesServer(["one", "two"]) as server, talking_to(server) as model:
        await ask(model, asking(system="Be brief.", tools=(ADD,)))
        await ask(model, asking(tools=(ADD,)))
    mark = {"type": "ephemeral"}
    first, second = (request.body for request in server.requests)
    assert first["system"] == [{"type": "text", "text": "Be brief.", "cache_control": mark}]
    assert "cache_control" not in first["tools"][0]
    assert first["messages"][-1]["content"][-1] == {"type": "text", "text": "hi", "cache_control": mark}
    assert second["tools"][-1]["cache_control"] == mark


async def test_images_and_documents_are_sent_as_what_they_are() -> None:
    parts = [ImagePart("image/png", b"png"), DocumentPart(b"%PDF", title="R"), DocumentPart(b"Hi", "text/plain")]
    async with FakeMessagesServer(["ok"]) as server, talking_to(server) as model:
        await ask(model, ModelRequest(messages=(Message("user", [*parts, TextPart("What is this?")]),)))
    image, pdf, text, _ = server.requests[0].body["messages"][0]["content"]
    assert image == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "cG5n"}}
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}
    assert pdf == {"type": "document", "source": source, "title": "R"}
    assert text["source"] == {"type": "text", "media_type": "text/plain", "data": "Hi"}


@pytest.mark.parametrize(
    ("thinking", "max_tokens", "sent"),
    [
        (None, 8192, None),
        (2048, 8192, {"type": "enabled", "budget_tokens": 2048}),
        (2048, 1500, {"type": "enabled", "budget_tokens": 1499}),
        (2048, 900, None),
        ("adaptive", 8192, {"type": "adaptive", "display": "summarized"}),
    ],
)
async def test_thinking_gets_the_room_there_is_and_no_temperature(
    thinking: object, max_tokens: int, sent: object
) -> None:
    async with FakeMessagesServer(["ok"]) as server, talking_to(server) as model:
        await ask(model, asking(thinking=thinking, max_tokens=max_tokens, temperature=0.5))
    body = server.requests[0].body
    assert body.get("thinking") == sent
    assert ("temperature" in body) is (sent is None)


async def test_thinking_of_others_is_not_sent_back() -> None:
    messages = (
        Message("user", "hi"),
        Message("assistant", [ThinkingPart("unsigned"), TextPart("hello")]),
        Message("assistant", ThinkingPart("nothing else", "c2ln")),
        Message("user", "again"),
    )
    async with FakeMessagesServer(["ok"]) as server, talking_to(server) as model:
        await ask(model, ModelRequest(messages=messages))
    assert [len(message["content"]) for message in server.requests[0].body["messages"]] == [1, 1, 1]


async def test_tokens_are_counted_by_the_provider() -> None:
    async with FakeMessagesServer([]) as server, talking_to(server) as model:
        assert isinstance(model, AnthropicModel)
        assert await model.count_tokens(asking("How long is this?", system="Be brief.")) > 10
    assert "max_tokens" not in server.requests[0].body
    assert server.requests[0].path == "/v1/messages/count_tokens"


async def test_the_images_of_a_tool_are_shown_to_the_model() -> None:
    png = ImagePart("image/png", b"\x89PNG")
    conversation = (
        Message("user", "look"),
        Message("assistant", ToolCall("t1", "look", {})),
        Message("user", ToolResult("t1", "[an image]", images=(png,))),
    )
    async with FakeMessagesServer(["a cat"]) as server, talking_to(server) as model:
        await ask(model, ModelRequest(messages=conversation))
    (result,) = server.requests[0].body["messages"][-1]["content"]
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}
    assert result["content"] == [{"type": "text", "text": "[an image]"}, {"type": "image", "source": source}]

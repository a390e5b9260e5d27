from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from itertools import pairwise
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.errors import ModelError
from vega_trio.llm.messages_stream import MessageDecoder
from vega_trio.llm.messages_wire import messages_body
from vega_trio.llm.reading import read_answer
from vega_trio.messages import ImagePart, Message, TextPart, ToolCall, ToolResult, Usage
from vega_trio.protocols import ModelDone, ModelEvent, TextChunk
from vega_trio.session import ErrorClass
from vega_trio.testing.fake_replies import FakeReply, event_frames

REPLY = FakeReply(["Hé 🌍 ", ToolCall("t1", "add", {"a": [1, "zwei"], "b": None})], unknown_events=True)
BODY = b"".join(event_frames(REPLY, "m"))


def decode(*chunks: bytes) -> tuple[list[ModelEvent], ModelDone | None]:
    decoder = MessageDecoder("here")
    return [event for chunk in chunks for event in decoder.feed(chunk)], decoder.done


def frames(*events: dict[str, Any]) -> bytes:
    return b"".join(f"event: {each['type']}\ndata: ".encode() + msgspec.json.encode(each) + b"\n\n" for each in events)


def ending(reason: str = "end_turn") -> bytes:
    return frames({"type": "message_delta", "delta": {"stop_reason": reason}}, {"type": "message_stop"})


def tool_block(written: str) -> bytes:
    return frames(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "add"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": written}},
        {"type": "content_block_stop", "index": 0},
    )


@settings(max_examples=60)
@given(st.lists(st.integers(0, len(BODY)), max_size=6))
def test_an_answer_is_the_same_however_its_bytes_are_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(BODY)]
    assert decode(*(BODY[a:b] for a, b in pairwise(places))) == decode(BODY)
    assert decode(BODY)[1] == ModelDone("tool_use", Usage(10, 5))


@settings(max_examples=60)
@given(st.integers(0, len(BODY) - 60))
def test_an_answer_cut_off_at_any_byte_is_a_temporary_failure_and_never_a_whole_one(cut: int) -> None:
    async def body() -> AsyncGenerator[bytes, None]:
        yield BODY[:cut]

    async def main() -> ErrorClass:
        async with aclosing(body()) as chunks, aclosing(read_answer(chunks, MessageDecoder("here"))) as events:
            try:
                assert not [event async for event in events if isinstance(event, ModelDone)]
            except ModelError as error:
                return error.error_class
        raise AssertionError("the answer passed for a whole one")

    assert trio.run(main) is ErrorClass.TEMPORARY


JSON = st.recursive(
    st.none() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.dictionaries(
        st.sampled_from(["type", "index", "delta", "text", "error", "usage", "content_block", "id", "name"]), inner
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "error", ""]
)


@settings(max_examples=80)
@given(st.lists(st.tuples(NAMES, JSON), max_size=5))
def test_no_stream_however_wrong_raises_anything_but_a_model_error(events: list[tuple[str, Any]]) -> None:
    stream = b"".join(f"event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n" for name, data in events)
    with suppress(ModelError):
        decode(stream)


def test_arguments_that_are_no_object_are_a_failure() -> None:
    for written in ("[1]", '{"a":', "nonsense"):
        with pytest.raises(ModelError, match="arguments for 'add'"):
            decode(tool_block(written) + ending("tool_use"))


def test_a_call_that_max_tokens_cut_short_is_dropped_and_the_reason_kept() -> None:
    events, done = decode(tool_block('{"a": ') + ending("max_tokens"))
    assert (events, done) == ([], ModelDone("max_tokens", Usage()))


def test_an_end_without_a_stop_reason_is_a_failure() -> None:
    with pytest.raises(ModelError, match="without a stop reason"):
        decode(frames({"type": "message_stop"}))


def test_events_without_a_name_are_told_by_their_type() -> None:
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}}
    assert decode(b"data: " + msgspec.json.encode(delta) + b"\n\n") == ([TextChunk("hi")], None)


def test_counts_are_cumulative_and_those_left_out_stay() -> None:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "cache_read_input_tokens": 4}}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}
    assert decode(frames(start, end, {"type": "message_stop"}))[1] == ModelDone("end_turn", Usage(9, 7, 4, 0))


# -- requests


def test_images_travel_as_base64_and_empty_messages_not_at_all() -> None:
    body = messages_body([Message("user", ImagePart("image/png", b"\x00\x01")), Message("assistant", "")])
    source = {"type": "base64", "media_type": "image/png", "data": "AAE="}
    assert body == [{"role": "user", "content": [{"type": "image", "source": source}]}]


SAID = st.builds(TextPart, st.text(max_size=4))
CALL = st.builds(ToolCall, st.just("c"), st.just("t"), st.just({}))
RESULT = st.builds(ToolResult, st.just("c"), st.text(max_size=4))
MESSAGES = st.lists(
    st.builds(Message, st.just("user"), st.lists(SAID | RESULT, max_size=3))
    | st.builds(Message, st.just("assistant"), st.lists(SAID | CALL, max_size=3)),
    max_size=6,
)


@settings(max_examples=60)
@given(MESSAGES)
def test_any_conversation_alternates_on_the_wire_with_results_first_and_nothing_empty(messages: list[Message]) -> None:
    body = messages_body(messages)
    roles = [each["role"] for each in body]
    assert all(a != b for a, b in pairwise(roles))
    for each in body:
        kinds = [block["type"] for block in each["content"]]
        assert kinds
        assert kinds == sorted(kinds, key=lambda kind: kind != "tool_result")
        assert all(block["text"].strip() for block in each["content"] if block["type"] == "text")

"""Messages and JSON."""

import json
from contextlib import suppress
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio._core.codec import decode_json, decode_message, dump_messages, encode_json, encode_message, load_messages
from vega_trio.messages import ImagePart, Message, TextPart, ToolCall, ToolResult

# What UTF-8 can hold: all of Unicode but halves of surrogate pairs.
_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)
_image = st.builds(ImagePart, _text.map("image/".__add__), st.binary(max_size=20))
_said = st.builds(TextPart, _text)
_call = st.builds(ToolCall, _text, _text, st.dictionaries(_text, _json, max_size=3))
_result = st.builds(ToolResult, _text, _text, st.booleans(), st.lists(_image, max_size=2).map(tuple))
_message = st.builds(Message, st.just("user"), st.lists(_said | _result | _image, max_size=4)) | st.builds(
    Message, st.just("assistant"), st.lists(_said | _call, max_size=4)
)


@given(st.lists(_message, max_size=4))
@settings(max_examples=60)
def test_what_is_dumped_is_loaded_again(messages: list[Message]) -> None:
    assert load_messages(dump_messages(messages)) == messages


def test_a_conversation_has_the_documented_shape() -> None:
    messages = [
        Message("user", (TextPart("look"), ImagePart("image/png", b"\x00\xff"))),
        Message("assistant", ToolCall("tc_1", "search", MappingProxyType({"query": "trio"}))),
        Message("user", (ToolResult("tc_1", "found"), ToolResult("tc_2", "Error: no", is_error=True))),
    ]
    assert json.loads(dump_messages(messages)) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image", "media_type": "image/png", "data": "AP8="},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "tool_call", "id": "tc_1", "name": "search", "arguments": {"query": "trio"}}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_call_id": "tc_1", "content": "found"},
                {"type": "tool_result", "tool_call_id": "tc_2", "content": "Error: no", "is_error": True},
            ],
        },
    ]


def _one(part: str) -> str:
    return f'[{{"role": "user", "content": [{part}]}}]'


def test_content_may_be_plain_text() -> None:
    assert load_messages('[{"role": "user", "content": "hi"}]') == [Message("user", "hi")]
    assert load_messages(b"[]") == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        (b'["\xff"]', "not valid JSON"),
        ('[{"role": "user", "content": "\\ud800"}]', "not valid JSON"),
        ("{}", "messages must be a JSON array of messages, not an object"),
        ("[3]", "messages[0] must be an object, not the number 3"),
        ('[{"role": "user"}]', "messages[0] has no 'content'"),
        ('[{"role": "user", "content": "x", "contents": 1}]', "unknown key 'contents'; did you mean 'content'?"),
        ('[{"role": "system", "content": "x"}]', "messages[0].role must be 'user' or 'assistant', not 'system'"),
        ('[{"role": 1, "content": "x"}]', "messages[0].role must be text, not the number 1"),
        ('[{"role": "user", "content": null}]', "messages[0].content must be text or a list of parts, not null"),
        (_one('"x"'), "messages[0].content[0] must be an object with a 'type'"),
        (_one('{"type": "txt", "text": ""}'), "not 'txt'; did you mean 'text'?"),
        (_one('{"type": ["text"]}'), ".type must name a part"),
        (_one('{"type": "text"}'), "messages[0].content[0] has no 'text'"),
        (_one('{"type": "text", "text": true}'), "text must be text, not true"),
        (
            '[{"role": "user", "content": "a"}, '
            + _one('{"type": "tool_call", "id": "1", "name": "n", "arguments": []}')[1:],
            "messages[1].content[0].arguments must be an object, not a list",
        ),
        (
            _one('{"type": "tool_result", "tool_call_id": "1", "content": "", "is_error": 1}'),
            "is_error must be true or false, not the number 1",
        ),
        (_one('{"type": "image", "media_type": "image/png", "data": "!"}'), "content[0].data must be base64"),
        (_one('{"type": "image", "media_type": "image/png", "data": "é"}'), "data must be base64"),
    ],
)
def test_bad_input_is_named_with_its_place(text: str | bytes, finding: str) -> None:
    with pytest.raises(ValueError) as raised:
        load_messages(text)
    assert finding in str(raised.value)


@given(st.recursive(_json | _message.map(encode_message), lambda inner: st.lists(inner, max_size=3), max_leaves=6))
@settings(max_examples=60)
def test_any_json_value_gives_messages_or_a_value_error(value: object) -> None:
    with suppress(ValueError):
        assert all(isinstance(message, Message) for message in load_messages(json.dumps(value)))


def test_one_message_names_the_place_it_is_given() -> None:
    with pytest.raises(ValueError, match=r"message 4 of process p\.role"):
        decode_message({"role": "x", "content": ""}, "message 4 of process p")


@pytest.mark.parametrize("value", [object(), "\ud800", {"deep": {1, object()}}, {(1, 2): 3}])
def test_what_json_cannot_hold_is_a_value_error(value: object) -> None:
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        encode_json(value)


def test_a_value_without_end_is_a_value_error() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        encode_json(endless)


def test_integers_of_any_size_are_kept() -> None:
    assert decode_json(encode_json({"n": 10**40})) == {"n": 10**40}

"""The size of what is sent to a model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vega_trio._core.window import FRAME_TOKENS, Measured, about_tokens, message_bytes, most_tokens
from vega_trio.messages import ImagePart, Message, TextPart, ToolCall, ToolResult, Usage
from vega_trio.protocols import ModelRequest, ToolSpec

said = st.text(max_size=20).map(TextPart)
heard = said | st.builds(ToolResult, st.text(max_size=5), st.text(max_size=20)) | st.just(ImagePart("image/png", b"x"))
called = st.builds(
    ToolCall, st.text(max_size=5), st.text(max_size=5), st.dictionaries(st.text(max_size=5), st.integers())
)
messages = st.lists(
    st.builds(Message, st.just("user"), st.lists(heard, max_size=3))
    | st.builds(Message, st.just("assistant"), st.lists(said | called, max_size=3)),
    max_size=5,
)


@given(messages, st.text(max_size=20))
def test_the_most_is_at_least_every_byte_of_text(found: list[Message], system: str) -> None:
    request = ModelRequest(messages=tuple(found), system=system)
    said = system + "".join(message.text for message in found)
    assert most_tokens("m", request) > len(said.encode("utf-8", "surrogatepass"))
    assert 0 < about_tokens(request) <= most_tokens("m", request)


@given(messages, messages)
def test_more_messages_are_never_smaller(some: list[Message], more: list[Message]) -> None:
    few, many = ModelRequest(messages=tuple(some)), ModelRequest(messages=(*some, *more))
    assert most_tokens("m", few) <= most_tokens("m", many)


@given(messages, messages, st.integers(0, 1000))
def test_what_the_model_counted_is_taken_as_it_counted(some: list[Message], more: list[Message], counted: int) -> None:
    first = ModelRequest(messages=tuple(some), system="x" * 5_000)
    answer = Message("assistant", "y" * 5_000)
    measured = Measured.of("m", first, Usage(counted, 10))
    later = ModelRequest(messages=(*some, answer, *more), system=first.system)
    assert most_tokens("m", later, measured) == counted + 10 + message_bytes(more) + FRAME_TOKENS
    changed = ModelRequest(messages=(Message("user", "new"), *some, answer), system=first.system)
    for other in (most_tokens("m", changed, measured), most_tokens("another", later, measured)):
        assert other > 5_000


def test_tools_count() -> None:
    spec = ToolSpec(name="look", description="Looks." * 10, parameters={"type": "object"})
    assert most_tokens("m", ModelRequest(messages=(), tools=(spec,))) > most_tokens("m", ModelRequest(messages=())) + 60

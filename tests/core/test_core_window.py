"""The size of what is sent to a model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vega_trio._core.window import about_tokens, most_tokens
from vega_trio.messages import ImagePart, Message, TextPart, ToolCall, ToolResult
from vega_trio.protocols import ModelRequest, ToolSpec

parts = st.one_of(
    st.text(max_size=20).map(TextPart),
    st.builds(ToolCall, st.text(max_size=5), st.text(max_size=5), st.dictionaries(st.text(max_size=5), st.integers())),
    st.builds(ToolResult, st.text(max_size=5), st.text(max_size=20)),
    st.just(ImagePart("image/png", b"x")),
)
messages = st.lists(st.lists(parts, max_size=3).map(lambda content: Message("user", content)), max_size=5)


@given(messages, st.text(max_size=20))
def test_the_most_is_at_least_every_byte_of_text(found: list[Message], system: str) -> None:
    request = ModelRequest(messages=tuple(found), system=system)
    said = system + "".join(message.text for message in found)
    assert most_tokens(request) > len(said.encode("utf-8", "surrogatepass"))
    assert 0 < about_tokens(request) <= most_tokens(request)


@given(messages, messages)
def test_more_messages_are_never_smaller(some: list[Message], more: list[Message]) -> None:
    few, many = ModelRequest(messages=tuple(some)), ModelRequest(messages=(*some, *more))
    assert most_tokens(few) <= most_tokens(many)


def test_tools_count() -> None:
    spec = ToolSpec(name="look", description="Looks." * 10, parameters={"type": "object"})
    assert most_tokens(ModelRequest(messages=(), tools=(spec,))) > most_tokens(ModelRequest(messages=())) + 60

"""What a provider is given is always a valid conversation."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio._core.history import UNKNOWN_OUTCOME, Mending, mended, open_calls
from vega_trio.messages import Message, Part, TextPart, ToolCall, ToolResult

CALL = ToolCall("t1", "look", {})

parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(TextPart, st.text(min_size=1, max_size=3)),
    st.builds(ToolResult, st.sampled_from("abcd"), st.just("r")),
)


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Any mix of messages; call ids are unique, results may answer, repeat, precede or miss."""
    ids = iter("abcd")
    out = []
    for _ in range(draw(st.integers(0, 6))):
        if draw(st.booleans()):
            calls = [ToolCall(i, "f", {}) for i in [next(ids, None) for _ in range(draw(st.integers(0, 2)))] if i]
            text = [TextPart("x")] if draw(st.booleans()) else []
            out.append(Message("assistant", [*text, *calls]))
        else:
            out.append(Message("user", draw(st.lists(parts, max_size=3))))
    return out


@settings(max_examples=150)
@given(conversations())
def test_every_call_gets_exactly_one_result_right_behind_it_and_no_result_strays(messages: list[Message]) -> None:
    out = mended(messages)
    for at, message in enumerate(out):
        assert message.content
        if message.role == "assistant" and message.tool_calls:
            assert [r.tool_call_id for r in out[at + 1].tool_results] == [c.id for c in message.tool_calls]
        if message.tool_results:
            assert out[at - 1].tool_calls
    assert [m.text for m in out if m.text] == [m.text for m in messages if m.text]
    assert mended(out) == out


@settings(max_examples=150)
@given(conversations())
def test_a_conversation_that_grows_is_mended_as_if_it_had_been_taken_whole(messages: list[Message]) -> None:
    growing = Mending()
    for length, message in enumerate(messages, 1):
        growing.take([message])
        assert growing.whole() == mended(messages[:length])


def test_what_was_mended_is_not_made_again() -> None:
    growing = Mending()
    growing.take([Message("user", "go"), Message("assistant", CALL), Message("user", [ToolResult("t1", "so")])])
    growing.take([Message("assistant", "well"), Message("user", "and?")])
    before = growing.whole()
    growing.take([Message("assistant", "done")])
    assert all(one is other for one, other in zip(before, growing.whole(), strict=False))


def test_results_reported_one_by_one_are_gathered_in_the_order_of_their_calls() -> None:
    other = ToolCall("t2", "look", {})
    out = mended(
        [
            Message("user", "go"),
            Message("assistant", [CALL, other]),
            Message("user", ToolResult("t2", "second")),
            Message("user", ToolResult("t1", "first")),
        ]
    )
    assert out[-1].tool_results == (ToolResult("t1", "first"), ToolResult("t2", "second"))


def test_a_call_cut_off_by_a_crash_is_answered_with_outcome_unknown() -> None:
    out = mended([Message("user", "go"), Message("assistant", CALL)])
    assert out[-1].tool_results == (ToolResult("t1", UNKNOWN_OUTCOME, is_error=True),)


def test_open_calls_are_those_of_the_last_reply_without_a_result() -> None:
    other = ToolCall("t2", "look", {})
    begun = [Message("assistant", [CALL, other]), Message("user", ToolResult("t2", "done"))]
    assert open_calls(begun) == (CALL,)
    assert open_calls([*begun, Message("user", ToolResult("t1", "done"))]) == ()
    assert open_calls([Message("user", "hello")]) == ()

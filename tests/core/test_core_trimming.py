"""What is left out of a long conversation, and that calls keep their results."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vega_trio._core.history import mended
from vega_trio._core.trimming import summary_message, summary_request, to_summarise, turn_starts, within
from vega_trio._core.window import about_tokens
from vega_trio.messages import ImagePart, Message, ToolCall, ToolResult
from vega_trio.protocols import ModelRequest


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    """Whole turns: a question, answers with calls and their results, an answer."""
    out: list[Message] = []
    for turn in range(draw(st.integers(1, 6))):
        out.append(Message("user", draw(st.text("ab ", min_size=1, max_size=200))))
        for step in range(draw(st.integers(0, 3))):
            call = ToolCall(f"t{turn}.{step}", "look", {"at": "x" * draw(st.integers(0, 50))})
            out += [Message("assistant", call), Message("user", ToolResult(call.id, "y" * draw(st.integers(0, 200))))]
        out.append(Message("assistant", draw(st.text("ab ", min_size=1, max_size=200))))
    return tuple(out)


@given(conversations(), st.integers(1, 500))
def test_what_is_shown_is_a_conversation_that_a_provider_accepts(messages: tuple[Message, ...], most: int) -> None:
    shown = within(ModelRequest(messages=messages, system="s" * 40), most).messages
    assert shown == mended(shown)  # no call without its result, and no result without its call
    assert shown[0].role == "user"
    assert not shown[0].tool_results
    assert shown[-1] == messages[-1]


@given(conversations(), st.integers(1, 500))
def test_it_comes_to_the_limit_unless_the_last_answer_alone_is_longer(messages: tuple[Message, ...], most: int) -> None:
    request = ModelRequest(messages=messages, system="s" * 40)
    trimmed = within(request, most)
    assert about_tokens(trimmed) <= max(most + 1, about_tokens(within(request, 1)))
    if about_tokens(request) <= most:
        assert trimmed is request
    assert trimmed.system == request.system


def test_the_beginning_stays_the_same_for_many_turns_so_that_a_provider_can_cache_it() -> None:
    turn = (Message("user", "q" * 390), Message("assistant", "a" * 390))  # about 200 tokens
    beginnings, shortest = [], 10_000
    for turns in range(60, 160):
        messages = tuple(Message(each.role, f"{n}{each.text}") for n in range(turns) for each in turn)
        shown = within(ModelRequest(messages=messages), 10_000)
        assert about_tokens(shown) <= 10_000
        shortest = min(shortest, about_tokens(shown))
        beginnings.append(shown.messages[0].text[:3])
    assert len(set(beginnings)) == 17  # of 100 turns; an eighth of the limit are six
    assert 8_500 <= shortest <= 8_800


def test_a_short_limit_leaves_out_no_more_than_it_must() -> None:
    messages = tuple(Message(role, f"{n}" + "x" * 395) for n in range(100) for role in ("user", "assistant"))
    shown = within(ModelRequest(messages=messages), 4_000)
    assert 4_000 - 202 < about_tokens(shown) <= 4_000


def test_where_nothing_was_said_nothing_is_left_out() -> None:
    request = ModelRequest(messages=(), system="s" * 4000)
    assert within(request, 100) is request


def test_a_last_turn_that_is_too_long_keeps_what_was_asked() -> None:
    steps = []
    for n in range(10):
        call = ToolCall(f"t{n}", "look", {})
        steps += [Message("assistant", call), Message("user", ToolResult(call.id, "x" * 400))]
    asked = Message("user", "Find it.")
    shown = within(ModelRequest(messages=(asked, *steps)), 350).messages
    assert shown[0] == asked
    assert shown[1:] == tuple(steps[-len(shown[1:]) :])
    assert 2 <= len(shown) < 10


@given(conversations(), st.integers(1, 12))
def test_a_summary_replaces_whole_turns_and_leaves_as_many_as_it_should(
    messages: tuple[Message, ...], keep: int
) -> None:
    count = to_summarise(messages, keep)
    assert count == 0 or (count in turn_starts(messages) and len(messages) - count >= keep)
    later = [start for start in turn_starts(messages) if start > count]
    assert all(len(messages) - start < keep for start in later)


def test_a_summary_is_asked_for_in_words_alone() -> None:
    call = ToolCall("t", "look", {"at": "the door"})
    parts = (Message("assistant", call), Message("user", [ToolResult("t", "shut"), ImagePart("image/png", b"x")]))
    request = summary_request(parts, 100_000)
    assert not request.tools
    assert all(not message.tool_calls and not message.tool_results for message in request.messages)
    assert all(each in request.messages[0].text for each in ("look", "the door", "shut", "image/png"))
    assert "gist" in summary_message("gist").text

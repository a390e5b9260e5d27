from hypothesis import given
from hypothesis import strategies as st

from vega_trio._core.loops import END_AT, WARN_AT, times_called, warning
from vega_trio.messages import Message, ToolCall, ToolResult


def turn(*calls: tuple[str, str | None]) -> tuple[list[Message], list[int]]:
    """One call a reply, given as (argument, result); and how the calls are counted."""
    messages = [Message("user", "go")]
    for number, (argument, result) in enumerate(calls):
        messages.append(Message("assistant", ToolCall(str(number), "look", {"at": argument})))
        if result is not None:
            messages.append(Message("user", ToolResult(str(number), result)))
    return messages, list(times_called(messages).values())


def test_the_same_call_made_again_and_again_is_counted_whatever_it_gives() -> None:
    assert turn(("a", "1"), ("a", "2"), ("a", "3"), ("a", None))[1] == [1, 2, 3, 4]


def test_a_call_with_other_arguments_is_another_call() -> None:
    assert turn(("a", "1"), ("b", "1"), ("c", "1"))[1] == [1, 1, 1]


def test_going_round_in_a_circle_is_counted() -> None:
    assert turn(("a", "1"), ("b", "2"), ("a", "1"), ("b", "2"), ("a", None))[1] == [1, 1, 2, 2, 3]


def test_looking_again_after_something_else_has_changed_it_starts_the_count_over() -> None:
    assert turn(("test", "2 failed"), ("edit", "ok"), ("test", "1 failed"), ("edit", "ok"), ("test", "0"))[1] == [
        1,
        1,
        1,
        2,
        1,
    ]


def test_the_order_of_arguments_makes_no_difference() -> None:
    messages = [
        Message("assistant", [ToolCall("1", "t", {"a": 1, "b": 2}), ToolCall("2", "t", {"b": 2, "a": 1})]),
    ]
    assert times_called(messages) == {"1": 1, "2": 2}


def test_half_a_surrogate_pair_is_the_same_as_itself() -> None:
    assert turn(("\ud800", "1"), ("\ud800", "1"))[1] == [1, 2]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("12")), max_size=12))
def test_no_call_counts_for_more_than_there_were_like_it(calls: list[tuple[str, str]]) -> None:
    counted = turn(*calls)[1]
    for at, (argument, _) in enumerate(calls):
        assert 1 <= counted[at] <= sum(each == argument for each, _ in calls[: at + 1])


def test_the_third_and_fourth_are_warned_of_and_the_fifth_ends_the_turn() -> None:
    assert (WARN_AT, END_AT) == (3, 5)
    assert not warning(1)
    assert not warning(2)
    assert "number 3" in warning(3)

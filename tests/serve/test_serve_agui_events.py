"""A turn's events as AG-UI's, without a server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agui_rules import answer, broken_rules, conversation
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.events import (
    ApprovalRequested,
    Event,
    LlmRetry,
    MessageReset,
    ProcessRestarted,
    ProcessRestarting,
    TextDelta,
    ThinkingDelta,
    ToolEnd,
    ToolProgress,
    ToolStart,
    TurnFailure,
    TurnFinished,
    TurnStarted,
    TurnStopped,
)
from vega_trio.serve.agui_events import AguiTranslator, Run
from vega_trio.serve.translate import Lost, Queued, Translator

OWN = {"turn_id": "t1", "root_turn_id": "t1", "at": 1.5}
NESTED = {"turn_id": "t2", "root_turn_id": "t1", "agent": "helper"}
USER = {"id": "u1", "role": "user", "content": "hi"}


def shown(*happened: Event | Queued | Lost, **run: Any) -> list[dict[str, Any]]:
    """What a client reads."""
    asked = Run(thread_id="th", run_id="r", messages=(USER,), **run)
    translator = AguiTranslator(asked, Translator("t1", "s1", 2))
    read = "".join(translator.frames(event).decode() for event in happened)
    return [json.loads(block.removeprefix("data: ")) for block in read.split("\n\n") if block]


def whole(*happened: Event | Queued | Lost) -> list[dict[str, Any]]:
    """A stream with its beginning and its end, which keeps the rules."""
    events = shown(TurnStarted(**OWN, model="m"), *happened, TurnFinished(**OWN))
    assert broken_rules(events) == []
    return events


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["name"] if event["type"] == "CUSTOM" else event["type"] for event in events]


def text(delta: str) -> TextDelta:
    return TextDelta(**OWN, delta=delta)


def start(call: str = "c", **arguments: Any) -> ToolStart:
    return ToolStart(**OWN, tool_call_id=call, tool_name="look", arguments=arguments)


def end(call: str = "c", result: str = "found", **fields: Any) -> ToolEnd:
    return ToolEnd(**OWN, tool_call_id=call, tool_name="look", result=result, **fields)


def test_an_answer_is_one_message_in_a_run_with_the_clients_ids() -> None:
    events = whole(text("a"), text("b"))
    assert kinds(events) == [
        "RUN_STARTED",
        "vega.turn_start",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]
    first, last = events[0], events[-1]
    assert (first["threadId"], first["runId"], first["protocolVersion"]) == ("th", "r", "1.0")
    assert (last["threadId"], last["runId"], last["result"]["stop_reason"]) == ("th", "r", "end_turn")
    assert events[1]["value"]["session_id"] == "s1"
    assert {event["timestamp"] for event in events} == {1500}


def test_the_calls_of_a_step_hang_on_its_message_and_the_next_step_has_its_own() -> None:
    events = whole(text("Let me look"), start("a", q=1), start("b"), end("b"), end("a"), text("Done"))
    messages = conversation([USER], events)
    assert [(message["role"], message.get("toolCalls")) for message in messages] == [
        ("user", None),
        ("assistant", ["a", "b"]),
        ("tool", None),
        ("tool", None),
        ("assistant", None),
    ]
    args = [event["delta"] for event in events if event["type"] == "TOOL_CALL_ARGS"]
    assert args == ['{"q":1}', "{}"]


def test_a_step_that_says_nothing_has_its_calls_in_a_message_of_their_own() -> None:
    messages = conversation([USER], whole(start("a"), start("b"), end("a"), end("b"), start("c"), end("c")))
    calls = [message["toolCalls"] for message in messages if "toolCalls" in message]
    assert calls == [["a", "b"], ["c"]]


def test_a_model_that_uses_an_id_twice_gets_another_one_for_the_second_call() -> None:
    progress = ToolProgress(**OWN, tool_call_id="c", tool_name="look", progress=1)
    events = whole(start("c"), end("c", "one"), start("c"), progress, end("c", "two"), start(""), end(""))
    results = [(event["toolCallId"], event["content"]) for event in events if event["type"] == "TOOL_CALL_RESULT"]
    assert results == [("c", "one"), ("c.2", "two"), ("call", "found")]
    assert [event["value"]["tool_call_id"] for event in events if event.get("name") == "vega.tool_progress"] == ["c.2"]


def test_thinking_is_a_message_of_its_own_kind() -> None:
    events = whole(ThinkingDelta(**OWN, delta="hm"), ThinkingDelta(**OWN, delta="!"), text("a"))
    assert kinds(events)[2:9] == [
        "REASONING_START",
        "REASONING_MESSAGE_START",
        "REASONING_MESSAGE_CONTENT",
        "REASONING_MESSAGE_CONTENT",
        "REASONING_MESSAGE_END",
        "REASONING_END",
        "TEXT_MESSAGE_START",
    ]


def test_a_restart_takes_back_what_no_longer_counts_and_keeps_what_does() -> None:
    events = whole(
        text("Looking"),
        start(),
        end(),
        ThinkingDelta(**OWN, delta="hm"),
        text("Half "),
        ProcessRestarting(**OWN, reason="boom"),
        ProcessRestarted(**OWN, incarnation=2),
        MessageReset(**OWN, text="Looking"),
        text("Whole"),
    )
    assert "vega.restart" in kinds(events)
    reset = next(event for event in events if event.get("name") == "vega.message_reset")
    snapshot = next(event for event in events if event["type"] == "MESSAGES_SNAPSHOT")
    half = next(event for event in events if event.get("delta") == "Half ")
    assert reset["value"] == {"text": "Looking", "message_ids": [half["messageId"]]}
    assert [message["role"] for message in snapshot["messages"]] == ["user", "assistant", "tool"]
    assert snapshot["messages"][0] == USER
    assert snapshot["messages"][1]["toolCalls"][0]["function"] == {"name": "look", "arguments": "{}"}
    messages = conversation([USER], events)
    assert answer(messages) == "LookingWhole"


def test_a_reset_of_nothing_that_was_shown_takes_nothing_back() -> None:
    events = whole(MessageReset(**OWN, text=""), text("a"))
    assert "MESSAGES_SNAPSHOT" not in kinds(events)
    assert events[2]["value"] == {"text": "", "message_ids": []}


def test_a_call_whose_words_are_void_stays() -> None:
    events = whole(text("Let me"), start(), MessageReset(**OWN, text=""), end(), text("Done"))
    messages = conversation([USER], events)
    assert answer(messages) == "Done"
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant"]


def test_text_that_stands_and_was_not_shown_here_is_said() -> None:
    events = whole(text("Half"), MessageReset(**OWN, text="Whole "), text("answer"))
    assert answer(conversation([USER], events)) == "Whole answer"


def test_a_failure_is_a_run_error_with_its_class_and_nothing_is_left_open() -> None:
    events = shown(TurnStarted(**OWN), text("Half"), TurnFailure(**OWN, error="no", error_class="overloaded"))
    assert broken_rules(events) == []
    assert kinds(events)[-2:] == ["TEXT_MESSAGE_END", "RUN_ERROR"]
    assert (events[-1]["message"], events[-1]["code"]) == ("no", "overloaded")


@pytest.mark.parametrize("first", [TurnStarted(**OWN), Queued(1)])
def test_a_lost_turn_ends_in_an_error(first: Any) -> None:
    events = shown(first, Lost("gone", "agent_crashed"))
    assert broken_rules(events) == []
    assert events[-1]["code"] == "agent_crashed"


def test_a_turn_that_is_lost_before_anything_has_a_beginning_and_an_end() -> None:
    assert kinds(shown(Lost("gone", "agent_crashed"))) == ["RUN_STARTED", "RUN_ERROR"]


def test_a_stopped_run_is_cancelled_and_no_failure() -> None:
    events = shown(TurnStarted(**OWN), text("Half"), TurnStopped(**OWN, text="Half"))
    assert broken_rules(events) == []
    assert events[-1]["outcome"] == {"type": "cancelled"}


def test_the_work_of_another_agent_is_a_step_and_no_part_of_the_answer() -> None:
    events = whole(
        start(),
        TurnStarted(**NESTED, path="helper"),
        TextDelta(**NESTED, delta="mine"),
        ToolStart(**NESTED, tool_call_id="c", tool_name="dig"),
        TurnStarted(turn_id="t3", root_turn_id="t1", path="helper"),
        TurnFinished(**NESTED),
        end(),
        text("Done"),
    )
    steps = [(event["type"], event["stepName"]) for event in events if event["type"].startswith("STEP")]
    assert steps == [
        ("STEP_STARTED", "helper"),
        ("STEP_STARTED", "helper (2)"),
        ("STEP_FINISHED", "helper"),
        ("STEP_FINISHED", "helper (2)"),
    ]
    assert answer(conversation([USER], events)) == "Done"
    marked = [(event["name"], event["value"]["nested_agent"]) for event in events if "nested_agent" in str(event)]
    assert marked == [("vega.text_delta", "helper"), ("vega.tool_start", "helper")]


def test_everything_else_of_version_2_is_told_under_our_name() -> None:
    need = ApprovalRequested(**OWN, approval_id="a1", tool_call_id="c", tool_name="look")
    events = whole(Queued(2), LlmRetry(**OWN, error_class="overloaded"), start(), need, end(images=("i1",)))
    ours = {event["name"]: event["value"] for event in events if event["type"] == "CUSTOM"}
    assert ours["vega.queued"] == {"position": 2}
    assert ours["vega.retry"]["class"] == "overloaded"
    assert ours["vega.approval_required"]["approval_id"] == "a1"
    assert ours["vega.tool_images"]["images"] == ["i1"]


def test_a_result_whose_call_was_not_shown_is_no_result_of_the_run() -> None:
    events = whole(end("before"))
    assert "TOOL_CALL_RESULT" not in kinds(events)
    assert "vega.tool_end" in kinds(events)


def test_what_was_sent_and_is_not_used_is_said_at_the_beginning() -> None:
    events = shown(TurnStarted(**OWN), unused=("tools",), parent_run_id="p")
    assert events[0]["parentRunId"] == "p"
    assert (events[1]["name"], events[1]["value"]) == ("vega.unused_input", {"fields": ["tools"]})


NEXT = st.sampled_from(["text", "think", "call", "result", "reset", "keep", "helper", "helped", "approval"])


@settings(max_examples=100)
@given(st.lists(NEXT, max_size=20), st.sampled_from([TurnFinished(**OWN), TurnFailure(**OWN), TurnStopped(**OWN)]))
def test_whatever_happens_the_stream_keeps_the_rules_and_ends_with_the_answer(steps: list[str], last: Event) -> None:
    happened: list[Event] = [TurnStarted(**OWN)]
    said = ""
    for count, step in enumerate(steps):
        match step:
            case "text":
                happened.append(text(f"{count},"))
                said += f"{count},"
            case "think":
                happened.append(ThinkingDelta(**OWN, delta="hm"))
            case "call":
                happened += [start("c"), end("c")]
            case "result":
                happened.append(end("unknown"))
            case "reset":
                happened.append(MessageReset(**OWN, text=""))
                said = ""
            case "keep":
                said = said[: len(said) // 2]
                happened.append(MessageReset(**OWN, text=said))
            case "helper":
                happened.append(TurnStarted(turn_id=f"n{count}", root_turn_id="t1", path="helper"))
            case "helped":
                happened.append(TurnFinished(turn_id=f"n{count - 1}", root_turn_id="t1"))
            case _:
                happened.append(ApprovalRequested(**OWN, tool_call_id="c"))
    events = shown(*happened, last)
    assert broken_rules(events) == []
    assert answer(conversation([USER], events)) == said

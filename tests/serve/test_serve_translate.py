"""The chat stream as pure translation: events in, frames out."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.events import (
    Event,
    LlmRetry,
    MessageReset,
    ProcessRestarted,
    ProcessRestarting,
    TextDelta,
    ToolEnd,
    ToolProgress,
    ToolStart,
    TurnFailure,
    TurnFinished,
    TurnResumed,
    TurnStarted,
    TurnStopped,
)
from vega_trio.serve.translate import Lost, Translator, Version

TURN = {"turn_id": "t1", "root_turn_id": "t1"}


def text(delta: str) -> TextDelta:
    return TextDelta(delta=delta, **TURN)


def reset(so_far: str) -> MessageReset:
    return MessageReset(text=so_far, **TURN)


def shown(*events: Event, version: Version = 1) -> list[dict[str, Any]]:
    translator = Translator("t1", "s1", version)
    return [payload for event in events for payload in translator.payloads(event)]


def deltas(*events: Event) -> list[str]:
    return [payload["delta"] for payload in shown(*events)]


def test_the_five_types_have_the_bytes_of_the_first_clients() -> None:
    call = {"tool_call_id": "tc_1", "tool_name": "web_search"}
    translator = Translator("t1", "s1")
    frames = b"".join(
        translator.frames(event)
        for event in (
            TurnStarted(model="demo", message="Search", **TURN),
            text("Looking "),
            ToolStart(arguments={"query": "trio release notes"}, **call, **TURN),
            ToolEnd(result="Found 2 results..", duration_ms=840, **call, **TURN),
            TurnFinished(text="Looking ", **TURN),
        )
    )
    assert frames.decode() == (
        "event: text_delta\n"
        'data: {"type":"text_delta","delta":"Looking "}\n'
        "id: t1:1\n\n"
        "event: tool_start\n"
        'data: {"type":"tool_start","tool_call_id":"tc_1","tool_name":"web_search",'
        '"arguments":{"query":"trio release notes"}}\n'
        "id: t1:2\n\n"
        "event: tool_end\n"
        'data: {"type":"tool_end","tool_call_id":"tc_1","tool_name":"web_search",'
        '"result":"Found 2 results..","duration_ms":840}\n'
        "id: t1:3\n\n"
        "event: done\n"
        'data: {"type":"done"}\n'
        "id: t1:4\n\n"
    )
    assert translator.ended


def test_a_failed_turn_says_error_and_then_done() -> None:
    failure = TurnFailure(error="budget exceeded", error_class="budget_exceeded", **TURN)
    assert shown(failure) == [{"type": "error", "error": "budget exceeded"}, {"type": "done"}]


def test_a_stopped_turn_just_ends() -> None:
    assert shown(TurnStopped(text="so far", **TURN)) == [{"type": "done"}]


def test_a_lost_process_ends_the_stream_with_error_and_done() -> None:
    translator = Translator("t1", "s1")
    frames = translator.frames(Lost("process p exited: killed", "agent_crashed")).decode()
    assert frames.count("event: ") == 2
    assert "event: error" in frames
    assert frames.endswith('event: done\ndata: {"type":"done"}\nid: t1:2\n\n')


def test_after_a_reset_a_blank_line_parts_the_old_text_from_the_new() -> None:
    assert deltas(text("half an ans"), reset("whole "), text("answer")) == ["half an ans", "\n\n", "whole ", "answer"]


def test_a_reset_before_any_text_shows_nothing_of_it() -> None:
    assert deltas(reset(""), text("answer")) == ["answer"]


def test_two_resets_in_a_row_part_only_once() -> None:
    assert deltas(text("a"), reset(""), reset(""), text("b")) == ["a", "\n\n", "b"]


def test_version_2_tells_resets_as_they_are() -> None:
    assert shown(text("a"), reset("b"), version=2)[1] == {"type": "message_reset", "text": "b"}


def test_version_2_tells_of_retries() -> None:
    again = LlmRetry(error_class="overloaded", attempt=2, max_attempts=5, delay_ms=100, model="m", error="busy", **TURN)
    frame = {"type": "retry", "class": "overloaded", "attempt": 2, "max_attempts": 5, "delay_ms": 100}
    assert (shown(again), shown(again, version=2)) == ([], [frame])


def test_version_2_tells_how_far_a_tool_is() -> None:
    far = ToolProgress(tool_call_id="tc_1", tool_name="build", progress=3.0, total=10.0, message="linking", **TURN)
    assert shown(far) == []
    payload = {"type": "tool_progress", "tool_call_id": "tc_1", "tool_name": "build"}
    assert shown(far, version=2) == [payload | {"progress": 3.0, "total": 10.0, "message": "linking"}]


def test_version_2_begins_with_where_the_turn_runs() -> None:
    started = TurnStarted(model="demo", message="hi", process_id="p1", **TURN)
    assert shown(started, version=2) == [
        {"type": "turn_start", "turn_id": "t1", "process_id": "p1", "session_id": "s1", "model": "demo"}
    ]


def test_version_2_ends_with_the_figures() -> None:
    end = TurnFinished(text="x", input_tokens=3, output_tokens=4, cost_usd=0.5, duration_ms=6, **TURN)
    assert shown(end, version=2) == [
        {
            "type": "done",
            "stop_reason": "end_turn",
            "turn_id": "t1",
            "message_id": "t1:assistant",
            "metrics": {"input_tokens": 3, "output_tokens": 4, "cost_usd": 0.5, "duration_ms": 6},
        }
    ]


def test_version_2_says_why_a_turn_failed() -> None:
    failure = TurnFailure(error="no", error_class="limit_exceeded", stop_reason="max_iterations", **TURN)
    error, done = shown(failure, version=2)
    assert error == {"type": "error", "error": "no", "code": "limit_exceeded"}
    assert done == {"type": "done", "stop_reason": "max_iterations", "turn_id": "t1"}


def test_a_refusal_and_a_stop_are_named_in_done() -> None:
    refused = TurnFailure(error="no", error_class="refusal", **TURN)
    assert shown(refused, version=2)[1]["stop_reason"] == "refusal"
    assert shown(TurnStopped(text="a", **TURN), version=2)[0]["stop_reason"] == "cancelled"


def test_a_stop_reason_of_the_provider_counts_as_the_end_of_the_turn() -> None:
    assert shown(TurnFinished(stop_reason="max_tokens", **TURN), version=2)[0]["stop_reason"] == "end_turn"


def test_a_restart_is_told_once_with_its_count() -> None:
    events = (
        ProcessRestarting(attempt=1, max=3, reason="crashed: boom", incarnation=1, **TURN),
        ProcessRestarted(incarnation=2, **TURN),
        TurnResumed(incarnation=2, **TURN),
    )
    expected = {"type": "restart", "incarnation": 2, "reason": "crashed: boom", "restarts": 1, "max_restarts": 3}
    assert shown(*events, version=2) == [expected]
    assert shown(*events) == []


def test_the_work_of_others_is_marked_in_version_2_and_left_out_of_version_1() -> None:
    nested = TextDelta(delta="sub", agent="helper", turn_id="t2", root_turn_id="t1")
    tool = ToolStart(tool_call_id="c", tool_name="n", agent="helper", turn_id="t2", root_turn_id="t1")
    end = TurnFinished(text="sub", agent="helper", turn_id="t2", root_turn_id="t1")
    assert shown(nested, tool, end) == []
    marked = shown(nested, tool, end, version=2)
    assert [payload["type"] for payload in marked] == ["text_delta", "tool_start"]
    assert {payload["nested_agent"] for payload in marked} == {"helper"}


@settings(max_examples=50)
@given(st.lists(st.text(max_size=20)))
def test_without_a_reset_the_deltas_are_the_answer(pieces: list[str]) -> None:
    assert "".join(deltas(*(text(piece) for piece in pieces))) == "".join(pieces)


@settings(max_examples=50)
@given(st.lists(st.text(max_size=8)), st.text(max_size=8), st.lists(st.text(max_size=8)))
def test_after_a_reset_the_last_attempt_stands_at_the_end(before: list[str], kept: str, after: list[str]) -> None:
    said = "".join(deltas(*map(text, before), reset(kept), *map(text, after)))
    assert said.endswith(kept + "".join(after))
    assert said.startswith("".join(before))


@settings(max_examples=50)
@given(st.lists(st.sampled_from([text("x"), reset("y"), reset(""), TurnResumed(**TURN)]), max_size=12))
def test_frame_numbers_rise_by_one_and_every_frame_is_json(events: list[Event]) -> None:
    translator = Translator("t1", "s1", 2)
    frames = "".join(translator.frames(event).decode() for event in events)
    blocks = [block.split("\n") for block in frames.split("\n\n") if block]
    assert [block[2] for block in blocks] == [f"id: t1:{number}" for number in range(1, len(blocks) + 1)]
    for block in blocks:
        data = json.loads(block[1].removeprefix("data: "))
        assert block[0] == f"event: {data['type']}"
        assert next(iter(data)) == "type"

"""The logs of turns, and clients that come and go while a turn goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio.events import (
    Event,
    MessageReset,
    ProcessFailed,
    TextDelta,
    ToolEnd,
    ToolStart,
    TurnFinished,
    TurnResumed,
    TurnStarted,
)
from vega_trio.protocols import ModelRequest
from vega_trio.serve.streams import TurnBody
from vega_trio.serve.translate import Translator, Version
from vega_trio.serve.turns import FRAMES_PER_INCARNATION, TurnLog, TurnLogs
from vega_trio.testing import ScriptedModel, ScriptedReply

TURN = {"turn_id": "t1", "root_turn_id": "t1", "session_id": "s1", "process_id": "s1", "incarnation": 1}
NESTED = {"turn_id": "t2", "root_turn_id": "t1", "agent": "helper"}
CALL = {"tool_call_id": "c", "tool_name": "look"}

EVENTS = st.one_of(
    st.builds(lambda text: TextDelta(delta=text, **TURN), st.text("ab\u00e9", min_size=0, max_size=3)),
    st.builds(lambda text: TextDelta(delta=text, **NESTED), st.text("xy", min_size=1, max_size=2)),
    st.builds(lambda text: MessageReset(text=text, **TURN), st.sampled_from(["", "so far"])),
    st.just(ToolStart(arguments={}, **CALL, **TURN)),
    st.just(ToolEnd(result="found", **CALL, **TURN)),
)


def logged(events: list[Event]) -> TurnLog:
    log = TurnLog("t1", "s1", "s1")
    for event in events:
        log.append(event)
    log.end(0.0)
    return log


Frames = list[tuple[int, dict[str, Any]]]


async def read(log: TurnLog, version: Version, after: int = 0, *, live: bool = False) -> Frames:
    body = TurnBody(log, Translator(log.id, log.session_id, version, after, log.first), live)
    data = b"".join([chunk async for chunk in body]).decode()
    frames = [dict(line.split(": ", 1) for line in block.split("\n")) for block in data.split("\n\n") if block]
    return [(int(frame["id"].rpartition(":")[2]), json.loads(frame["data"])) for frame in frames]


def text_of(frames: Frames) -> str:
    return "".join(data.get("delta", f"<{data['type']}>") for _, data in frames)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=12), st.sampled_from([1, 2]), st.data())
def test_whoever_comes_back_at_any_frame_sees_what_the_others_saw(
    events: list[Event], version: Version, data: st.DataObject
) -> None:
    log = logged([TurnStarted(**TURN), *events, TurnFinished(**TURN)])

    async def main() -> None:
        singly, merged = await read(log, version, live=True), await read(log, version)
        assert text_of(singly) == text_of(merged)
        assert [number for number, _ in singly] == list(range(1, len(singly) + 1))
        assert merged[-1] == singly[-1]
        at = data.draw(st.integers(0, len(singly)))
        assert text_of(singly[:at]) + text_of(await read(log, version, at)) == text_of(singly)

    trio.run(main)


async def test_a_turn_taken_up_from_an_earlier_program_begins_above_its_numbers_and_anew() -> None:
    logs = TurnLogs()
    header = {**TURN, "incarnation": 2}
    for event in (TurnResumed(**header), MessageReset(text="", **header), TextDelta(delta="whole", **header)):
        logs.take(event)
    logs.take(TurnFinished(**header))
    log = logs.find("s1", "t1")
    assert log is not None
    assert log.first == 2 * FRAMES_PER_INCARNATION
    assert text_of(await read(log, 1, after=57)) == "\n\nwhole<done>"
    assert text_of(await read(log, 1)) == "whole<done>"


async def test_a_delegates_turn_has_no_log_of_its_own() -> None:
    logs = TurnLogs()
    logs.take(TurnStarted(**TURN))
    logs.take(TurnStarted(**NESTED, session_id="s2"))
    assert logs.find("s2") is None


async def test_ended_turns_are_kept_for_ten_minutes(autojump_clock: trio.testing.MockClock) -> None:
    logs = TurnLogs()
    logs.take(TurnStarted(**TURN))
    logs.take(TurnFinished(**TURN))
    await trio.sleep(599)
    assert logs.find("s1") is not None
    await trio.sleep(2)
    assert logs.find("s1") is None


async def test_ended_turns_are_kept_within_a_number_of_bytes() -> None:
    logs = TurnLogs(keep_bytes=4000)
    for number in range(5):
        header = {**TURN, "turn_id": f"t{number}", "root_turn_id": f"t{number}"}
        logs.take(TurnStarted(**header))
        logs.take(TurnFinished(**header))
    found = [logs.find("s1", f"t{number}") for number in range(5)]
    assert [log.id for log in found if log is not None] == ["t4", "t1", "t2", "t3", "t4"]


async def test_a_turn_that_says_too_much_is_no_longer_followed() -> None:
    logs = TurnLogs(turn_bytes=2000)
    logs.take(TurnStarted(**TURN))
    logs.take(TextDelta(delta="x" * 3000, **TURN))
    log = logs.find("s1")
    assert log is not None
    assert [data["type"] for _, data in await read(log, 1)] == ["text_delta", "error", "done"]


async def test_the_turns_of_a_process_that_ends_for_good_end_with_it() -> None:
    logs = TurnLogs()
    logs.take(TurnStarted(**TURN))
    logs.take(ProcessFailed(process_id="s1", reason="crashed", final=False))
    log = logs.find("s1")
    assert log is not None
    assert log.ended_at is None
    logs.take(ProcessFailed(process_id="s1", reason="killed", final=True))
    assert [data["type"] for _, data in await read(log, 1)] == ["error", "done"]


# -- over real sockets


def said(frames: list[Any]) -> str:
    return "".join(frame.data["delta"] for frame in frames if frame.event == "text_delta")


SLOW = ScriptedReply("one two three four five six seven eight nine ten " * 4, delay_s=0.01)


@pytest.mark.e2e
async def test_every_client_of_a_turn_ends_with_the_same_text(serving: Any) -> None:
    seen: list[str] = []

    async def watch(served: Any, frames_first: list[Any], headers: dict[str, str]) -> None:
        async with served.joining(headers=headers) as frames:
            seen.append(said([*frames_first, *[frame async for frame in frames]]))

    with trio.fail_after(30):
        async with serving([SLOW]) as served, trio.open_nursery() as nursery:
            async with served.streaming("count") as frames:
                first = [await anext(frames) for _ in range(8)]
                nursery.start_soon(watch, served, [], {})
                nursery.start_soon(watch, served, first, {"last-event-id": first[-1].id})
                nursery.start_soon(watch, served, first[:3], {"last-event-id": first[2].id})
                seen.append(said([*first, *[frame async for frame in frames]]))
            await watch(served, [], {})
            history = (await served.http.get("/api/agents/assistant/chat")).json()
            await served.http.delete("/api/agents/assistant/chat")
            none = await served.http.get("/api/agents/assistant/chat/stream")
    assert set(seen) == {history[-1]["content"]}
    assert none.json() == {"streaming": False}


@pytest.mark.e2e
async def test_a_chat_in_which_nothing_was_said_streams_nothing(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            answer = await served.http.get("/api/agents/assistant/chat/stream")
            wrong = await served.http.get("/api/agents/assistant/chat/stream", headers={"last-event-id": "x"})
            nobody = await served.http.get("/api/agents/nobody/chat/stream")
    assert (answer.status_code, answer.json()) == (200, {"streaming": False})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "last_event_id")
    assert nobody.status_code == 404


@pytest.mark.e2e
async def test_a_turn_asked_for_without_a_stream_can_be_joined_and_who_waits_is_told_so(serving: Any) -> None:
    reached, opened = trio.Event(), trio.Event()

    async def gate(request: ModelRequest) -> str:
        reached.set()
        await opened.wait()
        return "the answer"

    async def ask(served: Any) -> None:
        await served.http.post("/api/agents/assistant/chat", json={"message": "one"})

    with trio.fail_after(30):
        async with serving(ScriptedModel([gate, "second"])) as served, trio.open_nursery() as nursery:
            nursery.start_soon(ask, served)
            await reached.wait()
            async with served.streaming("two", v="2") as waiting, served.joining(v="2") as joined:
                queued = await anext(waiting)
                opened.set()
                first = [frame async for frame in joined]
                second = [frame async for frame in waiting]
    assert queued.data == {"type": "queued", "position": 1}
    assert first[0].event == "turn_start"
    assert (said(first), said(second)) == ("the answer", "second")

"""The event stream over a real server."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from vega_trio.changes import AppendEvent
from vega_trio.events import SessionUpdated, TextDelta
from vega_trio.serve.events import EventBody, EventFeed, event_filter
from vega_trio.serve.ring import EventFrame, EventRing, event_frame
from vega_trio.store.memory import MemoryStore

pytestmark = pytest.mark.e2e


async def emit(served: Any, count: int, kind: type = SessionUpdated) -> None:
    for number in range(count):
        served.app.orch.bus.emit(kind(process_id=f"p{number % 2}", agent="coder"))
    await trio.lowlevel.checkpoint()


async def take(events: Any, count: int) -> list[Any]:
    return [await anext(events) for _ in range(count)]


def ids(frames: list[Any]) -> list[int]:
    return [int(frame.id) for frame in frames]


async def test_a_listener_is_greeted_and_then_told_what_is_new(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hi"]) as served:
            await emit(served, 3)
            async with served.listening() as events:
                await served.http.post("/api/agents/assistant/chat", json={"message": "x"})
                frames = [await anext(events)]
                while frames[-1].event != "turn.finished":
                    frames.append(await anext(events))
            assert events.comments == [": connected"]
    types = [frame.event for frame in frames]
    assert types[0] != "session.updated"
    assert "process.started" in types
    assert "text_delta" not in types
    assert ids(frames) == sorted(ids(frames))
    started = frames[types.index("process.started")].data
    assert list(started) == ["type", "process_id", "agent", "data", "timestamp"]
    assert started["agent"] == "assistant"
    assert started["timestamp"].endswith("Z")


async def test_filters_choose_by_type_process_and_agent(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hi"]) as served:
            async with (
                served.listening(types="turn.*") as turns,
                served.listening(process_id="p1") as ones,
                served.listening(agent="coder") as coder,
                served.listening(types="session.updated", agent="nobody") as nothing,
            ):
                await emit(served, 4)
                await served.chat("x")
                assert (await anext(turns)).event == "turn.started"
                assert {frame.data["process_id"] for frame in await take(ones, 2)} == {"p1"}
                assert {frame.data["agent"] for frame in await take(coder, 4)} == {"coder"}
                served.stop.set()
                assert [frame async for frame in nothing] == []


async def test_a_wrong_filter_or_id_is_refused(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            for query in ({"types": "*.started"}, {"last_event_id": "x"}, {"last_event_id": "-1"}):
                answer = await served.http.get("/api/events", params=query)
                assert answer.status_code == 400
                assert answer.json()["field"] in query


@pytest.mark.parametrize("by_header", [True, False])
async def test_a_listener_that_comes_back_misses_nothing_and_hears_nothing_twice(serving: Any, by_header: bool) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            async with served.listening() as events:
                await emit(served, 5)
                first = ids(await take(events, 3))
            await emit(served, 5)
            last = str(first[-1])
            again = (
                served.listening(headers={"Last-Event-ID": last}) if by_header else served.listening(last_event_id=last)
            )
            async with again as events:
                await emit(served, 5)
                second = ids(await take(events, 12))
    assert second == list(range(first[-1] + 1, first[-1] + 13))


async def test_events_that_come_during_the_replay_are_neither_lost_nor_doubled(serving: Any) -> None:
    with trio.fail_after(20):
        async with serving() as served:
            await emit(served, 1200)
            async with served.listening(last_event_id="0") as events:
                seen = ids(await take(events, 100))
                for _ in range(10):
                    await emit(served, 50)
                    seen += ids(await take(events, 50))
                newest = await served.app.store.last_event_id()
                while seen[-1] < newest:
                    seen.append(int((await anext(events)).id))
    assert seen == list(range(1, newest + 1))


async def test_replay_goes_on_across_a_restart_of_the_server(serving: Any, tmp_path: Path) -> None:
    database = tmp_path / "vega.db"
    with trio.fail_after(20):
        async with serving(store=database) as served:
            async with served.listening() as events:
                await emit(served, 3)
                first = ids(await take(events, 2))
        async with serving(store=database) as served:
            async with served.listening(last_event_id=str(first[-1])) as events:
                await emit(served, 1)
                rest = await take(events, 3)
    assert ids(rest)[0] == first[-1] + 1
    assert "server.stopping" in [frame.event for frame in rest]


async def test_an_id_from_another_database_is_answered_with_a_gap(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            await emit(served, 2)
            async with served.listening(last_event_id="9000") as events:
                gap = await anext(events)
                await emit(served, 1)
                following = await anext(events)
    assert gap.event == "gap"
    assert gap.data["type"] == "gap"
    assert gap.data["from"] == 9000
    assert following.event == "session.updated"
    assert int(following.id) == gap.data["to"] + 1


async def test_events_the_store_has_forgotten_are_told_as_a_gap() -> None:
    ring, store = EventRing(max_frames=2), MemoryStore(keep_events=10)
    for number in range(1, 51):
        await store.submit(AppendEvent(SessionUpdated(process_id="p"))).wait()
        ring.append(event_frame(SessionUpdated(process_id="p", id=number)))
    ring.close()
    with trio.fail_after(5):
        async with EventBody(ring, EventFeed(ring, store, event_filter("", None, None), 3)) as body:
            text = b"".join([chunk async for chunk in body]).decode()
    assert '"type":"gap","from":4,"to":40}\nid: 40\n' in text
    assert [line for line in text.splitlines() if line.startswith("id: ")] == [f"id: {n}" for n in range(40, 51)]


async def test_a_listener_too_many_is_told_to_come_back(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(limits={"subscribers": 1}) as served:
            async with served.listening():
                answer = await served.http.get("/api/events")
            assert (answer.status_code, answer.json()["code"]) == (503, "too_many_subscribers")
            assert answer.headers["retry-after"]


async def test_listeners_that_have_left_are_not_counted(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(limits={"subscribers": 1}) as served:
            for _ in range(3):
                async with served.listening() as events:
                    await emit(served, 1)
                    await anext(events)
                # The server notices the closed connection on its own time.
                while (await served.http.head("/api/events")).status_code == 503:
                    await trio.lowlevel.checkpoint()


async def test_silence_is_broken_by_heartbeats(autojump_clock: trio.testing.MockClock) -> None:
    ring = EventRing()
    feed = EventFeed(ring, MemoryStore(), event_filter("process.*", None, None), None)
    with trio.fail_after(100):
        async with trio.open_nursery() as nursery, EventBody(ring, feed) as body:
            nursery.start_soon(ring.beat)
            assert ring.listeners == 1
            assert await anext(body) == b": connected\n\n"
            assert await anext(body) == b": heartbeat\n\n"
            assert trio.current_time() == pytest.approx(15)
            ring.append(EventFrame(1, "session.updated", None, None, b"unwanted"))
            await trio.sleep(10)
            ring.append(EventFrame(2, "session.updated", None, None, b"unwanted"))
            assert await anext(body) == b": heartbeat\n\n"
            assert trio.current_time() == pytest.approx(30)
            ring.append(EventFrame(3, "process.started", None, None, b"wanted"))
            assert await anext(body) == b"wanted"
            nursery.cancel_scope.cancel()
    assert ring.listeners == 0


async def test_text_deltas_are_never_in_the_event_stream(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            async with served.listening() as events:
                await emit(served, 3, TextDelta)
                await emit(served, 1)
                assert (await anext(events)).event == "session.updated"


async def test_after_a_restart_everything_younger_than_the_limit_is_replayed_and_what_was_dropped_is_a_gap(
    serving: Any, tmp_path: Path
) -> None:
    store, day = tmp_path / "events.db", 86_400.0
    with trio.fail_after(30):
        async with serving(store=store) as served:
            for number in range(6):
                served.app.orch.bus.emit(SessionUpdated(session_id=str(number)))
        now = time.time()
        with closing(sqlite3.connect(store)) as db:
            first = db.execute("SELECT min(id) FROM event").fetchone()[0]
            for offset, age in enumerate((40, 31, 29, 8, 6.9, 0)):
                db.execute("UPDATE event SET at = ? WHERE id = ?", (now - age * day, first + offset))
            db.commit()
        async with serving(store=store) as served:
            served.app.orch.bus.emit(SessionUpdated(session_id="new"))
            while (await served.app.store.events_after(0, limit=1))[0].id <= first + 1:
                await trio.lowlevel.checkpoint()  # the writer drops them behind its next commit
            async with served.listening(last_event_id=str(first)) as events:
                gap, *rest = [await anext(events) for _ in range(5)]
    assert gap.data == {"type": "gap", "from": first + 1, "to": first + 1}
    assert [int(frame.id) for frame in rest][:4] == [first + 2, first + 3, first + 4, first + 5]

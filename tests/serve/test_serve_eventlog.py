"""The log of past events over a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from vega_trio.testing import MemoryStore

pytestmark = pytest.mark.e2e


async def get(served: Any, expected: int = 200, **query: str) -> Any:
    answer = await served.http.get("/api/events/log", params=query)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def walk(served: Any, path: str) -> list[dict[str, Any]]:
    """All pages."""
    events = []
    while path:
        page = await served.http.get(path)
        assert page.status_code == 200, page.text
        events += page.json()
        path = page.links["next"]["url"] if "next" in page.links else ""
    return events


async def test_the_log_shows_events_newest_first_and_by_what_is_asked_for(serving: Any, tmp_path: Path) -> None:
    with trio.fail_after(30):
        async with serving(["a", "b"], store=tmp_path / "vega.db") as served:
            assert await get(served) == []
            await served.chat("x")
            await served.chat("y", agent="reviewer")
            everything = await get(served)
            turns = await get(served, type="turn.*,process.completed")
            reviewer = await get(served, agent="reviewer")
            mine = await get(served, process_id=everything[-1]["process_id"])
            middle = everything[3]["timestamp"]
            before = await get(served, until=middle)
            after = await get(served, since=middle)
            async with served.listening({"last-event-id": "0"}) as frames:
                streamed = [await anext(frames) for _ in everything]
    assert [each["id"] for each in everything] == list(range(len(everything), 0, -1))
    assert [{key: each[key] for key in each if key != "id"} for each in everything] == [
        frame.data for frame in reversed(streamed)
    ]
    assert {each["type"] for each in turns} == {"turn.started", "turn.finished"}
    assert {each["agent"] for each in reviewer} == {"reviewer"}
    assert {each["agent"] for each in mine} == {"assistant"}
    # The times that are shown are cut to milliseconds, so events of the same one may stand on either side.
    assert len(before) + len(after) == len(everything)


@pytest.mark.parametrize("keep", [10_000, 7])
async def test_the_log_is_walked_page_by_page_to_its_beginning(serving: Any, keep: int) -> None:
    with trio.fail_after(30):
        async with serving(["a", "b", "c"], store=MemoryStore(keep_events=keep)) as served:
            for _ in range(3):
                await served.chat("x")
            everything = await get(served)
            assert await walk(served, "/api/events/log?limit=2") == everything
            assert await walk(served, "/api/events/log?limit=1&type=turn.finished") == [
                each for each in everything if each["type"] == "turn.finished"
            ]
    assert len(everything) == min(keep, 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [("since", "yesterday"), ("until", "2026-11-22T10:15:30"), ("type", "*x"), ("limit", "0"), ("cursor", "x")],
)
async def test_what_cannot_be_asked_for_is_refused_by_name(serving: Any, name: str, value: str) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            problem = await get(served, 400, **{name: value})
    assert problem["field"] == name

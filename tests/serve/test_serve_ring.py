"""The ring of newest events."""

from __future__ import annotations

import trio
import trio.testing

from vega_trio.serve.ring import MOST_SHARED, EventFrame, EventRing


def event(number: int, size: int = 1) -> EventFrame:
    return EventFrame(number, "t", None, None, b"x" * size)


def ids(frames: list[EventFrame] | None) -> list[int]:
    assert frames is not None
    return [each.id for each in frames]


def filled(*numbers: int, **limits: int) -> EventRing:
    ring = EventRing(**limits)
    for number in numbers:
        ring.append(event(number))
    return ring


def test_a_listener_gets_everything_after_its_cursor() -> None:
    ring = filled(1, 2, 3)
    assert ids(ring.after(0)) == [1, 2, 3]
    assert ids(ring.after(2)) == [3]
    assert ids(ring.after(3)) == []


def test_one_who_was_left_behind_is_sent_to_the_store() -> None:
    ring = filled(1, 2, 3, 4, max_frames=2)
    assert ring.after(1) is None
    assert ids(ring.after(2)) == [3, 4]


def test_large_events_push_old_ones_out_too() -> None:
    ring = EventRing(max_bytes=10)
    for number in (1, 2, 3):
        ring.append(event(number, size=4))
    assert ring.start == 1
    assert ids(ring.after(1)) == [2, 3]
    ring.append(event(4, size=11))
    assert ring.start == 4


def test_what_the_store_had_at_the_start_is_not_taken_again() -> None:
    ring = EventRing()
    ring.restart(5)
    ring.append(event(5))
    ring.append(event(6))
    assert ids(ring.after(5)) == [6]
    assert ring.after(4) is None


def test_who_wants_the_same_of_the_latest_burst_is_given_the_same_bytes() -> None:
    ring = filled(1, 2)
    ring.extend([event(3), event(4, size=2)])
    first, second = (ring.chunk(2, "all", lambda each: True) for _ in range(2))
    assert first == b"xxx"
    assert first is second
    assert ring.chunk(2, "long", lambda each: len(each.data) > 1) == b"xx"
    assert ring.chunk(0, "all", lambda each: True) == b"xxxxx", "who is behind gets more"
    ring.append(event(5))
    assert ring.chunk(4, "all", lambda each: True) == b"x", "what was shared is of that burst alone"


def test_no_more_chunks_are_kept_than_there_may_be() -> None:
    ring = filled(1)
    for kind in range(2 * MOST_SHARED):
        assert ring.chunk(0, kind, lambda each: True) == b"x"
    assert len(ring._shared) == MOST_SHARED


async def test_news_wakes_all_who_wait() -> None:
    ring = EventRing()
    woken = []

    async def listener(name: str) -> None:
        await ring.news(0)
        woken.append(name)

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listener, "a")
            nursery.start_soon(listener, "b")
            await trio.testing.wait_all_tasks_blocked()
            ring.append(event(1))
    assert sorted(woken) == ["a", "b"]


async def test_nobody_waits_for_a_closed_ring() -> None:
    ring = EventRing()
    ring.close()
    with trio.fail_after(5):
        await ring.news(0)

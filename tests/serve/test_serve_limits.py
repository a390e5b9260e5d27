"""Limits at the doors, and topics of the event stream, over a real server."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from vega_trio.serve.rates import MOST_KEYS, Rate

pytestmark = pytest.mark.e2e


@given(st.lists(st.floats(0, 2), max_size=60), st.integers(1, 20), st.integers(1, 20))
def test_a_rate_never_lets_more_through_than_the_burst_and_what_time_has_brought(
    pauses: list[float], per_s: int, burst: int
) -> None:
    rate, now, taken = Rate(per_s, burst), 0.0, 0
    for pause in pauses:
        now += pause
        wait = rate.take("a", now)
        assert wait >= 0
        taken += wait == 0
        assert taken <= burst + now * per_s + 1e-6


def test_who_has_waited_long_enough_may_go_on_and_others_are_not_concerned() -> None:
    rate = Rate(2, 1)
    assert rate.take("a", 0.0) == 0
    assert rate.take("b", 0.0) == 0
    assert rate.take("a", 0.1) == pytest.approx(0.4)
    assert rate.take("a", 0.5) == 0


def test_a_rate_remembers_only_those_that_matter() -> None:
    rate = Rate(1, 1)
    for number in range(MOST_KEYS):
        rate.take(str(number), 0.0)
    assert rate.take("next", 100.0) == 0
    assert rate.take("next", 100.0) > 0


async def test_a_user_begins_only_so_many_turns_within_a_minute(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["a", "b", "c"], limits={"turns_per_min": 2}) as served:
            path = "/api/agents/assistant/chat"
            answers = [await served.http.post(path, json={"message": "x"}) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[-1].json()["code"] == "too_many_turns"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 31


async def test_an_address_asks_only_so_often_unless_it_needs_no_credentials(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True, limits={"requests_per_s": 5}) as served:
            codes = [(await served.http.get("/healthz")).status_code for _ in range(20)]
        async with serving(limits={"requests_per_s": 5}) as served:
            free = {(await served.http.get("/healthz")).status_code for _ in range(20)}
    assert codes[:5] == [200] * 5
    assert 429 in codes
    assert free == {200}


async def test_an_address_has_only_so_many_connections(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True, limits={"connections": 2}) as served:
            streams = [await trio.open_tcp_stream("127.0.0.1", served.port) for _ in range(2)]
            await trio.testing.wait_all_tasks_blocked()
            asked = f"GET /healthz HTTP/1.1\r\nhost: localhost:{served.port}\r\nconnection: close\r\n\r\n".encode()
            refused = await served.raw(asked)
            for stream in streams:
                await stream.aclose()
            while (answer := await served.raw(asked)).startswith(b"HTTP/1.1 429"):
                await trio.lowlevel.checkpoint()
    assert refused.startswith(b"HTTP/1.1 429")
    assert b"retry-after: 1" in refused
    assert answer.startswith(b"HTTP/1.1 200")


async def test_the_mailbox_of_a_document_is_that_large(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hi"], limits={"mailbox": 7}) as served:
            await served.chat("x")
            [process] = (await served.http.get("/api/processes")).json()
            detail = (await served.http.get(f"/api/processes/{process['id']}")).json()
    assert detail["mailbox"] == {"length": 0, "capacity": 7}


# -- topics


async def test_a_tab_follows_events_a_chat_and_the_figures_over_one_connection(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["one two"]) as served:
            session = (await served.http.post("/api/sessions", json={"agent": "assistant"})).json()["id"]
            heard: list[Any] = []
            async with served.listening(topics=f"chat:{session},stats") as events:
                await served.chat("x")
                async for frame in events:
                    heard.append(frame)
                    kinds = {each.event for each in heard}
                    if {"done", "turn.finished", "stats"} <= kinds:
                        break
    chat = [each for each in heard if each.data.get("topic") == f"chat:{session}"]
    assert "".join(each.data.get("delta", "") for each in chat) == "one two"
    assert all(not each.id for each in chat)
    ids = [int(each.id) for each in heard if each.id]
    assert ids == sorted(set(ids))


async def test_unknown_topics_and_other_users_chats_are_refused(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hi"], token=True) as served:
            made = await served.http.post("/api/tokens", json={"user": "bob"}, headers=served.operator)
            bob = {"authorization": f"Bearer {made.json()['token']}"}
            made = await served.http.post("/api/sessions", json={"agent": "assistant"}, headers=served.operator)
            theirs = await served.http.get(f"/api/events?topics=chat:{made.json()['id']}", headers=bob)
            unknown = await served.http.get("/api/events?topics=moon", headers=bob)
    assert (theirs.status_code, unknown.status_code) == (404, 400)

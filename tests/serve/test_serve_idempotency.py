"""A POST that is sent again under its key is answered again and done once, over a real server."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from refusing import RefusingStore

from vega_trio.changes import Put
from vega_trio.errors import ModelError
from vega_trio.protocols import ModelRequest
from vega_trio.serve.idempotency import KEEP_S, TIDY_S, Ledger
from vega_trio.session import ErrorClass
from vega_trio.testing import MemoryStore, ScriptedModel

pytestmark = pytest.mark.e2e
CHAT = "/api/agents/assistant/chat"


async def post(served: Any, path: str, body: object, key: str, **headers: str) -> Any:
    return await served.http.post(path, json=body, headers={"idempotency-key": key, **headers})


async def test_the_same_request_is_answered_again_and_done_once(serving: Any, tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    with trio.fail_after(30):
        async with serving(["only once"], store=path) as served:
            first = await post(served, CHAT, {"message": "x"}, "k1")
            again = await post(served, CHAT, {"message": "x"}, "k1")
            other = await post(served, CHAT, {"message": "y"}, "k1")
            made = [await post(served, "/api/sessions", {"agent": "assistant"}, "k2") for _ in range(2)]
        async with serving([], store=path) as served:
            after = await post(served, CHAT, {"message": "x"}, "k1")
            said = (await served.http.get(CHAT)).json()
            sessions = (await served.http.get("/api/sessions")).json()
    assert (first.status_code, first.json()["response"]) == (200, "only once")
    assert "idempotency-replayed" not in first.headers
    assert after.status_code == again.status_code == 200, (again.text, after.text)
    assert again.headers["idempotency-replayed"] == after.headers["idempotency-replayed"] == "true"
    assert again.content == after.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert len({each.json()["id"] for each in made}) == 1
    assert len(sessions) == 2
    assert said == [] or len(said) == 2


async def test_a_stream_is_replayed_whole(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["one two three"]) as served:
            first, again = [await post(served, f"{CHAT}/stream", {"message": "x"}, "k") for _ in range(2)]
    assert first.content == again.content
    assert b"event: done" in again.content
    assert again.headers["content-type"].startswith("text/event-stream")


async def test_while_the_first_is_being_done_the_second_is_refused_and_a_client_that_leaves_changes_nothing(
    serving: Any,
) -> None:
    reached, go = trio.Event(), trio.Event()

    async def wait(request: ModelRequest) -> str:
        reached.set()
        await go.wait()
        return "done"

    with trio.fail_after(30):
        async with serving(ScriptedModel([wait])) as served:
            async with trio.open_nursery() as nursery:
                with trio.CancelScope() as client:
                    nursery.start_soon(post, served, CHAT, {"message": "x"}, "k")
                    await reached.wait()
                    busy = await post(served, CHAT, {"message": "x"}, "k")
                    nursery.cancel_scope.cancel()
            assert not client.cancelled_caught
            go.set()
            while (answer := await post(served, CHAT, {"message": "x"}, "k")).status_code == 409:
                await trio.lowlevel.checkpoint()
    assert (busy.status_code, busy.json()["code"], busy.headers["retry-after"]) == (409, "in_progress", "1")
    assert (answer.status_code, answer.json()["response"]) == (200, "done")
    assert answer.headers["idempotency-replayed"] == "true"


async def test_what_failed_for_a_passing_reason_may_be_tried_again(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving([ModelError("refused", ErrorClass.INVALID_REQUEST), "fine"]) as served:
            failed = await post(served, CHAT, {"message": "x"}, "k")
            wrong = [await post(served, CHAT, {"massage": "x"}, "w") for _ in range(2)]
            keyless = await post(served, CHAT, {"message": "x"}, "k" * 256)
            again = await post(served, CHAT, {"message": "x"}, "k")
    assert (failed.status_code, again.status_code) == (502, 200)
    assert [each.status_code for each in wrong] == [400, 400]
    assert wrong[1].headers["idempotency-replayed"] == "true"
    assert keyless.status_code == 400


async def test_a_key_is_its_users_own(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["a", "b"], token=True) as served:
            made = await served.http.post("/api/tokens", json={"user": "bob"}, headers=served.operator)
            bob = {"authorization": f"Bearer {made.json()['token']}"}
            mine = await post(served, CHAT, {"message": "x"}, "k", **served.operator)
            theirs = await post(served, CHAT, {"message": "x"}, "k", **bob)
    assert (mine.json()["response"], theirs.json()["response"]) == ("a", "b")


async def test_what_cannot_be_written_down_is_not_done_and_ends_no_server(serving: Any) -> None:
    store = RefusingStore()
    with trio.fail_after(30):
        async with serving(["done"], store=store) as served:
            store.refuses = lambda change: "request" in repr(change)
            refused = await post(served, CHAT, {"message": "x"}, "k1")
            store.refuses = lambda change: False
            again = await post(served, CHAT, {"message": "x"}, "k1")
    assert (refused.status_code, refused.json()["code"]) == (507, "read_only")
    assert (again.status_code, again.json().get("response")) == (200, "done")


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(serving: Any) -> None:
    store = RefusingStore()
    with trio.fail_after(30):
        async with serving(["done"], store=store) as served:
            store.refuses = lambda change: "request" in repr(change) and "'status': 200" in repr(change)
            first = await post(served, CHAT, {"message": "x"}, "k1")
            assert (await served.http.get("/healthz")).status_code == 200
    assert (first.status_code, first.json()["response"]) == (200, "done")


async def test_answers_are_forgotten_after_a_day_while_the_server_runs(
    autojump_clock: trio.testing.MockClock,
) -> None:
    store = MemoryStore()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Ledger(store, nursery).tidy)
        await trio.sleep(1)
        for number in range(50):
            at = time.time() - (KEEP_S + 60 if number % 2 else 60)
            await store.submit(Put("request", str(number), {"id": str(number), "at": at})).wait()
        await trio.sleep(TIDY_S)
        nursery.cancel_scope.cancel()
    assert {int(row["id"]) % 2 for row in await store.records.query("request")} == {0}
    assert len(await store.records.query("request")) == 25

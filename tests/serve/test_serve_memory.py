"""Whose memory the routes show and forget."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from vega_trio.app.user_layers import layer_key
from vega_trio.changes import Put

pytestmark = pytest.mark.e2e
PATH = "/api/agents/assistant/memory"
AT = "2026-01-02T03:04:05Z"


async def _fill(app: Any, user: str) -> dict[str, str]:
    layer = {"user_id": user, "agent": "assistant", "layer": "notes", "content": f"of {user}"}
    layer |= {"created_at": AT, "updated_at": AT}
    row = {"kind": "layer", "seen": [], **layer}
    await app.store.submit(Put("user_memory", layer_key(user, "assistant", "notes"), row)).wait()
    await app.memories.of("assistant", user).keep("1", f"of {user}", "", ())
    return layer


async def test_an_owner_reads_and_forgets_the_memory_of_the_user_he_names(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            ann, bob = [await _fill(served.app, user) for user in ("ann", "bob")]
            for path in (f"{PATH}?user=ann", "/api/agents/assistant:ann/memory", f"{PATH}?user=ann&x=1"):
                shown = (await served.http.get(path)).json()
                assert shown == {"user_id": "ann", "agent": "assistant", "layers": [ann]}
            gone = await served.http.delete("/api/agents/assistant:ann/memory")
            assert gone.json() == {"status": "deleted"}
            assert (await served.http.get(f"{PATH}?user=ann")).json()["layers"] == []
            assert await served.app.memories.of("assistant", "ann").items() == []
            assert (await served.http.get(f"{PATH}?user=bob")).json()["layers"] == [bob]
            assert len(await served.app.memories.of("assistant", "bob").items()) == 1


async def test_a_viewer_sees_his_own_and_that_of_nobody_else(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True) as served:
            layers = {user: await _fill(served.app, user) for user in ("ann", "bob")}
            _, secret = await served.door.tokens.add("ann", "viewer")
            headers = {"authorization": f"Bearer {secret}"}
            own = await served.http.get(PATH, headers=headers)
            assert own.json() == {"user_id": "ann", "agent": "assistant", "layers": [layers["ann"]]}
            for path in (f"{PATH}?user=bob", "/api/agents/assistant:bob/memory"):
                assert (await served.http.get(path, headers=headers)).status_code == 404
            assert (await served.http.delete(PATH, headers=headers)).status_code == 403
            assert (await served.http.get(PATH)).status_code == 401


async def test_two_users_in_one_request_and_what_is_no_user_are_refused(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            for path in ("/api/agents/assistant:ann/memory?user=bob", f"{PATH}?user={'x' * 129}", f"{PATH}?user=%00"):
                assert (await served.http.delete(path)).status_code == 400
            assert (await served.http.get("/api/agents/nosuch:ann/memory")).status_code == 404

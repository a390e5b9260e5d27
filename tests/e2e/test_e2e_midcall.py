"""A server killed in the middle of tool calls: one that may be repeated is, the other is told to be unknown."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from served import served
from torture import DOCUMENT, MODEL, Ledger, answer
from wire import Gone, fetch

from vega_trio._core.history import UNKNOWN_OUTCOME
from vega_trio.testing import FakeMessagesServer

pytestmark = pytest.mark.e2e

CHAT = "/api/agents/worker/chat"


@attrs.define
class Hanging(Ledger):
    """Notes the effects of the first two calls and answers neither."""

    entered: trio.Event = attrs.field(factory=trio.Event)

    async def serve(self, stream: trio.SocketStream) -> None:
        if self.entered.is_set():
            await Ledger.serve(self, stream)
            return
        async with stream:
            head = (await stream.receive_some(65536)).decode()
            key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("idempotency-key"))
            self.effects[head.split()[1].split("?")[0].strip("/"), key] += 1
            if len(self.effects) == 2:
                self.entered.set()
            await trio.sleep_forever()


async def _ask(url: str) -> None:
    with pytest.raises(Gone):
        await fetch(url, CHAT, {"message": "go"})


async def _over(url: str) -> list[dict[str, Any]]:
    """The history, once the turn has ended."""
    while (await fetch(url, f"{CHAT}/status"))[1]["streaming"]:  # noqa: ASYNC110 - another program's
        await trio.sleep(0.05)
    history: list[dict[str, Any]] = (await fetch(url, CHAT))[1]
    return history


async def test_a_call_cut_short_is_repeated_or_told_to_be_unknown(tmp_path: Path) -> None:
    ledger, document, database = Hanging(), tmp_path / "torture.vega.yaml", tmp_path / "vega.db"
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery, FakeMessagesServer(answer) as models:
            listeners = await nursery.start(partial(trio.serve_tcp, ledger.serve, 0, host="127.0.0.1"))
            document.write_text(DOCUMENT.format(port=listeners[0].socket.getsockname()[1]))
            env = {"ANTHROPIC_BASE_URL": models.base_url, "ANTHROPIC_API_KEY": "sk-test"}
            with served(document, database, model=MODEL, env=env) as (process, url):
                nursery.start_soon(_ask, url)
                await ledger.entered.wait()
                ((before,),) = (await fetch(url, "/api/processes"))[1:]
                process.kill()
            with served(document, database, model=MODEL, env=env) as (_, url):
                asked, answered = await _over(url)
                ((after,),) = (await fetch(url, "/api/processes"))[1:]
            nursery.cancel_scope.cancel()
    assert (after["id"], after["incarnation"]) == (before["id"], before["incarnation"] + 1)
    assert asked["content"] == "go"
    assert [call["result"] for call in answered["tool_calls"]] == [UNKNOWN_OUTCOME, "done"]
    assert sorted((name, count) for (name, _), count in ledger.effects.items()) == [("act", 1), ("look", 2)]
    with closing(sqlite3.connect(database)) as conn:
        found = conn.execute("SELECT kind, name, state, attempts FROM op ORDER BY seq").fetchall()
    model = f"anthropic:{MODEL}"
    assert found == [
        ("llm", model, "done", 1),
        ("tool", "act", "unknown", 1),
        ("tool", "look", "done", 2),
        ("llm", model, "done", 1),
    ]
    assert len(models.requests) == 2  # the call that was finished was not made again

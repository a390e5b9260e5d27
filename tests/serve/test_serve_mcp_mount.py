"""`/mcp`: agents and workflows as tools of an MCP client over HTTP, behind the same guard and door as the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio

import vega_trio as vega
from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.e2e

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
ACCEPT = {"accept": "application/json, text/event-stream"}


async def test_agents_and_workflows_are_tools_of_a_client(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hello", "again", "a draft", "fine"]) as served:
            async with vega.open_mcp(name="us", url=f"http://127.0.0.1:{served.port}/mcp") as source:
                assert set(source.tools) == {"us__assistant", "us__reviewer", "us__review"}
                schema = source.tools["us__review"].spec.parameters
                assert schema["properties"]["rounds"] == {"type": "integer", "default": 1, "minimum": 1}
                assert schema["required"] == ["task"]
                assert await source.call_tool("assistant", {"message": "hi"}) == "hello"
                assert await source.call_tool("assistant", {"message": "more"}) == "again"
                assert await source.call_tool("review", {"task": "a poem"}) == "fine"
                with pytest.raises(vega.ToolError, match="not empty"):
                    await source.call_tool("assistant", {"message": " "})
            mine = await served.http.get("/api/agents/assistant/chat")
            assert mine.json() == [], "a guest's conversation is nobody's newest"


async def rpc(served: Any, method: str, params: dict[str, Any], headers: dict[str, str]) -> Any:
    """One request of revision 2025-11-25; its answer comes as the only event of a stream."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = await served.http.post("/mcp", json=message, headers=ACCEPT | headers)
    assert answer.status_code == 200, answer.text
    data = next(line for line in answer.text.splitlines() if line.startswith("data: {"))
    return json.loads(data.removeprefix("data: ")), answer


async def test_a_session_has_one_conversation_with_an_agent_and_a_call_without_one_leaves_none(serving: Any) -> None:
    model = ScriptedModel(["one", "two", "three"])
    with trio.fail_after(30):
        async with serving(model) as served:
            _, opened = await rpc(served, "initialize", INITIALIZE["params"], {})
            session = {"mcp-session-id": opened.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25"}
            initialized = {"jsonrpc": "2.0", "method": "notifications/initialized"}
            await served.http.post("/mcp", json=initialized, headers=ACCEPT | session)
            for said in ("one", "two"):
                call = {"name": "assistant", "arguments": {"message": "hi"}}
                answer, _ = await rpc(served, "tools/call", call, session)
                assert answer["result"]["content"] == [{"type": "text", "text": said}]
            assert [message.text for message in model.requests[1].messages] == ["hi", "one", "hi"]
            assert len(await served.app.archive.page("default", 9)) == 1
            async with vega.open_mcp(name="us", url=f"http://127.0.0.1:{served.port}/mcp") as source:
                assert await source.call_tool("assistant", {"message": "hello"}) == "three"
            assert [message.text for message in model.requests[2].messages] == ["hello"]
            assert len(await served.app.archive.page("default", 9)) == 1
            assert sum(process.agent is not None for process in served.app.orch.processes()) == 1


async def test_without_the_token_there_is_no_mcp_and_with_it_there_is(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hello"], token=True) as served:
            url = f"http://127.0.0.1:{served.port}/mcp"
            for headers in ({}, {"authorization": "Bearer wrong"}):
                answer = await served.http.post("/mcp", json=INITIALIZE, headers=ACCEPT | headers)
                assert answer.status_code == 401
            async with vega.open_mcp(name="us", url=url, headers=served.operator) as source:
                assert await source.call_tool("assistant", {"message": "hi"}) == "hello"


async def test_a_run_is_its_callers_own(serving: Any) -> None:
    """So is what it remembers, and nobody else sees it."""
    with trio.fail_after(30):
        async with serving(["a draft", "fine"], token=True) as served:
            made = await served.http.post("/api/tokens", json={"user": "ann"}, headers=served.operator)
            ann = {"authorization": f"Bearer {made.json()['token']}"}
            async with vega.open_mcp(name="us", url=f"http://127.0.0.1:{served.port}/mcp", headers=ann) as source:
                assert await source.call_tool("review", {"task": "a poem"}) == "fine"
            [run] = (await served.http.get("/api/runs", headers=ann)).json()
            assert (await served.app.run(run["run_id"]))["user"] == "ann"


async def test_a_server_for_looking_only_serves_no_mcp(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(read_only=True) as served:
            answer = await served.http.post("/mcp", json=INITIALIZE, headers=ACCEPT)
            assert answer.status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "text/plain"}, 415),
    ],
)
async def test_pages_of_others_cannot_reach_it(serving: Any, headers: dict[str, str], status: int) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            answer = await served.http.post("/mcp", json=INITIALIZE, headers=ACCEPT | headers)
            assert answer.status_code == status, answer.text
            if status != 415:
                assert (await served.http.get("/mcp", headers=ACCEPT | headers)).status_code == status


async def test_nonsense_is_a_clean_refusal(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            for content in (b"", b"{", b"[]", b'{"jsonrpc": "2.0"}', b"null"):
                headers = ACCEPT | {"content-type": "application/json"}
                answer = await served.http.post("/mcp", content=content, headers=headers)
                assert 400 <= answer.status_code < 500, (content, answer.text)
            assert (await served.http.put("/mcp", json={})).status_code == 405


async def test_a_call_that_its_client_cancels_stops_the_turn(serving: Any) -> None:
    started = trio.Event()

    async def slow() -> str:
        """Takes for ever."""
        started.set()
        await trio.sleep_forever()
        return ""

    with trio.fail_after(20):
        async with serving([[vega.ToolCall("c1", "slow", {})]], tools=[slow]) as served:
            async with vega.open_mcp(name="us", url=f"http://127.0.0.1:{served.port}/mcp") as source:
                async with served.app.subscribe(types=["turn.cancelled"]) as events, trio.open_nursery() as nursery:
                    nursery.start_soon(source.call_tool, "assistant", {"message": "go"})
                    await started.wait()
                    nursery.cancel_scope.cancel()
                    with trio.CancelScope(shield=True), trio.fail_after(5):
                        await anext(aiter(events))

"""The routes of MCP servers, with a real server behind them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import trio

pytestmark = pytest.mark.e2e

HOSTILE = Path(__file__).parent.parent / "mcp" / "hostile.py"


def body(name: str = "extra", mode: str = "plain", **more: Any) -> dict[str, Any]:
    return {"name": name, "command": sys.executable, "args": ["-I", "-S", str(HOSTILE), mode], **more}


async def ask(served: Any, method: str, path: str, expected: int = 200, json: Any = None) -> Any:
    answer = await served.http.request(method, f"/api/mcp/{path}", json=json)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def test_without_servers_the_list_is_empty_and_the_registry_is_not(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            assert await ask(served, "GET", "servers") == []
            known = {entry["name"]: entry for entry in await ask(served, "GET", "registry")}
    assert known["filesystem"]["connected"] is False
    assert known["github"]["required_env"] == ["GITHUB_PERSONAL_ACCESS_TOKEN"]


async def test_a_command_outside_the_registry_needs_the_owners_permission(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            refused = await ask(served, "POST", "servers", 403, body())
            assert "--allow-mcp-commands" in refused["hint"]
            sly = {"name": "memory", "env": {"NODE_OPTIONS": "--require=/tmp/evil.js"}}
            await ask(served, "POST", "servers", 403, sly)
            assert await ask(served, "GET", "servers") == []


async def test_a_server_is_added_listed_changed_switched_and_deleted(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            served.app.mcp.any_command = True
            added = await ask(served, "POST", "servers", 201, body(env={"TOKEN": "canary"}, timeout=5))
            assert added == {"name": "extra", "connected": True, "tools": ["echo", "read"]}
            (entry,) = await ask(served, "GET", "servers")
            assert entry == {
                "name": "extra",
                "connected": True,
                "transport": "stdio",
                "command": sys.executable,
                "tools": ["echo", "read"],
                "restarts": 0,
                "source": "api",
            }
            config = await served.http.get("/api/mcp/servers/extra/config")
            assert "canary" not in config.text
            assert config.json()["env_keys"] == ["TOKEN"]
            changed = await ask(served, "PUT", "servers/extra/config", 200, {"env": {"MORE": "x", "TOKEN": None}})
            assert changed["env_keys"] == ["MORE"]
            assert changed["timeout"] == 5
            off = await ask(served, "PUT", "servers/extra/disable", 200, {"disabled": True})
            assert off == {"name": "extra", "connected": False, "disabled": True}
            on = await ask(served, "PUT", "servers/extra/disable", 200, {"disabled": False})
            assert on["connected"]
            assert (await ask(served, "POST", "servers/extra/refresh", 200, {}))["connected"]
            await ask(served, "POST", "servers", 409, body())
            assert await ask(served, "DELETE", "servers/extra") == {"status": "deleted"}
            await ask(served, "DELETE", "servers/extra", 404)


async def test_a_server_that_cannot_be_connected_is_added_and_says_why(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            served.app.mcp.any_command = True
            added = await ask(served, "POST", "servers", 201, body(mode="dead"))
            assert (added["connected"], "no licence" in added["error"]) == (False, True)
            (entry,) = await ask(served, "GET", "servers")
            assert "no licence" in entry["error"]


async def test_changed_definitions_are_listed_and_approved(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            served.app.mcp.any_command = True
            await ask(served, "POST", "servers", 201, body(mode="plain"))
            hidden = ["-I", "-S", str(HOSTILE), "hidden"]
            await ask(served, "PUT", "servers/extra/config", 200, {"args": hidden})
            (entry,) = await ask(served, "GET", "servers")
            assert (entry["tools"], entry["changed"]) == (["read"], ["echo"])
            approved = await ask(served, "POST", "servers/extra/approve", 200, {"tools": ["echo"]})
            assert approved == {"approved": ["echo"]}
            (entry,) = await ask(served, "GET", "servers")
            assert entry["tools"] == ["echo", "read"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a b", "url": "http://127.0.0.1:9/"},
        {"name": "a__b", "url": "http://127.0.0.1:9/"},
        {"name": "nobody-knows-this"},
        {"name": "x", "url": "file:///etc/passwd"},
        {"name": "x", "url": "http://127.0.0.1:9/", "transport": "pigeon"},
        {"name": "x", "url": "http://127.0.0.1:9/", "headers": {"a": "b\r\nc: d"}},
        {"name": "github"},
        {"nam": "x"},
    ],
)
async def test_what_cannot_be_a_server_is_a_clean_400(serving: Any, wrong: dict[str, Any]) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            problem = await ask(served, "POST", "servers", 400, wrong)
            assert problem["error"]
            assert await ask(served, "GET", "servers") == []

"""Every route of the API's description, against a real server: method, path, status, and the shape of the answer.

A shape is what JSON has: a type, a list of one shape, an object whose names ending in `?` are left out when empty,
words in a set, or `...` for anything. Answers may have more fields than the shape, never fewer or others.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

import vega_trio as vega
from vega_trio.protocols import ModelRequest
from vega_trio.testing import ScriptedModel

pytestmark = pytest.mark.e2e

TEXT, COUNT, FLAG = str, int, bool
DOLLARS = SECONDS = float
ANY = ...


class Time:
    """An RFC 3339 time in UTC."""


@attrs.frozen
class Or:
    """One of several shapes; None is null."""

    shapes: tuple[Any, ...]


MAYBE_COUNT = Or((COUNT, None))

STATUSES = {"pending", "running", "completed", "failed", "timeout"}
RUN_STATUSES = {"running", "completed", "failed", "cancelled", "interrupted"}
METRICS = {
    "iterations": COUNT,
    "input_tokens": COUNT,
    "output_tokens": COUNT,
    "cost_usd": DOLLARS,
    "tool_calls": COUNT,
    "errors": COUNT,
    "last_active_at": Time,
}
PROCESS = {
    "id": TEXT,
    "agent": TEXT,
    "task?": TEXT,
    "status": STATUSES,
    "started_at": Time,
    "completed_at?": Time,
    "parent_id?": TEXT,
    "spawn_depth": COUNT,
    "spawn_reason?": TEXT,
    "metrics": METRICS,
    "name?": TEXT,
    "incarnation": COUNT,
    "supervisor?": TEXT,
    "waiting_on?": TEXT,
    "exit_reason?": TEXT,
}
INSIDE = PROCESS | {
    "messages": [{"role": TEXT, "content": TEXT}],
    "mailbox": {"length": COUNT, "capacity": COUNT},
    "links": [TEXT],
    "monitors": [TEXT],
    "restarts": {"count": COUNT, "max": MAYBE_COUNT, "window_s": SECONDS, "next_at?": Time},
    "incarnations": [{"incarnation": COUNT, "started_at": Time}],
    "budget": {"limit_usd?": DOLLARS, "spent_usd": DOLLARS},
    "deadline?": Time,
}
SAID = {"role": {"user", "assistant"}, "content": TEXT, "id": TEXT, "created_at": Time, "tool_calls?": [ANY]}
SESSION = {
    "id": TEXT,
    "agent": TEXT,
    "user": TEXT,
    "title": TEXT,
    "created_at": Time,
    "updated_at": Time,
    "message_count": COUNT,
}
AGENT = {
    "name": TEXT,
    "model?": TEXT,
    "system?": TEXT,
    "tools?": [TEXT],
    "team?": [TEXT],
    "process_id?": TEXT,
    "process_status?": STATUSES,
    "source?": {"composed", "builtin"},
    "display_name?": TEXT,
    "description?": TEXT,
    "streaming?": FLAG,
    "budget?": {"limit_usd?": DOLLARS, "spent_usd": DOLLARS},
}
MADE = {"name": TEXT, "model": TEXT, "tools?": [TEXT], "process_id?": TEXT}
STEP = {
    "path": TEXT,
    "kind": TEXT,
    "agent?": TEXT,
    "status": TEXT,
    "attempts": COUNT,
    "started_at?": Time,
    "duration_ms?": COUNT,
    "cost_usd": DOLLARS,
    "error?": TEXT,
}
RUN = {
    "run_id": TEXT,
    "workflow": TEXT,
    "inputs": {},
    "status": RUN_STATUSES,
    "result??": ANY,
    "error?": TEXT,
    "started_at": Time,
    "completed_at?": Time,
    "cost_usd": DOLLARS,
    "steps": [STEP],
}
WORKFLOW = {"name": TEXT, "description?": TEXT, "steps": COUNT, "inputs?": {}}
INPUT = {"type?": TEXT, "description?": TEXT, "required": FLAG, "default??": ANY, "enum?": [ANY]}
STATS = {
    **dict.fromkeys(
        ("total_processes", "running_processes", "completed_processes", "failed_processes", "total_input_tokens"), COUNT
    ),
    **dict.fromkeys(("total_output_tokens", "total_tool_calls", "total_errors"), COUNT),
    "total_cost_usd": DOLLARS,
    "uptime": TEXT,
}
COSTS = {
    "total_usd": DOLLARS,
    "wasted_usd": DOLLARS,
    "budget": {"limit_usd?": DOLLARS, "spent_usd": DOLLARS},
    "rows": [{"key": TEXT, "cost_usd": DOLLARS, "input_tokens": COUNT, "output_tokens": COUNT, "calls": COUNT}],
}
EVENT = {"type": TEXT, "process_id?": TEXT, "agent?": TEXT, "data": {}, "timestamp": Time}
MCP = {
    "name": TEXT,
    "connected": FLAG,
    "transport?": TEXT,
    "url?": TEXT,
    "command?": TEXT,
    "tools": [TEXT],
    "disabled?": FLAG,
    "error?": TEXT,
    "restarts": COUNT,
}
MCP_STATE = {"name": TEXT, "connected": FLAG, "tools?": [TEXT], "error?": TEXT}
APPROVAL = {
    "id": TEXT,
    "process_id": TEXT,
    "agent": TEXT,
    "tool_name": TEXT,
    "arguments": {},
    "reason": TEXT,
    "created_at": Time,
    "expires_at": Time,
    "status": {"pending", "approved", "denied", "expired", "cancelled"},
}
PROBLEM = {
    "error": TEXT,
    "details??": ANY,
    "code": TEXT,
    "status": COUNT,
    "hint?": TEXT,
    "field?": TEXT,
    "diagnostics?": [ANY],
    "request_id": TEXT,
}
TOKEN = {"id": TEXT, "user": TEXT, "role": {"owner", "viewer"}, "created_at": Time}


def differences(value: Any, shape: Any, at: str = "answer") -> Iterator[str]:
    """Where a JSON value is not of the shape."""
    match shape:
        case Or(shapes=shapes):
            if all(list(differences(value, each, at)) for each in shapes):
                yield f"{at} is {value!r}"
        case None | str():
            if value != shape:
                yield f"{at} is {value!r}, not {shape!r}"
        case set():
            if value not in shape:
                yield f"{at} is {value!r}, not one of {sorted(shape)}"
        case list():
            if not isinstance(value, list):
                yield f"{at} is no list: {value!r}"
            else:
                for number, each in enumerate(value):
                    yield from differences(each, shape[0], f"{at}[{number}]")
        case Mapping():
            yield from _object_differences(value, shape, at)
        case type():
            yield from _type_differences(value, shape, at)


def _object_differences(value: Any, shape: Mapping[str, Any], at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at} is no object: {value!r}"
        return
    for marked, each in shape.items():
        name = marked.rstrip("?")
        if name in value:
            if marked.endswith("?") and not marked.endswith("??") and _is_empty(value[name]):
                yield f"{at}.{name} is empty and there: {value[name]!r}"
            yield from differences(value[name], each, f"{at}.{name}")
        elif marked == name:
            yield f"{at}.{name} is missing"


def _is_empty(value: Any) -> bool:
    """A number is not: a step can take 0 ms."""
    return value in (None, "", [], {}) or value is False


def _type_differences(value: Any, kind: type, at: str) -> Iterator[str]:
    if kind is Time:
        fits = isinstance(value, str) and value.endswith("Z") and datetime.fromisoformat(value) is not None
    elif kind is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not fits:
        yield f"{at} is {value!r}, not {kind.__name__}"


@attrs.frozen
class Asked:
    """A server, asked row by row."""

    served: Any
    headers: dict[str, str] = attrs.field(factory=dict)

    async def __call__(
        self, method: str, path: str, status: int = 200, shape: Any = ANY, *, json: Any = None, code: str = ""
    ) -> Any:
        sent = {"json": json} if json is not None else {}
        answer = await self.served.http.request(method, path, headers=self.headers, **sent)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        assert answer.headers["x-request-id"]
        kind = answer.headers["content-type"]
        if status >= 400:
            assert kind == "application/problem+json", f"{method} {path}: {kind}"
            problem = answer.json()
            found = list(differences(problem, PROBLEM))
            assert problem["status"] == status
            assert next(iter(problem)) == "error"
            assert code in ("", problem["code"]), problem
            if status in (429, 503):
                assert int(answer.headers["retry-after"]) >= 0
        else:
            assert kind == "application/json", f"{method} {path}: {kind}"
            found = list(differences(answer.json(), shape))
            assert b": " not in answer.content.split(b'"', 1)[0], "compact"
        assert not found, f"{method} {path}: {found}"
        return answer.json()


def lookup(word: str) -> str:
    """Looks a word up."""
    return f"{word} is a word"


@vega.tool(approval="always")
async def send_mail(to: str) -> str:
    """Sends a mail."""
    return f"sent to {to}"


def script(request: ModelRequest) -> Any:
    last = request.messages[-1]
    if any(isinstance(part, vega.ToolResult) for part in last.content):
        return "done"
    if "mail" in last.text:
        return vega.ToolCall("t1", "send_mail", {"to": "ann"})
    if "look" in last.text:
        return vega.ToolCall("t2", "lookup", {"word": "tree"})
    return "hello there"


A = "/api/agents/assistant"


async def test_the_chat_routes(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(script, tools=[lookup]) as served:
            ask = Asked(served)
            assert await ask("GET", f"{A}/chat") == []
            await ask("GET", f"{A}/chat/status", 200, {"streaming": FLAG, "turn_id?": TEXT, "queued": COUNT})
            assert await ask("GET", f"{A}/chat/stream") == {"streaming": False}
            metrics = {"input_tokens": COUNT, "output_tokens": COUNT, "cost_usd": ANY, "duration_ms": COUNT}
            answer = {"response": TEXT, "turn_id": TEXT, "metrics": metrics}
            await ask("POST", f"{A}/chat", 200, answer, json={"message": "look"})
            first, second = await ask("GET", f"{A}/chat", 200, [SAID])
            assert (first["role"], second["role"]) == ("user", "assistant")
            assert second["tool_calls"][0]["tool_name"] == "lookup"
            await ask("POST", f"{A}/chat", 400, json={"message": ""})
            await ask("POST", f"{A}/chat", 400, json={"message": "x", "mesage": 1})
            await ask("POST", f"{A}/chat/stream", 400, json={"message": "  "})
            await ask("POST", f"{A}/chat", 413, json={"message": "x" * (256 * 1024 + 1)}, code="too_large")
            for path in ("chat", "chat/status", "chat/stream", "memory"):
                await ask("GET", f"/api/agents/nobody/{path}", 404, code="unknown_agent")
            for path in ("chat", "chat/stream", "chat/stop"):
                await ask("POST", f"/api/agents/nobody/{path}", 404, json={"message": "x"})
            await ask("GET", f"{A}/chat?session=nosuch", 404)
            assert await ask("POST", f"{A}/chat/stop") == {"status": "idle"}
            layers = [dict.fromkeys(("user_id", "agent", "layer", "content"), TEXT)]
            await ask("GET", f"{A}/memory?user=ann", 200, {"user_id": "ann", "agent": "assistant", "layers": layers})
            assert await ask("DELETE", f"{A}/memory?user=ann") == {"status": "deleted"}
            assert await ask("DELETE", f"{A}/chat") == {"status": "cleared"}
            assert await ask("GET", f"{A}/chat") == []


async def test_the_session_routes(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(script, tools=[lookup]) as served:
            ask = Asked(served)
            made = await ask("POST", "/api/sessions", 201, SESSION, json={"agent": "assistant", "title": "One"})
            path = f"/api/sessions/{made['id']}"
            await ask("POST", f"{A}/chat", json={"message": "look", "session": made["id"]})
            [listed] = await ask("GET", "/api/sessions?agent=assistant&q=on", 200, [SESSION])
            assert listed["message_count"] == 2
            assert await ask("GET", "/api/sessions?agent=reviewer") == []
            assert await ask("GET", "/api/sessions?q=two") == []
            await ask("GET", path, 200, SESSION)
            changed = await ask("PATCH", path, 200, SESSION, json={"title": "Two", "archived": True})
            assert changed["title"] == "Two"
            parts = {"role": TEXT, "parts": [ANY], "created_at": Time}
            assert len(await ask("GET", f"{path}/messages", 200, [parts])) == 4
            exported = await served.http.get(f"{path}/export?format=md")
            assert exported.headers["content-disposition"].startswith("attachment")
            assert exported.headers["content-type"].startswith("text/markdown")
            assert (await ask("GET", f"{path}/export?format=json"))["id"] == made["id"]
            await ask("GET", f"{path}/export?format=pdf", 400)
            await ask("PATCH", path, 400, json={})
            await ask("POST", "/api/sessions", 404, json={"agent": "nobody"})
            assert await ask("DELETE", path) == {"status": "deleted"}
            for method, rest in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/messages"), ("GET", "/export")):
                body = {"title": "x"} if method == "PATCH" else None
                await ask(method, path + rest, 404, json=body)


async def test_the_agent_routes(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(script, tools=[lookup], meta=True) as served:
            ask = Asked(served)
            await ask("POST", f"{A}/chat", json={"message": "x"})
            listed = {each["name"]: each for each in await ask("GET", "/api/agents", 200, [AGENT])}
            assert listed["mother"]["source"] == "builtin"
            assert "source" not in listed["assistant"]
            assert listed["assistant"]["process_id"]
            whole = {"name": TEXT, "model": TEXT, "system": TEXT, "tools": [{"name": TEXT, "origin": TEXT}]}
            await ask("GET", A, 200, whole)
            made = {"name": "new", "persona": "Kind.", "team": ["reviewer"], "temperature": 0.5, "max_iterations": 3}
            await ask("POST", "/api/agents", 201, MADE, json=made)
            assert (await ask("GET", "/api/agents/new"))["source"] == "composed"
            for taken in ("new", "assistant", "mother", "hermes"):
                await ask("POST", "/api/agents", 409, json={"name": taken})
            for wrong in ({}, {"name": ""}, {"name": "x", "temperature": "hot"}, {"name": "x", "tools": ["no_such"]}):
                await ask("POST", "/api/agents", 400, json=wrong)
            await ask("PUT", "/api/agents/new", 200, MADE, json={"name": "newer", "system": "Be brief."})
            await ask("GET", "/api/agents/new", 404)
            await ask("PUT", "/api/agents/mother", 403, json={"system": "x"})
            await ask("PUT", "/api/agents/assistant", 409, json={"system": "x"})
            await ask("PUT", "/api/agents/nobody", 404, json={"system": "x"})
            assert await ask("DELETE", "/api/agents/newer") == {"status": "deleted", "name": "newer"}
            assert await ask("DELETE", "/api/agents/reviewer") == {
                "status": "deleted",
                "name": "reviewer",
                "until": "restart",
            }
            for name in ("mother", "hermes"):
                await ask("DELETE", f"/api/agents/{name}", 403)
            await ask("DELETE", "/api/agents/nobody", 404)


async def test_the_process_routes(serving: Any) -> None:
    impact = {"dies": [TEXT], "restarts": [TEXT], "notified": [TEXT]}
    tree = {
        "process_id": TEXT,
        "agent_name": TEXT,
        "task": TEXT,
        "status": STATUSES,
        "spawn_depth": COUNT,
        "spawn_reason?": TEXT,
        "started_at": Time,
        "children?": [ANY],
    }
    child = {"id": TEXT, "restart": TEXT, "status": TEXT, "process_id?": TEXT}
    supervisor = {
        "id": TEXT,
        "strategy": TEXT,
        "restarts_used": COUNT,
        "max_restarts": MAYBE_COUNT,
        "window_s": SECONDS,
        "children": [child],
    }
    with trio.fail_after(30):
        async with serving(script) as served:
            ask = Asked(served)
            await ask("POST", f"{A}/chat", json={"message": "x"})
            [one] = await ask("GET", "/api/processes?status=running&agent=assistant", 200, [PROCESS])
            path = f"/api/processes/{one['id']}"
            await ask("GET", path, 200, INSIDE)
            await ask("GET", "/api/processes?status=nosuch", 400, code="bad_value")
            await ask("GET", "/api/spawn-tree", 200, [tree])
            await ask("GET", "/api/supervisors", 200, [supervisor])
            expected = await ask("GET", f"{path}/impact?action=restart", 200, impact)
            assert expected["restarts"] == [one["id"]]
            await ask("GET", f"{path}/impact?action=dance", 400)
            assert await ask("POST", f"{path}/restart", 202) == {"status": "restarting"}
            assert await ask("POST", f"{path}/stop", 202) == {"status": "idle"}
            [event, *_] = await ask("GET", "/api/events/log?type=turn.finished")
            forked = await ask("POST", f"{path}/fork", 201, PROCESS, json={"at": event["id"], "system": "Anew."})
            await ask("POST", f"{path}/fork", 400, json={"at": 10**9})
            assert (await ask("GET", f"{path}/impact?action=kill", 200, impact))["dies"] == [one["id"]]
            assert await ask("DELETE", path) == {"status": "killed"}
            assert await ask("DELETE", f"/api/processes/{forked['id']}?subtree=true") == {"status": "killed"}
            ended = await ask("GET", path, 200, INSIDE)
            assert ended["status"] == "failed"
            await ask("POST", f"{path}/restart", 409)
            await ask("POST", f"{path}/stop", 409)
            for method, rest in (("GET", ""), ("DELETE", ""), ("GET", "/impact?action=kill"), ("POST", "/restart")):
                await ask(method, f"/api/processes/nosuch{rest}", 404)
            await ask("POST", "/api/processes/nosuch/stop", 404)
            await ask("POST", "/api/processes/nosuch/fork", 404, json={"at": 1})


async def test_the_workflow_routes(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(script) as served:
            ask = Asked(served)
            [review] = await ask("GET", "/api/workflows", 200, [WORKFLOW])
            assert not [each for found in review["inputs"].values() for each in differences(found, INPUT)]
            await ask("GET", "/api/workflows/review", 200, WORKFLOW)
            await ask("GET", "/api/workflows/nosuch", 404)
            run = "/api/workflows/review/run"
            started = {"run_id": TEXT, "status": "running"}
            bare = await ask("POST", run, 202, started, json={"task": "x"})
            waited = await ask("POST", run, 200, RUN, json={"inputs": {"task": "x"}, "wait": 10, "timeout": 20})
            assert waited["result"] == "hello there"
            await ask("POST", run, 400, json={"inputs": {"task": "x"}, "wait": 61})
            for wrong, code in (({}, "V040"), ({"task": "x", "more": 1}, "V041"), ({"task": "x", "rounds": 0}, "V042")):
                await ask("POST", run, 400, json=wrong, code=code)
            await ask("POST", "/api/workflows/nosuch/run", 404, json={})
            assert len(await ask("GET", "/api/runs?workflow=review", 200, [RUN])) == 2
            assert await ask("GET", "/api/runs?status=cancelled") == []
            await ask("GET", "/api/runs?status=nosuch", 400)
            async with served.getting(f"/api/runs/{bare['run_id']}/stream") as frames:
                assert [frame.event async for frame in frames][-1] == "workflow.completed"
            await ask("GET", f"/api/runs/{bare['run_id']}", 200, RUN)
            await ask("POST", f"/api/runs/{bare['run_id']}/cancel", 409)
            for method, rest in (("GET", ""), ("GET", "/stream"), ("POST", "/cancel")):
                await ask(method, f"/api/runs/nosuch{rest}", 404)


async def test_a_run_is_cancelled(serving: Any) -> None:
    async def endless(request: ModelRequest) -> str:
        await trio.sleep_forever()
        raise AssertionError

    with trio.fail_after(30):
        async with serving(endless) as served:
            ask = Asked(served)
            run_id = (await ask("POST", "/api/workflows/review/run", 202, json={"task": "x"}))["run_id"]
            await ask("POST", f"/api/runs/{run_id}/cancel", 202)
            async with served.getting(f"/api/runs/{run_id}/stream") as frames:
                assert [frame.event async for frame in frames][-1] == "workflow.cancelled"
            assert (await ask("GET", f"/api/runs/{run_id}", 200, RUN))["status"] == "cancelled"


async def test_the_routes_that_observe(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(ScriptedModel(script, price=1000)) as served:
            ask = Asked(served)
            await ask("POST", f"{A}/chat", json={"message": "x"})
            stats = await ask("GET", "/api/stats", 200, STATS)
            assert re.fullmatch(r"(\d+h)?(\d+m)?\d+s", stats["uptime"])
            for by in ("agent", "model", "process", "day"):
                assert (await ask("GET", f"/api/costs?by={by}&since=2020-01-01T00:00:00Z", 200, COSTS))["rows"]
            await ask("GET", "/api/costs?by=moon", 400)
            await ask("GET", "/api/costs?since=yesterday", 400)
            query = "type=process.*,turn.finished&agent=assistant&since=2020-01-01T00:00:00Z&until=2100-01-01T00:00:00Z"
            [newest, *_] = events = await ask("GET", f"/api/events/log?{query}", 200, [EVENT])
            assert {"process.started", "turn.finished"} <= {each["type"] for each in events}
            assert all(each["process_id"] == newest["process_id"] for each in events)
            assert await ask("GET", "/healthz") == await ask("GET", "/readyz") == {"status": "ok"}
            metrics = await served.http.get("/metrics")
            assert metrics.headers["content-type"].startswith("text/plain")
            status = await served.http.get("/status")
            docs = await served.http.get("/docs")
            for page in (status, docs):
                assert page.headers["content-type"].startswith("text/html")
                assert "<script" not in page.text
            assert (await ask("GET", "/api/openapi.json"))["openapi"].startswith("3.1")


async def test_the_mcp_routes(serving: Any) -> None:
    hostile = str(Path(__file__).parent.parent / "mcp" / "hostile.py")
    command = {"command": sys.executable, "args": ["-I", "-S", hostile, "plain"], "env": {"KEY": "canary"}}
    with trio.fail_after(30):
        async with serving() as served:
            ask = Asked(served)
            await ask("POST", "/api/mcp/servers", 403, json={"name": "extra", **command})
            served.app.mcp.any_command = True
            await ask("POST", "/api/mcp/servers", 201, MCP_STATE, json={"name": "extra", **command, "timeout": 5})
            await ask("POST", "/api/mcp/servers", 409, json={"name": "extra", **command})
            [one] = await ask("GET", "/api/mcp/servers", 200, [MCP])
            assert one["tools"] == ["echo", "read"]
            registry = {"name": TEXT, "description": TEXT, "required_env?": [TEXT], "connected": FLAG}
            await ask("GET", "/api/mcp/registry", 200, [registry])
            path = "/api/mcp/servers/extra"
            config = await ask("GET", f"{path}/config", 200, {"env_keys": [TEXT]})
            assert config["env_keys"] == ["KEY"]
            assert "canary" not in json.dumps(config)
            await ask("PUT", f"{path}/config", 200, {"env_keys": [TEXT]}, json={"timeout": 6})
            await ask("POST", f"{path}/refresh", 200, MCP_STATE)
            await ask("PUT", f"{path}/disable", 200, MCP_STATE, json={"disabled": True})
            assert (await ask("GET", "/api/mcp/servers", 200, [MCP]))[0]["disabled"]
            assert await ask("DELETE", path) == {"status": "deleted"}
            for method, rest in (("GET", "/config"), ("DELETE", ""), ("POST", "/refresh")):
                await ask(method, path + rest, 404)
            await ask("PUT", f"{path}/config", 404, json={})
            await ask("PUT", f"{path}/disable", 404, json={"disabled": True})


async def test_the_routes_of_what_agents_can_have(serving: Any) -> None:
    entry = {"name": TEXT, "description": TEXT, "origin": TEXT, "agents": [TEXT]}
    with trio.fail_after(30):
        async with serving(tools=[lookup]) as served:
            ask = Asked(served)
            await ask("GET", "/api/skills", 200, [entry])
            tools = {each["name"]: each for each in await ask("GET", "/api/tools", 200, [entry])}
            assert tools["lookup"]["agents"] == ["assistant"]


async def test_the_approval_routes(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(script, tools=[send_mail]) as served, trio.open_nursery() as nursery:
            ask = Asked(served)
            nursery.start_soon(lambda: ask("POST", f"{A}/chat", json={"message": "mail ann"}))
            while not (found := await ask("GET", "/api/approvals?status=pending", 200, [APPROVAL])):
                await trio.lowlevel.checkpoint()
            path = f"/api/approvals/{found[0]['id']}"
            await ask("POST", path, 400, json={"decision": "perhaps"})
            decided = await ask("POST", path, 200, APPROVAL, json={"decision": "deny", "note": "no"})
            assert decided["status"] == "denied"
            await ask("POST", path, 409, json={"decision": "approve"})
            await ask("POST", "/api/approvals/nosuch", 404, json={"decision": "deny"})
            await ask("GET", "/api/approvals?status=nosuch", 400)


async def test_an_approval_that_nobody_gave_in_time_is_gone(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(script, tools=[send_mail], approvals={"timeout_s": 0.05}) as served:
            ask = Asked(served)
            await ask("POST", f"{A}/chat", json={"message": "mail ann"})
            [late] = await ask("GET", "/api/approvals?status=expired", 200, [APPROVAL])
            await ask("POST", f"/api/approvals/{late['id']}", 410, json={"decision": "approve"}, code="expired")


async def test_the_routes_of_credentials(serving: Any) -> None:
    me = {"user": TEXT, "role": {"owner", "viewer"}, "mode": {"local", "token"}}
    with trio.fail_after(30):
        async with serving(token=True) as served:
            ask = Asked(served, served.operator)
            assert (await ask("GET", "/api/auth/me", 200, me))["mode"] == "token"
            viewer = {"user": "ann", "role": "viewer"}
            made = await ask("POST", "/api/tokens", 201, TOKEN | {"token": TEXT}, json=viewer)
            [listed] = await ask("GET", "/api/tokens", 200, [TOKEN])
            assert "token" not in listed
            ann = Asked(served, {"authorization": f"Bearer {made['token']}"})
            assert await ann("GET", "/api/auth/me") == {"user": "ann", "role": "viewer", "mode": "token"}
            for method, path in (("GET", "/api/tokens"), ("DELETE", f"/api/tokens/{made['id']}")):
                await ann(method, path, 403)
            await ann("POST", "/api/tokens", 403, json={"user": "bob"})
            await ask("DELETE", f"/api/tokens/{made['id']}")
            await ask("DELETE", f"/api/tokens/{made['id']}", 404)
            await Asked(served)("GET", "/api/auth/me", 401)
            await Asked(served)("POST", "/api/auth/login", 401, json={"token": "wrong"})
            secret = served.operator["authorization"].removeprefix("Bearer ")
            await Asked(served)("POST", "/api/auth/login", 200, me, json={"token": secret})
            await Asked(served)("POST", "/api/auth/logout", 200)


async def test_what_every_route_refuses_alike(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(script) as served:
            ask = Asked(served)
            await ask("GET", "/api/nosuch", 404, code="not_found")
            await ask("DELETE", "/api/agents", 405)
            for query in ("limit=0", "limit=501", "limit=x", "cursor=nosuch"):
                for path in ("processes", "sessions", "runs", "approvals", "events/log"):
                    await ask("GET", f"/api/{path}?{query}", 400)
            key = {"idempotency-key": "k1"}
            again = Asked(served, key)
            first = await again("POST", f"{A}/chat", json={"message": "x"})
            assert await again("POST", f"{A}/chat", json={"message": "x"}) == first
            await again("POST", f"{A}/chat", 422, json={"message": "y"})

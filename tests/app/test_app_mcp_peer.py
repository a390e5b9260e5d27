"""What an MCP server gets that asks for an answer of the calling agent's model."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import vega_trio as vega
from vega_trio.app.mcp_peer import Answering
from vega_trio.engine.approvals import Approvals
from vega_trio.mcp.config import ServerConfig
from vega_trio.mcp.source import Caller, Kit, McpSource
from vega_trio.testing import MemoryStore, ScriptedModel


def nothing(_: object) -> Any:
    """Not called."""


def source() -> McpSource:
    kit = Kit(host={}, compile_check=nothing, cap=str, shown=nothing, emit=nothing, pinned=nothing, peer=nothing)
    return McpSource(ServerConfig(name="s", command=("x",)), kit)


@pytest.mark.parametrize(
    "agent",
    [
        vega.Agent(name="thinker", thinking=4000),
        vega.Agent(name="typed", output={"type": "object", "required": ["city"]}),
        vega.Agent(name="n" * 128),
    ],
    ids=lambda agent: agent.name[:8],
)
async def test_any_agent_can_answer_for_a_server(agent: vega.Agent, autojump_clock: trio.testing.MockClock) -> None:
    model = ScriptedModel(["a short answer"])
    with trio.fail_after(5):
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(agent) as process:
            server = source()
            context = vega.ToolContext(process=process, turn_id="t", tool_call_id="c", spawn=process.spawn, ask=nothing)
            server.caller = Caller(context, ())
            answering = Answering(orch, Approvals(store=MemoryStore(), wall_clock=lambda: 0.0))
            assert await answering.sample(server, "", [("user", "hello")], 100) == "a short answer"
    (request,) = model.requests
    assert (request.max_tokens, request.thinking, request.output_schema) == (100, None, None)

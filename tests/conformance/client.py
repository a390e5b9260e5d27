"""The client that the conformance suite starts, with the address of its server: it does what each scenario wants."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import trio
from sign_in import sign_in

import vega_trio as vega


async def accept(_: str, __: Mapping[str, Any]) -> dict[str, Any]:
    """A person who accepts and fills in nothing."""
    return {}


async def main(url: str, scenario: str) -> None:
    auth = sign_in(url, scenario) if scenario.startswith("auth/") else None
    async with vega.open_mcp(name="suite", url=url, elicit=accept, auth=auth) as source:
        match scenario:
            case _ if auth is not None:
                await source.call_tool("test-tool")
            case "tools_call":
                await source.call_tool("add_numbers", {"a": 5, "b": 3})
            case "elicitation-sep1034-client-defaults":
                await source.call_tool("test_client_elicitation_defaults")
            case "sse-retry":
                await source.call_tool("test_reconnection")


trio.run(main, sys.argv[-1], os.environ["MCP_CONFORMANCE_SCENARIO"])

"""A program with an MCP server that has a family; prints the pids of all of them and waits to be killed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import trio

import vega_trio as vega


async def main() -> None:
    hostile = str(Path(__file__).with_name("hostile.py"))
    async with vega.open_mcp(name="s", command=[sys.executable, "-I", "-S", hostile, "family"]) as source:
        pids = json.loads(await source.call_tool("echo"))
        print(json.dumps(pids), flush=True)
        await trio.sleep_forever()


trio.run(main)

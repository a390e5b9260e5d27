"""The server that `api.py` tries: `python api_server.py FOLDER`. Prints its address.

Everything that `vega serve` has, with a model that answers at once, and limits that a flood of requests does not meet.
What is stored need not outlive the machine, so no case waits for the disk.
"""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from vega_trio.app.open import open_app
from vega_trio.mcp_server.mount import open_mount
from vega_trio.serve.exchange import user_of_scope
from vega_trio.serve.server import Access, serve
from vega_trio.testing import ScriptedModel

DOCUMENT = """
agents:
  assistant: {system: You help., tools: [read_file, list_files]}
workflows:
  ask:
    inputs: {message: string, rounds: {type: integer, default: 1, min: 1, max: 9}}
    steps: [{assistant: '{{message}}'}]
settings:
  default_model: scripted
  durability: process
  limits: {turns_per_min: 10000000, requests_per_s: 1000000, connections: 100000}
"""


async def main(folder: Path) -> None:
    path = folder / "api.vega.yaml"
    path.write_text(DOCUMENT)
    opening = open_app(
        path,
        model=ScriptedModel(lambda request: "It is so."),
        store=folder / "api.db",
        env={},
        home=folder,
        shutdown_timeout=1,
        resume=False,
        meta=True,
    )
    async with opening as app, open_mount(app, user_of_scope) as mcp:
        await serve(
            app,
            addr=":0",
            access=Access(home=folder),
            on_ready=lambda url: print(url, flush=True),
            shutdown_timeout=1,
            mcp=mcp,
        )


trio.run(main, Path(sys.argv[1]))

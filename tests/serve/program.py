"""A server program for tests of signals: `python program.py DOCUMENT [SHUTDOWN_TIMEOUT]`. Prints its address.

Its model says five words, one every 0.3 s; a message with the word `long` gets five hundred.
"""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from vega_trio.app.open import open_app
from vega_trio.protocols import ModelRequest
from vega_trio.serve.server import Access, serve
from vega_trio.testing import ScriptedModel, ScriptedReply


def answer(request: ModelRequest) -> ScriptedReply:
    count = 500 if "long" in request.messages[-1].text else 5
    return ScriptedReply("word " * count, delay_s=0.3)


async def main(document: str, shutdown_timeout: float) -> None:
    home = Path(document).parent
    async with open_app(
        document,
        model=ScriptedModel(answer),
        store=home / "vega.db",
        env={},
        home=home,
        shutdown_timeout=1,
        resume=False,  # the server does, when it can be watched
    ) as app:
        await serve(
            app,
            addr=":0",
            access=Access(home=home),
            on_ready=lambda url: print(url, flush=True),
            shutdown_timeout=shutdown_timeout,
        )
    print("closed", flush=True)


trio.run(main, sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 10.0)

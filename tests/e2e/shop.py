"""A real server with a rest_for_one supervisor and processes that are tied to its children: `python shop.py HOME`."""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from vega_trio import ChildSpec, Process, SupervisorSpec
from vega_trio.app.open import open_app
from vega_trio.serve.server import Access, serve
from vega_trio.testing import ScriptedModel

DOCUMENT = """
name: shop
agents:
  assistant: {system: You help.}
settings:
  default_model: scripted
"""


async def service(me: Process) -> None:
    async for mail in me.inbox:
        mail.reply("done")


async def main(home: Path) -> None:
    document = home / "shop.vega.yaml"
    document.write_text(DOCUMENT)
    async with open_app(document, model=ScriptedModel([]), store=home / "shop.db", home=home) as app:
        names = ("database", "cache", "web")
        children = [ChildSpec(name, service, name=name) for name in names]
        await app.orch.supervise(SupervisorSpec("rest_for_one", children, max_restarts=3, window=60.0))

        async def guest(me: Process) -> None:
            web = app.orch.whereis("web")
            assert web is not None
            me.link(web)
            await trio.sleep_forever()

        async def watcher(me: Process) -> None:
            web = app.orch.whereis("web")
            assert web is not None
            async with me.monitor(web) as downs:
                async for _ in downs:
                    pass

        await app.orch.spawn(guest, name="guest")
        await app.orch.spawn(watcher, name="watcher")
        await serve(app, addr="127.0.0.1:0", access=Access(home=home), on_ready=_tell, shutdown_timeout=1.0)


def _tell(address: str) -> None:
    print(f"Dashboard: {address}", flush=True)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]))

"""What `vega mcp serve` does: opens a document and serves it to the MCP client that started us."""

from __future__ import annotations

import trio

from vega_trio.app.open import open_app
from vega_trio.cli.config import open_setup
from vega_trio.cli.documents import database_or_memory, environment, need_document
from vega_trio.cli.log_output import start_logging
from vega_trio.cli.options import Shared
from vega_trio.errors import MissingExtra


def serve_document(file: str | None, db: str | None, model: str | None, shared: Shared) -> int:
    """Serves until the client leaves and returns the exit code. Raises: what `open_app` raises, MissingExtra."""
    setup = open_setup(shared.home)
    log = start_logging(shared, setup.env)
    source = need_document(file, "mcp serve")
    env = environment(setup, source, model)
    store = database_or_memory(db, setup)
    try:
        from vega_trio.mcp_server.stdio import serve_stdio
    except ModuleNotFoundError as error:
        raise MissingExtra("mcp", "vega mcp serve") from error

    async def main() -> None:
        opening = open_app(source, model=model, store=store, env=env, home=setup.home, on_document=log.follow)
        async with opening as app:
            await serve_stdio(app)

    trio.run(main)
    return 0

"""What `vega mcp list` and `vega mcp test` do: connect servers and show what they have."""

from __future__ import annotations

import json

import attrs
import click
import trio

from vega_trio.app.application import App
from vega_trio.app.mcp import McpServerInfo
from vega_trio.app.mcp_config import Wanted, new_config, well_known
from vega_trio.app.open import open_app
from vega_trio.cli.config import open_setup
from vega_trio.cli.documents import choose_document
from vega_trio.cli.failure import Failure
from vega_trio.cli.log_output import start_logging
from vega_trio.cli.options import Shared
from vega_trio.cli.terminal import put

NEWLINE = "\n"


def list_servers(file: str | None, shared: Shared, *, as_json: bool) -> int:
    """Returns the exit code. Raises: what `open_app` raises."""
    setup = open_setup(shared.home)
    log = start_logging(shared, setup.env)
    source = choose_document(file)
    if source is None:
        for entry in well_known():
            put(json.dumps(attrs.asdict(entry)) + "\n" if as_json else f"{entry.name}\t{entry.description}\n")
        return 0

    async def main() -> None:
        async with open_app(source, model="demo", env=setup.env, home=setup.home, on_document=log.follow) as app:
            await _until_known(app)
            if not app.mcp.servers() and not shared.quiet:
                click.echo(f"{app.document.file} has no MCP servers; name some in settings.mcp.servers", err=True)
            for info in app.mcp.servers():
                put(_line(info, as_json=as_json))

    trio.run(main)
    return 0


def test_server(name: str, file: str | None, shared: Shared, *, as_json: bool) -> int:
    """Returns the exit code. Raises: Failure, UnknownMcpServer, what `open_app` raises."""
    setup = open_setup(shared.home)
    log = start_logging(shared, setup.env)
    source = choose_document(file)

    async def main() -> McpServerInfo:
        async with open_app(source, model="demo", env=setup.env, home=setup.home, on_document=log.follow) as app:
            await _find(app, name)
            put(_detail(app, name, as_json=as_json))
            return app.mcp.server(name)

    info = trio.run(main)
    if not info.connected:
        raise Failure(info.error or info.disabled, "run its command by hand to see what it says")
    return 0


async def _find(app: App, name: str) -> None:
    """Has the server connected: the document's, else the registry's. Raises: UnknownMcpServer."""
    if any(info.name == name for info in app.mcp.servers()):
        await _until_known(app)
        return
    if name not in {entry.name for entry in well_known()}:
        app.mcp.server(name)
    await app.mcp.connect(new_config(name, Wanted(), app.mcp.env))


async def _until_known(app: App) -> None:
    """Returns when each server has been connected or has failed to be."""
    async with trio.open_nursery() as nursery:
        for source in app.mcp.sources():
            nursery.start_soon(source.ready)


def _line(info: McpServerInfo, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(_shown(info)) + "\n"
    what = f"{len(info.tools)} tools: {', '.join(info.tools)}" if info.connected else _why(info)
    return f"{info.name}\t{'connected' if info.connected else 'not connected'}\t{what}\n"


def _why(info: McpServerInfo) -> str:
    return f"disabled: {info.disabled}" if info.disabled else info.error


def _shown(info: McpServerInfo) -> dict[str, object]:
    return {
        "name": info.name,
        "connected": info.connected,
        "transport": info.config.transport,
        "tools": list(info.tools),
        "changed": list(info.changed),
        "problems": list(info.problems),
        "disabled": info.disabled,
        "error": "" if info.connected else info.error,
    }


def _detail(app: App, name: str, *, as_json: bool) -> str:
    info = app.mcp.server(name)
    specs = app.mcp.specs(name)
    if as_json:
        tools = [{"name": spec.name, "description": spec.description, "parameters": spec.parameters} for spec in specs]
        return json.dumps(_shown(info) | {"tools": tools}) + "\n"
    lines = [_line(info, as_json=False)]
    lines += [f"  {spec.name}\t{spec.description.strip().partition(NEWLINE)[0][:100]}\n" for spec in specs]
    lines += [f"  {problem}\n" for problem in info.problems]
    return "".join(lines)

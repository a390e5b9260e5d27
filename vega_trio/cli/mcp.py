"""`vega mcp`: its commands and options. What they do is in `mcp_servers.py` and `mcp_stdio.py`."""

from __future__ import annotations

import click

from vega_trio.cli.options import Shared, shared_options, vega_command


@vega_command(name="list")
@click.argument("file", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def list_command(ctx: click.Context, file: str | None, as_json: bool) -> int:
    """List the MCP servers of FILE with their tools, or the well-known ones where there is no document.

    Connects all of them.
    """
    from vega_trio.cli.mcp_servers import list_servers

    return list_servers(file, Shared(ctx), as_json=as_json)


@vega_command(name="test")
@click.argument("name")
@click.argument("file", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def test_command(ctx: click.Context, name: str, file: str | None, as_json: bool) -> int:
    """Connect one MCP server of FILE, or of the registry, and show its tools. Exit 1 when it cannot be connected."""
    from vega_trio.cli.mcp_servers import test_server

    return test_server(name, file, Shared(ctx), as_json=as_json)


@vega_command(name="serve")
@click.argument("file", required=False)
@click.option("--db", metavar="PATH", help="The database (default: none, everything in memory).")
@click.option("--model", metavar="M", help="The model for all agents: demo, local, or PROVIDER:NAME.")
@click.pass_context
def serve_command(ctx: click.Context, file: str | None, db: str | None, model: str | None) -> int:
    """Serve the agents and workflows of FILE as MCP tools on stdin and stdout, for a client that starts us."""
    from vega_trio.cli.mcp_stdio import serve_document

    return serve_document(file, db, model, Shared(ctx))


@vega_command(name="import")
@click.argument("file")
def import_command(file: str) -> int:
    """Print the servers of another program's `mcpServers` JSON as settings for a document.

    Secrets are not taken along: each becomes a variable, named on stderr.
    """
    from vega_trio.cli.mcp_import import import_servers

    return import_servers(file)


command = click.Group(
    "mcp",
    commands=[list_command, test_command, import_command, serve_command],
    params=shared_options(),
    help="Try MCP servers out, and serve a document as one.",
)

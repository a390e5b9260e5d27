"""`vega mcp`: its commands and options. What they do is in the modules beside it."""

from __future__ import annotations

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, shared_options, vega_command


@vega_command(name="list")
@click.argument("file", required=False, shell_complete=completing.files)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def list_command(ctx: click.Context, file: str | None, as_json: bool) -> int:
    """List the MCP servers of FILE with their tools, or the well-known ones where there is no document.

    Connects all of them.
    """
    from vega_trio.cli.mcp_servers import list_servers

    return list_servers(file, Shared(ctx), as_json=as_json)


@vega_command(name="test")
@click.argument("name", shell_complete=completing.servers)
@click.argument("file", required=False, shell_complete=completing.files)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def test_command(ctx: click.Context, name: str, file: str | None, as_json: bool) -> int:
    """Connect one MCP server of FILE, or of the registry, and show its tools. Exit 1 when it cannot be connected."""
    from vega_trio.cli.mcp_servers import test_server

    return test_server(name, file, Shared(ctx), as_json=as_json)


@vega_command(name="serve")
@click.argument("file", required=False, shell_complete=completing.files)
@click.option(
    "--db", metavar="PATH", shell_complete=completing.files, help="The database (default: none, everything in memory)."
)
@click.option(
    "--model",
    metavar="M",
    shell_complete=completing.models,
    help="The model for all agents: demo, local, or PROVIDER:NAME.",
)
@click.pass_context
def serve_command(ctx: click.Context, file: str | None, db: str | None, model: str | None) -> int:
    """Serve the agents and workflows of FILE as MCP tools on stdin and stdout, for a client that starts us."""
    from vega_trio.cli.mcp_stdio import serve_document

    return serve_document(file, db, model, Shared(ctx))


@vega_command(name="add")
@click.argument("name", shell_complete=completing.registered)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[URL|[--] COMMAND ARGUMENTS..]")
@click.option(
    "-f", "--file", metavar="FILE", shell_complete=completing.files, help="The document (default: the only one here)."
)
@click.option("--arg", "more", metavar="TEXT", multiple=True, help="An argument for a server of the registry.")
@click.option("-e", "--env", metavar="NAME[=TEXT]", multiple=True, help="A variable for it; a name alone is ours.")
@click.option("-H", "--header", "headers", metavar="'NAME: TEXT'", multiple=True, help="A header for its address.")
@click.option("--transport", metavar="T", help="stdio, http or sse (default: http for an address, else stdio).")
@click.option(
    "--timeout",
    "timeout_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="How long a call may take (default: 30).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def add_command(
    ctx: click.Context,
    name: str,
    words: tuple[str, ...],
    file: str | None,
    more: tuple[str, ...],
    env: tuple[str, ...],
    headers: tuple[str, ...],
    transport: str | None,
    timeout_s: float | None,
    as_json: bool,
) -> int:
    """Add an MCP server to a document, or with --url to the vega server there, which keeps it.

    It is what is at a URL, or a COMMAND, with -- before it where its arguments begin with a dash; without both it is
    the server NAME of the registry, which vega mcp list shows. The rest of the document stays as it is written.
    """
    from vega_trio.cli.mcp_add import Given, add_server

    given = Given(
        name=name,
        what=words[0] if words else None,
        args=(*words[1:], *more),
        env={key: text if equals else None for key, equals, text in (each.partition("=") for each in env)},
        headers={key.strip(): text.strip() for key, _, text in (each.partition(":") for each in headers)},
        transport=transport,
        timeout_s=timeout_s,
    )
    return add_server(given, file, Shared(ctx), as_json=as_json)


@vega_command(name="import")
@click.argument("file", shell_complete=completing.files)
@click.option(
    "--into",
    metavar="DOCUMENT",
    shell_complete=completing.files,
    help="Write them into this document (default: print them).",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def import_command(ctx: click.Context, file: str, into: str | None, yes: bool, as_json: bool) -> int:
    """Take over the MCP servers of another program, from the JSON in which it keeps them.

    FILE is a .mcp.json, claude_desktop_config.json, mcp.json or settings.json. They are printed as settings, or written
    into a DOCUMENT, all or none, after you have seen what would be run. Those whose names the document has stay as
    they are. Secrets are not taken along: each becomes a variable, named on stderr.
    """
    from vega_trio.cli.mcp_import import import_servers

    return import_servers(file, into, Shared(ctx), yes=yes, as_json=as_json)


command = click.Group(
    "mcp",
    commands=[list_command, test_command, add_command, import_command, serve_command],
    params=shared_options(),
    help="Add MCP servers and try them out, and serve a document as one.",
)

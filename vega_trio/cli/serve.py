"""`vega serve`: its options. What it does is in `serving.py`."""

from __future__ import annotations

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, vega_command


@vega_command(name="serve")
@click.argument("file", required=False, shell_complete=completing.files)
@click.option("--addr", metavar=":3001", help="Where to listen; :0 picks a free port (default: :3001).")
@click.option(
    "--db",
    metavar="PATH",
    shell_complete=completing.files,
    help="The database (default: .vega-serve.db; with --demo a temporary one).",
)
@click.option("--demo", is_flag=True, help="Use the scripted demo model: no key, no cost.")
@click.option(
    "--model",
    metavar="M",
    shell_complete=completing.models,
    help="The model for all agents: demo, local, or PROVIDER:NAME.",
)
@click.option("--watch", is_flag=True, help="Take up valid edits of the document at once; chats go on.")
@click.option("--open", "open_page", is_flag=True, help="Open the dashboard in the browser.")
@click.option("--allow-host", "hosts", metavar="H", multiple=True, help="Also answer under this host name.")
@click.option("--allow-origin", "origins", metavar="URL", multiple=True, help="Also let pages of this origin call.")
@click.option("--token", is_flag=True, help="Ask for a token on loopback too; any other address always does.")
@click.option("--read-only", is_flag=True, help="Let everybody look and nobody change anything.")
@click.option("--trust-user-header", is_flag=True, help="Take X-Auth-User from a proxy that has an owner's token.")
@click.option("--allow-mcp-commands", "mcp_commands", is_flag=True, help="Let the API add MCP servers of any command.")
@click.pass_context
def command(
    ctx: click.Context,
    file: str | None,
    addr: str | None,
    db: str | None,
    demo: bool,
    model: str | None,
    watch: bool,
    open_page: bool,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    token: bool,
    read_only: bool,
    trust_user_header: bool,
    mcp_commands: bool,
) -> int:
    """Serve the dashboard and the HTTP API for FILE, by default the only document here, else a built-in one.

    Ctrl-C or SIGTERM lets running turns end and stops; a second one stops at once.
    """
    if demo and model not in (None, "demo"):
        raise click.UsageError(f"--demo and --model {model} exclude each other")

    from vega_trio.cli.serving import Request, serve_document

    request = Request(
        file=file,
        addr=addr,
        db=db,
        demo=demo,
        model=model,
        watch=watch,
        open_page=open_page,
        hosts=hosts,
        origins=origins,
        token=token,
        read_only=read_only,
        trust_user_header=trust_user_header,
        mcp_commands=mcp_commands,
    )
    return serve_document(request, Shared(ctx))

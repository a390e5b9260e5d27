"""`vega restart`."""

from __future__ import annotations

import click

from vega_trio.cli.options import vega_command


@vega_command(name="restart")
@click.argument("process_id", metavar="ID")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print what it does as JSON.")
@click.pass_context
def command(ctx: click.Context, process_id: str, yes: bool, as_json: bool) -> int:
    """Restart process ID of the server at --url by its supervisor's strategy. Says first who else is concerned."""
    from vega_trio.cli.intervene import intervene
    from vega_trio.cli.remote import path_of, remote_of

    remote = remote_of(ctx)
    path = path_of("processes", process_id, "restart")
    return intervene(remote, process_id, "restart", lambda: remote.post(path), yes=yes, as_json=as_json)

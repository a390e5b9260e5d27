"""`vega inspect`."""

from __future__ import annotations

import json

import click

from vega_trio.cli.options import vega_command


@vega_command(name="inspect")
@click.argument("process_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def command(ctx: click.Context, process_id: str, as_json: bool) -> int:
    """Show all about process ID of the server at --url: state, mail, ties, restarts, incarnations, conversation."""
    from vega_trio.cli.output import render
    from vega_trio.cli.remote import path_of, remote_of
    from vega_trio.cli.terminal import put

    found = remote_of(ctx).get(path_of("processes", process_id))
    put(json.dumps(found, ensure_ascii=False) + "\n" if as_json else render(found, "yaml"))
    return 0

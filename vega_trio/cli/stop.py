"""`vega stop`."""

from __future__ import annotations

import json

import click

from vega_trio.cli.options import vega_command


@vega_command(name="stop")
@click.argument("process_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_context
def command(ctx: click.Context, process_id: str, as_json: bool) -> int:
    """Stop the turn of process ID of the server at --url. What it has said is kept, and the process lives."""
    from vega_trio.cli.remote import path_of, remote_of
    from vega_trio.cli.terminal import put

    answer = remote_of(ctx).post(path_of("processes", process_id, "stop"))
    put((json.dumps(answer) if as_json else f"{process_id}: {answer['status']}") + "\n")
    return 0

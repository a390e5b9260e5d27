"""`vega fork`."""

from __future__ import annotations

import click

from vega_trio.cli import completing
from vega_trio.cli.options import vega_command


@vega_command(name="fork")
@click.argument("process_id", metavar="ID")
@click.option("--at", metavar="EVENT", type=click.IntRange(1), required=True, help="The event's number.")
@click.option("--model", metavar="M", shell_complete=completing.models, help="Another model for the new process.")
@click.option("--system", metavar="TEXT", help="Another system prompt for it.")
@click.option("--json", "as_json", is_flag=True, help="Print the new process as JSON.")
@click.pass_context
def command(ctx: click.Context, process_id: str, at: int, model: str | None, system: str | None, as_json: bool) -> int:
    """Start a new process from process ID as things stood after an event.

    The process is one of the server at --url, which lists its events with `vega events`. The new one has a session
    of its own; prints its id.
    """
    import json

    from vega_trio.cli.remote import path_of, remote_of

    given = {"model": model, "system": system}
    body = {"at": at, **{name: value for name, value in given.items() if value is not None}}
    process = remote_of(ctx).post(path_of("processes", process_id, "fork"), body)
    click.echo(json.dumps(process) if as_json else process["id"])
    return 0

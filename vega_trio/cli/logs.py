"""`vega logs`."""

from __future__ import annotations

import click

from vega_trio.cli.options import vega_command


@vega_command(name="logs")
@click.argument("process_id", metavar="ID", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens from now on.")
@click.option("-n", "count", type=click.IntRange(0, 500), default=100, help="How many past lines (default: 100).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def command(ctx: click.Context, process_id: str | None, follow: bool, count: int, as_json: bool) -> int:
    """Print what process ID did, or all processes, on the server at --url."""
    from vega_trio.cli.events import show
    from vega_trio.cli.remote import path_of, remote_of

    remote = remote_of(ctx)
    if process_id is not None:
        remote.get(path_of("processes", process_id))  # a wrong id is told, and not taken for silence
    wanted = {} if process_id is None else {"process_id": process_id}
    show(remote, count, "", wanted, follow=follow, as_json=as_json)
    return 0

"""`vega kill`."""

from __future__ import annotations

import click

from vega_trio.cli.options import vega_command


@vega_command(name="kill")
@click.argument("process_id", metavar="ID")
@click.option("--subtree", is_flag=True, help="And all that were spawned below it.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print what it does as JSON.")
@click.pass_context
def command(ctx: click.Context, process_id: str, subtree: bool, yes: bool, as_json: bool) -> int:
    """End process ID of the server at --url for good. Says first who else dies, restarts or is told, and asks."""
    from vega_trio.cli.intervene import intervene
    from vega_trio.cli.remote import path_of, remote_of

    remote = remote_of(ctx)
    path = path_of("processes", process_id)

    def act() -> object:
        return remote.delete(path, subtree=subtree)

    return intervene(remote, process_id, "kill", act, subtree=subtree, yes=yes, as_json=as_json)

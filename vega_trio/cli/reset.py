"""`vega reset`."""

from __future__ import annotations

import json

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, vega_command


@vega_command(name="reset")
@click.option(
    "--db",
    metavar="PATH",
    shell_complete=completing.files,
    help="The database (default: VEGA_DB, else .vega-serve.db).",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(ctx: click.Context, db: str | None, yes: bool, as_json: bool) -> int:
    """Delete the database of vega serve: conversations, runs, events, costs, agents that Mother made, tokens.

    Documents and the home with its keys stay. Refuses while a program has the database open; with --url the server
    there empties its own and starts anew.
    """
    from vega_trio.app.wipe import wipe
    from vega_trio.cli.config import open_setup
    from vega_trio.cli.confirming import confirm
    from vega_trio.cli.remote import remote_of
    from vega_trio.cli.serving import choose_database
    from vega_trio.cli.terminal import put

    shared = Shared(ctx)
    if db is not None and shared.url is not None:
        raise click.UsageError("--db and --url exclude each other: a server knows its own database", ctx)
    database = choose_database(db, open_setup(shared.home)) if shared.url is None else shared.url
    if not yes:
        confirm(f"delete {database} and all that is in it?", f"this deletes {database}")
    if shared.url is not None:
        status = remote_of(ctx).post("/api/reset", {"confirm": "reset"})["status"]
        put((json.dumps({"url": shared.url, "status": status}) if as_json else f"{shared.url}: {status}") + "\n")
        return 0
    was_there = wipe(database)
    said = f"{database}: deleted" if was_there else f"{database}: there is none"
    put((json.dumps({"database": database, "deleted": was_there}) if as_json else said) + "\n")
    return 0
